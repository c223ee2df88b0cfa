/**
 * What was added to a log since it was read last, rotation survived: a file is known by its inode, and
 * the one before is looked for beside it (`mirror.log.1`) until it has been read to its end.
 */
import { basename, dirname, join } from "@std/path/posix";
import type { Cursor } from "../../formats/traffic.ts";

const CHUNK = 256 * 1024;
/** A longer line is no line of ours; it is counted as one that was not understood. */
const MAX_LINE = 64 * 1024;

/** Reads whole lines from an offset to the end; gives the offset behind the last of them. */
async function readLines(
  path: string,
  inode: number,
  from: number,
  onLine: (line: string) => void,
): Promise<number> {
  using file = await Deno.open(path);
  // Between looking and opening it may have been rotated: then the next run finds it.
  if ((await file.stat()).ino !== inode) return from;
  await file.seek(from, Deno.SeekMode.Start);
  const buffer = new Uint8Array(CHUNK), decoder = new TextDecoder();
  let rest = new Uint8Array(0), at = from;
  for (let n; (n = await file.read(buffer)) !== null;) {
    const bytes = new Uint8Array(rest.length + n);
    bytes.set(rest);
    bytes.set(buffer.subarray(0, n), rest.length);
    const end = bytes.lastIndexOf(10) + 1;
    if (end > 0) {
      for (const line of decoder.decode(bytes.subarray(0, end - 1)).split("\n")) onLine(line);
    }
    at += end;
    rest = bytes.slice(end);
    if (rest.length > MAX_LINE) {
      onLine("");
      at += rest.length;
      rest = new Uint8Array(0);
    }
  }
  return at;
}

const statOf = (path: string) => Deno.stat(path).catch(() => undefined);

/** Where a file with an inode is now, among a log and what rotation made of it. */
async function findInode(path: string, inode: number): Promise<string | undefined> {
  if ((await statOf(path))?.ino === inode) return path;
  const folder = dirname(path), name = basename(path);
  for await (const entry of Deno.readDir(folder)) {
    // A compressed one is another file, with another inode.
    if (!entry.name.startsWith(name) || entry.name === name) continue;
    if ((await statOf(join(folder, entry.name)))?.ino === inode) return join(folder, entry.name);
  }
  return undefined;
}

/**
 * Reads what is new in a log, by where it was read to. Gives where it is read to now: the log, and the one
 * before as long as it is there, since a server may write to it for a while after a rotation.
 */
export async function readNew(
  path: string,
  cursors: Cursor[],
  onLine: (line: string) => void,
): Promise<Cursor[]> {
  const now = await statOf(path), known = cursors.find((c) => c.inode === now?.ino);
  const read: Cursor[] = [];
  for (const cursor of cursors.filter((c) => c !== known)) {
    const old = await findInode(path, cursor.inode).catch(() => undefined);
    if (old === undefined) continue;
    const offset = await readLines(old, cursor.inode, cursor.offset, onLine);
    read.push({ inode: cursor.inode, offset });
  }
  if (!now || now.ino === null) return read.slice(-1);
  // Shorter than what was read: it was emptied in place (logrotate's copytruncate).
  const from = known && known.offset <= now.size ? known.offset : 0;
  const current = { inode: now.ino, offset: await readLines(path, now.ino, from, onLine) };
  return [...read.slice(-1), current];
}
