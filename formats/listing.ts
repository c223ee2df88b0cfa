/**
 * One directory as `index.json`, HTML and text. In JSON one entry stands on a line, so that a reader can
 * use every complete line of a stream. The three are made from the same data and say the same.
 */
import { compareNames, fromText, toHref, toText, toTextLossy } from "./names.ts";

export { htmlHead, htmlParts, htmlRow, htmlTail, renderHtml } from "./listing_html.ts";
export { renderText } from "./listing_text.ts";

/** A file. Times are epoch seconds in UTC. */
export interface FileEntry {
  name: string;
  bytes: number;
  mtime: number;
  /** Percent-encoded bytes of a name that is not UTF-8. */
  href?: string;
}

/**
 * A link. `bytes` and `mtime` are those of the file that it leads to. Where it leads to a directory
 * (`dir`) or nowhere (`broken`), `bytes` is 0 and `mtime` the link's own.
 */
export interface LinkEntry extends FileEntry {
  target: string;
  dir?: true;
  /** It leads out of the repository, nowhere, or in a circle: shown, not followed. */
  broken?: true;
}

/** A directory: name with `/` at its end, totals of all below, `mtime` the newest below. */
export interface DirEntry extends FileEntry {
  files: number;
  dirs: number;
}

export type Entry = FileEntry | LinkEntry | DirEntry;

/** A directory's own line. */
export interface ListingHead {
  v: 1;
  /** URL path, decoded, with `/` at both ends. */
  path: string;
  bytes: number;
  mtime: number;
  files: number;
  dirs: number;
  /** Percent-encoded bytes of a path that is not UTF-8. */
  href?: string;
}

export interface Listing extends ListingHead {
  entries: Entry[];
}

export const isDir = (entry: Entry): entry is DirEntry => entry.name.endsWith("/");
export const isLink = (entry: Entry): entry is LinkEntry => "target" in entry;

/** Percent-encoded name for a relative link, with `/` at the end of a directory's. */
export const hrefOf = (entry: Pick<Entry, "name" | "href">): string =>
  entry.href ?? toHref(fromText(entry.name));

type Named = Pick<Entry, "name" | "href">;

/**
 * Directories first, then the rest, each in natural order. Names that are not UTF-8 may look the same:
 * their bytes decide, so that the order is total.
 */
export function compareEntries(a: Named, b: Named): number {
  const aDir = a.name.endsWith("/"), bDir = b.name.endsWith("/");
  return aDir === bDir ? compareNamed(a, b) : aDir ? -1 : 1;
}

/** {@linkcode compareEntries} of two directories, or of two that are none. */
export function compareNamed(a: Named, b: Named): number {
  const order = compareNames(a.name, b.name);
  if (order !== 0) return order;
  const aHref = a.href ?? "", bHref = b.href ?? "";
  return aHref < bHref ? -1 : aHref > bHref ? 1 : 0;
}

/** `name` (and `href`, where needed) of an entry from its raw name without slash. */
export function entryName(raw: string, dir: boolean): { name: string; href?: string } {
  const slash = dir ? "/" : "";
  const text = toText(raw);
  return text !== undefined
    ? { name: text + slash }
    : { name: toTextLossy(raw) + slash, href: toHref(raw) + slash };
}

// JSON.stringify costs more than the rest of a row together, and nearly no name needs it.
const quote = (text: string) =>
  /^[\w\-.+~/@=,: ]*$/.test(text) ? `"${text}"` : JSON.stringify(text);

/** One entry as it stands on its line of index.json, without the comma. */
export function jsonRow(entry: Entry): string {
  const { name, bytes, mtime, href } = entry;
  let row = `{"name":${quote(name)},"bytes":${bytes},"mtime":${mtime}`;
  if (isDir(entry)) row += `,"files":${entry.files},"dirs":${entry.dirs}`;
  else if (isLink(entry)) {
    row += `,"target":${quote(entry.target)}`;
    if (entry.dir) row += `,"dir":true`;
    if (entry.broken) row += `,"broken":true`;
  }
  return href === undefined ? row + "}" : `${row},"href":${quote(href)}}`;
}

/** The first line of index.json. */
export function jsonHead({ path, bytes, mtime, files, dirs, href }: ListingHead): string {
  const own = href === undefined ? "" : `"href":${quote(href)},`;
  return `{"v":1,"path":${quote(path)},"bytes":${bytes},"mtime":${mtime},"files":${files},` +
    `"dirs":${dirs},${own}"entries":[\n`;
}

/** The last line of index.json. */
export const JSON_TAIL = "]}\n";

/** So many entries are turned into text at a time. */
export const PART = 500;

/** `index.json` of a directory in parts, for what is too large to be held as one text. Entries are sorted. */
export function* jsonParts(listing: Listing): Generator<string> {
  const { entries } = listing;
  yield jsonHead(listing);
  for (let i = 0; i < entries.length; i += PART) {
    yield entries.slice(i, i + PART).map(jsonRow).join(",\n") +
      (i + PART < entries.length ? ",\n" : "\n");
  }
  yield JSON_TAIL;
}

/** `index.json` of a directory. The entries must be sorted. */
export function renderJson(listing: Listing): string {
  return [...jsonParts(listing)].join("");
}

const isCount = (x: unknown) => Number.isSafeInteger(x) && x as number >= 0;
const isTotals = (x: Record<string, unknown>) =>
  isCount(x.bytes) && Number.isSafeInteger(x.mtime) &&
  (x.href === undefined || typeof x.href === "string");

function isEntry(x: unknown): x is Entry {
  if (typeof x !== "object" || x === null) return false;
  const e = x as Record<string, unknown>;
  if (typeof e.name !== "string" || e.name === "" || !isTotals(e)) return false;
  if (e.name.endsWith("/")) return isCount(e.files) && isCount(e.dirs);
  return e.target === undefined || typeof e.target === "string";
}

/** A listing from its JSON, or `undefined` where it is damaged or of another version. */
export function parseListing(text: string): Listing | undefined {
  try {
    const x = JSON.parse(text);
    const good = x.v === 1 && typeof x.path === "string" && isTotals(x) && isCount(x.files) &&
      isCount(x.dirs) && Array.isArray(x.entries) && x.entries.every(isEntry);
    return good ? x : undefined;
  } catch {
    return undefined;
  }
}
