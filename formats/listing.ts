/**
 * One directory as `index.json`, HTML and text. In JSON one entry stands on a line, so that a reader can
 * use every complete line of a stream. The three are made from the same data and say the same.
 */
import { compareNames, toHref, toText, toTextLossy } from "./names.ts";

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

/** Directories first, then the rest, each in natural order. */
export function compareEntries(a: Entry, b: Entry): number {
  const aDir = isDir(a), bDir = isDir(b);
  return aDir === bDir ? compareNames(a.name, b.name) : aDir ? -1 : 1;
}

/** `name` (and `href`, where needed) of an entry from its raw name without slash. */
export function entryName(raw: string, dir: boolean): { name: string; href?: string } {
  const slash = dir ? "/" : "";
  const text = toText(raw);
  return text !== undefined
    ? { name: text + slash }
    : { name: toTextLossy(raw) + slash, href: toHref(raw) + slash };
}
