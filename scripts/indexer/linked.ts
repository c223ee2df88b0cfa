/** Directories with links in them: their listings wait until the walk is over and all links can be followed. */
import type { DirEntry, Entry, FileEntry, LinkEntry } from "../../formats/listing.ts";
import { toHref } from "../../formats/names.ts";
import { fileEntry, linkEntry } from "./entries.ts";
import { follower } from "./links.ts";
import { below } from "./paths.ts";
import type { Place } from "./publish.ts";
import { readRows } from "./read.ts";
import { readRecords, type Record, type Totals } from "./records.ts";

/** A directory whose listing has to wait. */
export interface Held {
  place?: Place;
  head: Totals;
  dirs: DirEntry[];
  records: Uint8Array[];
}

/** What the walk has seen. Paths are raw. */
export interface Seen {
  held: Map<string, Held>;
  isDir(path: string): boolean;
  /** What find printed about the files of a directory, if that was kept. */
  records(path: string): Uint8Array[] | undefined;
  /** Where the index.json of a directory can be read. */
  listing(path: string): Promise<string>;
}

/** Links to a file, or to nothing, by the directory of that: each as an entry and the name to look for. */
type Wanted = Map<string, { entry: LinkEntry; name: string }[]>;

/**
 * The entries of every held directory but its folders, with links followed; and for each link the paths that
 * it depends on, as lines of the state.
 */
export async function followAll(seen: Seen) {
  const read = [...seen.held].map(([path, held]) => ({
    path,
    held,
    records: readRecords(held.records),
  }));
  const contentsOf = contents(seen, new Map(read.map(({ path, records }) => [path, records])));
  const follow = follower((dir, name) => {
    const there = contentsOf(dir)?.get(name);
    if (there) return there.target === undefined ? undefined : { target: there.target };
    return seen.isDir(below(dir, name)) ? "dir" : undefined;
  });
  const wanted: Wanted = new Map(), lookups: string[] = [];
  const pages = read.map(({ path, held, records }) => {
    const here = path && toHref(path) + "/";
    const entries = records.map((record): Entry => {
      if (record.target === undefined) return fileEntry(record);
      const to = follow(path, record.target), entry = linkEntry(record, to, undefined);
      const own = here + toHref(record.name);
      for (const lookup of to.lookups) lookups.push(`${toHref(lookup)} ${own}`);
      if (to.kind === "file") {
        const link = { entry, name: to.name }, links = wanted.get(to.dir);
        if (links) links.push(link);
        else wanted.set(to.dir, [link]);
      }
      return entry;
    });
    return { path, held, entries };
  });
  for (const [dir, links] of wanted) {
    const files = contentsOf(dir) ?? (seen.isDir(dir) ? await listed(seen, dir, links) : undefined);
    for (const { entry, name } of links) {
      const file = files?.get(name);
      if (!file) continue;
      entry.bytes = file.bytes;
      entry.mtime = file.mtime;
      entry.broken = undefined;
    }
  }
  return { pages, lookups };
}

/** What stands in a directory, by name, without its folders; undefined where that was not kept. */
function contents(seen: Seen, held: Map<string, Record[]>) {
  const known = new Map<string, Map<string, Record> | undefined>();
  return (dir: string) => {
    if (known.has(dir)) return known.get(dir);
    const kept = seen.records(dir), records = held.get(dir) ?? (kept && readRecords(kept));
    const contents = records && new Map(records.map((record) => [record.name, record]));
    known.set(dir, contents);
    return contents;
  };
}

/** The files that links want, from the listing of their directory. */
async function listed(seen: Seen, dir: string, links: { name: string }[]) {
  const names = new Set(links.map(({ name }) => name)), files = new Map<string, FileEntry>();
  readRows(await seen.listing(dir), names, (name, file) => files.set(name, file));
  return files;
}
