/** What can be read from an entry's line without decoding it: loops over bytes, for all rows at once. */
import { type Kept, NAME_AT } from "./kept.ts";

const QUOTE = 34, BACKSLASH = 92, SLASH = 47, MINUS = 45, ZERO = 48, COLON = 58, BRACE = 125;

/**
 * Where an entry's name ends (its closing quote), or -1 where it holds what is not plain: an escape or
 * a byte beyond ASCII. Such a name is decoded to be looked at; hardly any is.
 */
export function plainNameEnd(buffer: Uint8Array, start: number): number {
  for (let at = start + NAME_AT;; at++) {
    const byte = buffer[at];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH || byte < 32 || byte > 126 || byte === undefined) return -1;
  }
}

/** True for a directory: its name ends in a slash. (JSON escapes no slash.) */
export function isDirAt(kept: Kept, i: number): boolean {
  const buffer = kept.segment(i), end = plainNameEnd(buffer, kept.start(i));
  return end < 0 ? kept.entry(i).name.endsWith("/") : buffer[end - 1] === SLASH;
}

/** How many of the entries are directories: they come first. */
export function countDirs(kept: Kept): number {
  let low = 0, high = kept.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isDirAt(kept, middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

const isDigit = (byte: number) => byte >= ZERO && byte < COLON;

/** Where a number ends. */
function skipNumber(buffer: Uint8Array, at: number): number {
  if (buffer[at] === MINUS) at++;
  while (isDigit(buffer[at])) at++;
  return at;
}

function numberAt(buffer: Uint8Array, at: number): number {
  const negative = buffer[at] === MINUS;
  let value = 0;
  for (let i = negative ? at + 1 : at; isDigit(buffer[i]); i++) {
    value = value * 10 + buffer[i] - ZERO;
  }
  return negative ? -value : value;
}

/** Length of `","bytes":` and of `,"mtime":`. */
const TO_BYTES = 10, TO_MTIME = 9;

/**
 * The length of an entry's name where it is plain and the entry no link; else -1. The two numbers behind
 * the name are followed by the entry's end, a directory's counts, or a link's target.
 */
export function plainNameLength(buffer: Uint8Array, start: number): number {
  const quote = plainNameEnd(buffer, start);
  if (quote < 0) return -1;
  const end = skipNumber(buffer, skipNumber(buffer, quote + TO_BYTES) + TO_MTIME);
  const name = quote - start - NAME_AT;
  return buffer[end] === BRACE || buffer[quote - 1] === SLASH ? name : -1;
}

/** Every entry's `bytes` or `mtime`; of a line only the two numbers are read. */
export function readNumbers(kept: Kept, field: "bytes" | "mtime"): Float64Array {
  const values = new Float64Array(kept.count);
  for (let i = 0; i < values.length; i++) {
    const buffer = kept.segment(i), quote = plainNameEnd(buffer, kept.start(i));
    const at = quote + TO_BYTES;
    if (quote < 0 || buffer[at - 1] !== COLON) values[i] = kept.entry(i)[field];
    else if (field === "bytes") values[i] = numberAt(buffer, at);
    else values[i] = numberAt(buffer, skipNumber(buffer, at) + TO_MTIME);
  }
  return values;
}
