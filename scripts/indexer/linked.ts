/** Directories with links in them: their listings wait until the walk is over and all links can be followed. */
import type { DirEntry, Entry, FileEntry, LinkEntry } from "../../formats/listing.ts";
import { toHref } from "../../formats/names.ts";
import { fileEntry, linkEntry } from "./entries.ts";
import { follower } from "./links.ts";
import type { Place } from "./publish.ts";
import { readRows } from "./read.ts";
import { readRecords, type Totals } from "./records.ts";

/** A directory whose listing has to wait. */
export interface Held {
  place?: Place;
  head: Totals;
  dirs: DirEntry[];
  records: Uint8Array[];
}

/** What the walk has seen. */
export interface Seen {
  /** By raw path. */
  held: Map<string, Held>;
  isDir(path: string): boolean;
  /** Where the index.json of a directory can be read. */
  listing(path: string): string;
}

/** Links that lead to a file, or to nothing, by the directory and name of that. */
type Wanted = Map<string, Map<string, LinkEntry[]>>;

const below = (path: string, name: string) => path ? `${path}/${name}` : name;

/**
 * The entries of every held directory but its folders, with links followed; and for each link the paths that
 * it depends on, as lines of the state.
 */
export function followAll(seen: Seen) {
  const targets = new Map<string, string>();
  for (const [path, { records }] of seen.held) {
    for (const { name, target } of readRecords(records)) {
      if (target !== undefined) targets.set(below(path, name), target);
    }
  }
  const follow = follower((path) => {
    const target = targets.get(path);
    return target !== undefined ? { target } : seen.isDir(path) ? "dir" : undefined;
  });
  const wanted: Wanted = new Map(), lookups: string[] = [];
  const pages = [...seen.held].map(([path, held]) => {
    const entries = readRecords(held.records).map((record): Entry => {
      if (record.target === undefined) return fileEntry(record);
      const to = follow(path, record.target), entry = linkEntry(record, to, undefined);
      const own = toHref(below(path, record.name));
      for (const lookup of to.lookups) lookups.push(`${toHref(lookup)} ${own}`);
      if (to.kind === "file") want(wanted, to.path, entry);
      return entry;
    });
    return { path, held, entries };
  });
  fill(seen, wanted);
  return { pages, lookups };
}

function want(wanted: Wanted, path: string, link: LinkEntry) {
  const slash = path.lastIndexOf("/"), dir = path.slice(0, Math.max(0, slash));
  let names = wanted.get(dir);
  if (!names) wanted.set(dir, names = new Map());
  const name = path.slice(slash + 1), links = names.get(name);
  if (links) links.push(link);
  else names.set(name, [link]);
}

/** Gives links size and time of their files, which are taken from the listings, one read a directory. */
function fill(seen: Seen, wanted: Wanted) {
  for (const [dir, links] of wanted) {
    const found = (name: string, { bytes, mtime }: Pick<FileEntry, "bytes" | "mtime">) => {
      for (const link of links.get(name) ?? []) {
        Object.assign(link, { bytes, mtime, broken: undefined });
      }
    };
    const held = seen.held.get(dir);
    if (held) {
      for (const record of readRecords(held.records)) {
        if (record.target === undefined) found(record.name, record);
      }
    } else if (seen.isDir(dir)) readRows(seen.listing(dir), links, found);
  }
}
