/**
 * Finds names as a reader types: every word must stand somewhere in the name, capitals or not. It
 * compares bytes; a name that is not plain ASCII, or a word that is not, is decoded first.
 */
import type { Kept } from "./kept.ts";
import { NAME_AT } from "./kept.ts";
import { plainNameEnd } from "./lines.ts";
import { toDisplay } from "../../formats/names.ts";

const QUOTE = 34, BACKSLASH = 92;

/** The words of a filter, in lower case. */
export const words = (text: string): string[] =>
  text.normalize("NFC").toLowerCase().split(/\s+/).filter((word) => word !== "");

const lower = (byte: number) => byte >= 65 && byte <= 90 ? byte + 32 : byte;
const upper = (byte: number) => byte >= 97 && byte <= 122 ? byte - 32 : byte;

/** Each byte's small letter. */
const LOWER = Uint8Array.from({ length: 256 }, (_, byte) => lower(byte));

/** A name as the filter compares it. */
const comparable = (name: string) => toDisplay(name).normalize("NFC").toLowerCase();

/**
 * The entries among `rows` (all, where it is undefined) whose names hold `word`, in the same order.
 * `word` is in lower case.
 */
export function filterWord(kept: Kept, rows: Uint32Array | undefined, word: string): Uint32Array {
  const total = rows?.length ?? kept.count, found = new Uint32Array(total);
  const bytes = new TextEncoder().encode(word), meaning = meanings(bytes[0]);
  const plain = /^[\x20-\x7e]*$/.test(word) && !/["\\]/.test(word);
  const { segments, starts, bits } = kept.raw, mask = (1 << bits) - 1;
  let n = 0;
  for (let k = 0; k < total; k++) {
    const i = rows ? rows[k] : k, at = starts[i];
    const match = plain
      ? inName(segments[at >>> bits], (at & mask) + NAME_AT, bytes, meaning)
      : undefined;
    if (match ?? inDecoded(kept, i, word, plain)) found[n++] = i;
  }
  return found.slice(0, n);
}

/** What a byte of a name means to the search: nothing, the word may begin, the name ends, or it must be decoded. */
const BEGINS = 1, ENDS = 2, ENCODED = 3;

/** What each byte means for a word that begins with `first`. One look a byte takes half the time of comparing. */
function meanings(first: number): Uint8Array {
  const meaning = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) if (byte < 32 || byte > 126) meaning[byte] = ENCODED;
  meaning[BACKSLASH] = ENCODED;
  meaning[first] = meaning[upper(first)] = BEGINS;
  meaning[QUOTE] = ENDS;
  return meaning;
}

/** True if the word stands in the name; undefined where bytes alone don't tell. */
function inName(
  buffer: Uint8Array,
  start: number,
  word: Uint8Array,
  meaning: Uint8Array,
): boolean | undefined {
  for (let at = start;; at++) {
    let what: number;
    // (So small that most of the search is spent in it.)
    while ((what = meaning[buffer[at]]) === 0) at++;
    if (what !== BEGINS) return what === ENDS ? false : undefined;
    let k = 1;
    // A closing quote is no letter of a plain word, so no match reaches beyond the name.
    while (k < word.length && LOWER[buffer[at + k]] === word[k]) k++;
    if (k === word.length) return true;
  }
}

function inDecoded(kept: Kept, i: number, word: string, plainWord: boolean): boolean {
  // A name of ASCII alone cannot hold a word that is not; one with a quote or backslash is escaped.
  if (!plainWord && !/["\\]/.test(word) && plainNameEnd(kept.segment(i), kept.start(i)) >= 0) {
    return false;
  }
  return comparable(kept.entry(i).name).includes(word);
}

/** The position among `rows` of the first name that starts with `prefix`, from `from` on and around. */
export function findPrefix(
  kept: Kept,
  rows: Uint32Array | undefined,
  prefix: string,
  from: number,
): number {
  const total = rows?.length ?? kept.count, word = prefix.normalize("NFC").toLowerCase();
  const bytes = new TextEncoder().encode(word);
  for (let step = 0; step < total; step++) {
    const k = (from + step) % total, i = rows ? rows[k] : k;
    const buffer = kept.segment(i), start = kept.start(i) + NAME_AT;
    let at = 0;
    while (at < bytes.length && LOWER[buffer[start + at]] === bytes[at]) at++;
    if (at === bytes.length) return k;
    const byte = buffer[start + at];
    if ((byte === BACKSLASH || byte > 126) && comparable(kept.entry(i).name).startsWith(word)) {
      return k;
    }
  }
  return -1;
}

/** The first entries, `most` of them, whose names start with a word of ASCII in lower case. */
export function findPrefixes(kept: Kept, word: string, most: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < kept.count && found.length < most; i++) {
    const buffer = kept.segment(i), start = kept.start(i) + NAME_AT;
    let at = 0;
    while (at < word.length && LOWER[buffer[start + at]] === word.charCodeAt(at)) at++;
    if (at === word.length) found.push(i);
  }
  return found;
}

/** The number of the entry with exactly this name (a directory's with its slash or without), or -1. */
export function findName(kept: Kept, name: string, from = 0): number {
  const wanted = new TextEncoder().encode(JSON.stringify(name).slice(1, -1));
  for (let i = from; i < kept.count; i++) {
    const buffer = kept.segment(i), start = kept.start(i) + NAME_AT;
    let at = 0;
    while (at < wanted.length && buffer[start + at] === wanted[at]) at++;
    if (at < wanted.length) continue;
    const end = buffer[start + at];
    if (end === QUOTE || end === 47 && buffer[start + at + 1] === QUOTE) return i;
  }
  return -1;
}
