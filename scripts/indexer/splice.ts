/**
 * Changing some entries of a published listing without making the others anew: both files have one entry
 * a line in the same order, so that lines are moved, not understood.
 */
import {
  compareEntries,
  type DirEntry,
  type Entry,
  htmlHead,
  htmlRow,
  htmlTail,
  isDir,
  isLink,
  JSON_TAIL,
  jsonHead,
  jsonRow,
  type ListingHead,
} from "../../formats/listing.ts";

/** A listing as lines. */
export interface Lines {
  head: ListingHead;
  /** JSON of each entry, without the comma. */
  json: string[];
  /** HTML of each entry, without the line end. */
  html: string[];
}

/** A listing from its two files, or `undefined` where they are not what was once written. */
export function readLines(json: string, html: string): Lines | undefined {
  const lines = json.split("\n"), end = html.lastIndexOf(htmlTail);
  if (lines.length < 3 || lines.at(-2) + "\n" !== JSON_TAIL || end < 0) return undefined;
  try {
    const { entries: _, ...head } = JSON.parse(lines[0] + JSON_TAIL);
    const start = htmlHead(head);
    if (!html.startsWith(start)) return undefined;
    const rows = html.slice(start.length, end).split("\n").slice(0, -1);
    const entries = lines.slice(1, -2).map((line) => line.endsWith(",") ? line.slice(0, -1) : line);
    return rows.length === entries.length ? { head, json: entries, html: rows } : undefined;
  } catch {
    return undefined;
  }
}

/** One entry that is to be as it says, or with `undefined` is to go; `name` as in the listing. */
export interface Edit {
  name: string;
  entry: Entry | undefined;
}

/** Where an entry of this name stands, or should. */
function seek(json: string[], name: string): { at: number; old?: Entry } {
  let low = 0, high = json.length;
  while (low < high) {
    const middle = (low + high) >> 1, entry = JSON.parse(json[middle]) as Entry;
    const order = compareEntries(entry, { name });
    if (order === 0) return { at: middle, old: entry };
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return { at: low };
}

const counts = (entry: Entry, uncounted: Set<string>) =>
  !isLink(entry) && !(isDir(entry) && (uncounted.has(entry.name)));

/** Adds what an entry counts for to the totals of its directory; `sign` -1 takes it away. */
function add(head: ListingHead, entry: Entry, sign: 1 | -1) {
  head.bytes += sign * entry.bytes;
  head.files += sign * (isDir(entry) ? entry.files : 1);
  if (isDir(entry)) head.dirs += sign * (entry.dirs + 1);
}

/** True if the time of an entry is one that its directory's may come from. */
const timed = (entry: Entry) => !isDir(entry) || (entry as DirEntry).files > 0;

/**
 * Applies edits, each name at most once. `uncounted` are names of directories that are not part of the
 * totals; `ownTime` is the time of a directory without files.
 */
export function splice(
  lines: Lines,
  edits: Edit[],
  uncounted: Set<string>,
  ownTime: number,
): Lines {
  const head = { ...lines.head };
  const cuts: { at: number; old: boolean; entry?: Entry }[] = [];
  let newest = head.files > 0 ? head.mtime : -Infinity, lost = false;
  for (const { name, entry } of edits) {
    const { at, old } = seek(lines.json, name);
    if (old && counts(old, uncounted)) {
      add(head, old, -1);
      lost ||= timed(old) && old.mtime >= newest;
    }
    if (entry && counts(entry, uncounted)) {
      add(head, entry, 1);
      if (timed(entry)) newest = Math.max(newest, entry.mtime);
    }
    if (old || entry) cuts.push({ at, old: old !== undefined, entry });
  }
  cuts.sort((a, b) =>
    a.at - b.at || Number(a.old) - Number(b.old) ||
    (a.entry && b.entry ? compareEntries(a.entry, b.entry) : 0)
  );
  const json = apply(lines.json, cuts, jsonRow);
  const html = apply(lines.html, cuts, (entry) => htmlRow(entry, head.path).slice(0, -1));
  if (head.files === 0) head.mtime = ownTime;
  else if (!lost) head.mtime = newest;
  else head.mtime = newestOf(json, uncounted);
  return { head, json, html };
}

function apply(
  rows: string[],
  cuts: { at: number; old: boolean; entry?: Entry }[],
  render: (entry: Entry) => string,
): string[] {
  const result: string[] = [];
  let from = 0;
  for (const { at, old, entry } of cuts) {
    while (from < at) result.push(rows[from++]);
    if (entry) result.push(render(entry));
    if (old) from++;
  }
  while (from < rows.length) result.push(rows[from++]);
  return result;
}

function newestOf(json: string[], uncounted: Set<string>): number {
  let newest = -Infinity;
  for (const row of json) {
    const entry = JSON.parse(row) as Entry;
    if (counts(entry, uncounted) && timed(entry)) newest = Math.max(newest, entry.mtime);
  }
  return newest;
}

/** Both files of a listing. */
export function writeLines({ head, json, html }: Lines): { json: string; html: string } {
  return {
    json: jsonHead(head) + (json.length ? json.join(",\n") + "\n" : "") + JSON_TAIL,
    html: htmlHead(head) + (html.length ? html.join("\n") + "\n" : "") + htmlTail,
  };
}
