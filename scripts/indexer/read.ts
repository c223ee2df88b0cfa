/** What stands on the disk; of a published index.json no more than is asked for. */
import { type Entry, type FileEntry, hrefOf, isDir, isLink } from "../../formats/listing.ts";
import { fromHref } from "../../formats/names.ts";
import type { Totals } from "./records.ts";

/** True if an error says that there is no such file. */
export const isGone = (error: unknown) =>
  error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;

/** True for a directory, not for a link to one. */
export function isDirectory(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** Removes what stands there, with all below it. */
export function removeTree(path: string) {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** The bytes of a file, or `undefined` where there is none. */
export function readBytes(path: string): Uint8Array | undefined {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Memory for one file at a time. To be given fresh memory takes longer than to read a file into some. */
export class Room {
  private bytes = new Uint8Array();

  /** So much of it; what was in it is gone. */
  private take(length: number): Uint8Array<ArrayBuffer> {
    if (this.bytes.length < length) this.bytes = new Uint8Array(length + (length >> 2));
    return this.bytes.subarray(0, length);
  }

  /** {@linkcode readBytes} into it. */
  read(path: string): Uint8Array | undefined {
    try {
      using file = Deno.openSync(path);
      const bytes = this.take(file.statSync().size);
      let at = 0;
      for (let n; at < bytes.length && (n = file.readSync(bytes.subarray(at))) !== null;) at += n;
      return bytes.subarray(0, at);
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  /** Some pieces, one after the other. */
  join(pieces: Uint8Array[]): Uint8Array<ArrayBuffer> {
    const whole = this.take(pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }
}

/** The text of a listing, or `undefined` where there is none. */
export function readListing(path: string): string | undefined {
  const bytes = readBytes(path);
  return bytes && new TextDecoder().decode(bytes);
}

/** The totals in a listing's first line, or `undefined` where there is none. */
export function readHead(path: string): Totals | undefined {
  const text = readListing(path);
  if (text === undefined) return undefined;
  try {
    const { bytes, mtime, files, dirs } = JSON.parse(text.slice(0, text.indexOf("\n")) + "]}");
    return { bytes, mtime, files, dirs };
  } catch {
    return undefined;
  }
}

/** A file whose name needs no escape in any form: reading these with JSON.parse takes thrice as long. */
const PLAIN_FILE = /^\{"name":"([\w.+~@=,:-]+)","bytes":(\d+),"mtime":(-?\d+)\},?$/;

/** Finds the files with these raw names in a listing. */
export function readRows(
  path: string,
  names: { has(name: string): boolean },
  found: (name: string, file: FileEntry) => void,
) {
  const text = readListing(path);
  if (text === undefined) return;
  for (const line of text.split("\n").slice(1, -2)) {
    const plain = PLAIN_FILE.exec(line);
    if (plain) {
      const [, name, bytes, mtime] = plain;
      if (names.has(name)) found(name, { name, bytes: Number(bytes), mtime: Number(mtime) });
      continue;
    }
    const entry = JSON.parse(line.endsWith(",") ? line.slice(0, -1) : line) as Entry;
    if (isDir(entry) || isLink(entry)) continue;
    const name = fromHref(hrefOf(entry));
    if (names.has(name)) found(name, entry);
  }
}
