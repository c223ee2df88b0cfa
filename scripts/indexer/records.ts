/**
 * What find prints about files and links: `type depth TAB size TAB mtime TAB name / target NUL`. It is kept as
 * the bytes that came, and read only where a listing has to be made.
 */
import { fromBytes } from "../../formats/names.ts";

/** What a directory and all below it hold. */
export interface Totals {
  bytes: number;
  /** The newest file below; where there is none, the directory's own time. */
  mtime: number;
  files: number;
  dirs: number;
}

/** One file or link as find printed it. */
export interface Record {
  name: string;
  bytes: number;
  mtime: number;
  /** Raw target of a link. */
  target?: string;
}

export const TAB = 9, SLASH = 47;
export const FILE = 102, LINK = 108, DIRECTORY = 100;
/** The first and last second that a listing can print with four digits of year. */
const FIRST = -62_167_219_200, LAST = 253_402_300_799;

/** A decimal number at a place. */
export function parseNumber(bytes: Uint8Array, from: number): number {
  const negative = bytes[from] === 45;
  let i = negative ? from + 1 : from, n = 0;
  for (let c = bytes[i]; c >= 48 && c <= 57; c = bytes[++i]) n = n * 10 + c - 48;
  if (!negative) return n;
  // Whole seconds are rounded down, as stat(1) does: -1.5 is in second -2.
  const fraction = bytes[i] === 46 && !/^0*$/.test(fromBytes(bytes.subarray(i + 1, i + 10)));
  return fraction ? -n - 1 : -n;
}

/** The next `byte` from a place, as an index. */
export function after(bytes: Uint8Array, byte: number, from: number): number {
  while (bytes[from] !== byte) from++;
  return from + 1;
}

const clamp = (second: number) => Math.min(LAST, Math.max(FIRST, second));

/** The second of a time at a place. */
export const parseTime = (bytes: Uint8Array, from: number) => clamp(parseNumber(bytes, from));

/** The second that a file's time lies in, as find prints it and listings show it. */
export const toSecond = (time: Date | null) => clamp(Math.floor((time?.getTime() ?? 0) / 1000));

const decoder = new TextDecoder();

/** All of it as a string if it is ASCII, as nearly everything is: names are then slices of it. */
function ascii(bytes: Uint8Array): string | undefined {
  const text = decoder.decode(bytes);
  return /[^\0-\x7f]/.test(text) ? undefined : text;
}

/** The files and links in what a walk kept of a directory. */
export function readRecords(parts: Uint8Array[]): Record[] {
  const records: Record[] = [];
  for (const part of parts) {
    const text = ascii(part);
    const string = (from: number, to: number) =>
      text === undefined ? fromBytes(part.subarray(from, to)) : text.slice(from, to);
    for (let at = 0; at < part.length;) {
      const type = part[at];
      const size = after(part, TAB, at), time = after(part, TAB, size);
      const name = after(part, TAB, time), target = after(part, SLASH, name);
      const end = part.indexOf(0, target);
      const record: Record = {
        name: string(name, target - 1),
        bytes: parseNumber(part, size),
        mtime: parseTime(part, time),
      };
      if (type === LINK) record.target = string(target, end);
      records.push(record);
      at = end + 1;
    }
  }
  return records;
}

/** What the files in what a walk kept of a directory come to; the time is -Infinity where there is none. */
export function sumRecords(parts: Uint8Array[]): Omit<Totals, "dirs"> {
  const sum = { bytes: 0, mtime: -Infinity, files: 0 };
  for (const part of parts) {
    for (let at = 0, end = part.indexOf(0); end >= 0; at = end + 1, end = part.indexOf(0, at)) {
      if (part[at] !== FILE) continue;
      const size = after(part, TAB, at);
      sum.bytes += parseNumber(part, size);
      sum.mtime = Math.max(sum.mtime, parseTime(part, after(part, TAB, size)));
      sum.files++;
    }
  }
  return sum;
}
