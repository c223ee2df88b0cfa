/** What a profile says: data for `syncrepo`, which knows nothing of distributions itself. */

/** What a database names: a path relative to the repository, and the size it must have. */
export interface Named {
  path: string;
  /** `undefined` where the database doesn't say. */
  bytes?: number;
  /** It may be missing; if it is there, it must have this size. */
  optional?: true;
}

/**
 * A kind of database. `syncrepo` reads its text with `read`, a command line that gets the file's path
 * as its last argument and prints text (tar, xz …), and hands line after line to a fresh `parser`.
 */
export interface Database {
  /** Paths (relative, raw) of such databases. */
  match: RegExp;
  /** The command that prints the text, by the file's name. */
  read: (path: string) => string[];
  /** Takes line after line, then `undefined` at the end; returns what was named by them. */
  parser: (path: string) => (line: string | undefined) => Named[];
  /** Files of which one is enough, as `Packages.gz` and `Packages.xz`: the same key, best first in order. */
  sameAs?: (path: string) => { key: string; rank: number };
}

/** How a distribution wants to be mirrored. Paths are relative to the repository. */
export interface Profile {
  summary: string;
  /** rsync patterns that are never mirrored. */
  exclude: string[];
  /**
   * Files that tell clients what there is, in groups. New packages go into the tree at once; these (and
   * whatever replaces a file) are staged, verified against the tree, and switched by rename afterwards,
   * group after group.
   */
  held: RegExp[];
  /** Where databases lie: folders to search in, and folder names not to enter. */
  databasesIn: { below: string[]; prune: string[] };
  databases: Database[];
  /** Fetched before all else, published after all else, in this order. */
  markers: string[];
  /** The marker that is equal to the upstream's when nothing changed: the cheap check. */
  check?: string;
  /** The time (epoch seconds, or a serial that only grows) that a file states; it must never go back. */
  time?: (path: string, text: string) => number | undefined;
  /** Files whose `time` is compared when they are replaced. */
  timed?: RegExp;
  /** A pattern of files at the upstream's root that say it is being updated: nothing is switched then. */
  updating?: string;
  /** The folder in which this mirror leaves its own trace file. */
  trace?: string;
  /** Cron pattern; `~` as the minute stands for one that is picked per host. */
  schedule: string;
}

/** An epoch in seconds as the whole content of a marker file; `undefined` if it is anything else. */
export function epoch(text: string): number | undefined {
  const match = /^\s*(\d{9,11})\s*$/.exec(text);
  return match ? Number(match[1]) : undefined;
}

const READERS: [RegExp, string[]][] = [
  [/\.gz$/, ["gzip", "-dc", "--"]],
  [/\.xz$/, ["xz", "-dc", "--"]],
  [/\.zst$/, ["zstd", "-dcq", "--"]],
  [/\.bz2$/, ["bzip2", "-dc", "--"]],
  [/$/, ["cat", "--"]],
];

/** The program that unpacks a file to stdout, by its name. */
export function unpack(path: string): string[] {
  return READERS.find(([pattern]) => pattern.test(path))![1];
}
