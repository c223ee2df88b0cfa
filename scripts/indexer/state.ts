/**
 * `state/<repo>.index`: what the listings were made of, so that a later run does only what changed. A
 * header in JSON, a line for each directory, a line for each path that a link depends on; both parts sorted. Text, because a person should be able to look at it.
 *
 * It is a cache: it stands only while the listings are whole (a run takes it away before it publishes and
 * writes it anew afterwards), and whatever looks wrong about it means that the next run rebuilds all.
 */
import { concat } from "@std/bytes/concat";
import { fromHref, toHref } from "../../formats/names.ts";
import { type Listing, renderHtml, renderJson } from "../../formats/listing.ts";
import { isGone } from "./read.ts";
import { Table } from "./table.ts";
import type { Totals } from "./records.ts";

/** What is known of a directory. `hash` is 0 where it must be looked at again. */
export interface DirState extends Totals {
  hash: number;
}

/** The state of a repository's listings. */
export interface State {
  /** A line for each directory, see {@linkcode dirLine}. */
  dirs: Table;
  /** `lookup link` in percent-encoded form: the link depends on what stands at the lookup. */
  lookups: Table;
}

/** The key of a directory: its percent-encoded path, `/` for the root, which no other path begins with. */
export const dirKey = (path: string) => toHref(path) || "/";

/** A directory as a line. */
export function dirLine(path: string, { hash, bytes, mtime, files, dirs }: DirState): string {
  return `${dirKey(path)} ${hash.toString(36)} ${bytes} ${mtime} ${files} ${dirs}`;
}

/** A directory's path and state from its line. */
export function readDirLine(line: string): [string, DirState] {
  const [path, hash, bytes, mtime, files, dirs] = line.split(" ");
  return [path === "/" ? "" : path.includes("%") ? fromHref(path) : path, {
    hash: parseInt(hash, 36),
    bytes: Number(bytes),
    mtime: Number(mtime),
    files: Number(files),
    dirs: Number(dirs),
  }];
}

/** All directories by raw path. */
export function allDirs({ dirs }: State): Map<string, DirState> {
  return new Map(dirs.all().map(readDirLine));
}

/** What must be the same as when the state was written, or it means nothing. */
export interface Circumstances {
  /** Directories of other repositories inside this one. */
  closed: string[];
  /** The folder of the listings. */
  indexes: string;
}

/** A listing that holds everything, to notice that listings look different since an update of mirrorkit. */
const SAMPLE: Listing = {
  v: 1,
  path: "/a b/ä/",
  bytes: 1,
  mtime: 1e9,
  files: 1,
  dirs: 1,
  entries: [
    { name: "d<10/", bytes: 1, mtime: 1e9, files: 1, dirs: 0 },
    { name: "f\n", bytes: 99999, mtime: 1e9 },
    { name: "l", bytes: 0, mtime: 1e9, target: "..", dir: true },
    { name: "l2", bytes: 0, mtime: 1e9, target: "x:y", broken: true, href: "%FF" },
  ],
};

/**
 * One text that changes with everything that makes the state stale. The id of the boot is in it because
 * nothing is synced to the disk: after a crash of the machine a listing may be empty (ext4(5), delayed
 * allocation), so that the first run after each boot compares every listing.
 */
function fingerprint({ closed, indexes }: Circumstances): string {
  let boot = "";
  try {
    boot = Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
  } catch { /* without /proc it is the same on every boot */ }
  const root = Deno.lstatSync(`${indexes}/index.json`);
  const look = hashOf(encoder.encode(renderJson(SAMPLE) + renderHtml(SAMPLE)));
  return JSON.stringify([boot, look, closed, root.ino, root.size, root.mtime?.getTime()]);
}

const VERSION = 2;
const encoder = new TextEncoder();

/**
 * Notices damage: FNV-1a over words. zlib has a CRC, but loading it takes longer than all else here, and
 * byte by byte takes four times as long.
 */
function hashOf(bytes: Uint8Array): number {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const words = new Int32Array(aligned.buffer, aligned.byteOffset, bytes.length >> 2);
  let hash = 0x811c9dc5 ^ bytes.length;
  for (let i = 0; i < words.length; i++) {
    hash = Math.imul(hash ^ words[i], 0x01000193);
    hash ^= hash >>> 15;
  }
  for (let i = words.length * 4; i < bytes.length; i++) {
    hash = Math.imul(hash ^ bytes[i], 0x01000193);
  }
  return hash >>> 0;
}

/** The state in a file, or `undefined` where there is none, or it is stale or damaged. */
export function readState(path: string, now: Circumstances): State | undefined {
  try {
    const bytes = Deno.readFileSync(path);
    const start = bytes.indexOf(10) + 1, body = bytes.subarray(start);
    const head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, start)));
    const good = head.v === VERSION && head.bytes === body.length &&
      head.fingerprint === fingerprint(now) && head.hash === hashOf(body);
    if (!good) return undefined;
    return {
      dirs: new Table(body.subarray(0, head.dirBytes)),
      lookups: new Table(body.subarray(head.dirBytes)),
    };
  } catch (error) {
    if (isGone(error) || error instanceof SyntaxError || error instanceof URIError) {
      return undefined;
    }
    throw error;
  }
}

/** Takes the state away: from now on the listings are not what it says. */
export function removeState(path: string) {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** Writes the state, whole or not at all. */
export function writeState(path: string, state: State, now: Circumstances) {
  const dirs = concat(state.dirs.pieces()), body = concat([dirs, ...state.lookups.pieces()]);
  const head = JSON.stringify({
    v: VERSION,
    fingerprint: fingerprint(now),
    bytes: body.length,
    dirBytes: dirs.length,
    hash: hashOf(body),
  });
  // With a body that begins at a whole word, its hash needs no copy of it.
  const start = encoder.encode(head.padEnd(Math.ceil((head.length + 1) / 4) * 4 - 1) + "\n");
  const beside = path + ".new";
  const file = Deno.openSync(beside, { write: true, create: true, truncate: true });
  try {
    for (const part of [start, body]) {
      for (let at = 0; at < part.length;) at += file.writeSync(part.subarray(at));
    }
  } finally {
    file.close();
  }
  Deno.renameSync(beside, path);
}
