/**
 * A listing as its bytes: `index.json` is kept as it arrived, with the place where each entry's line
 * starts, and an entry is decoded when somebody looks at it. So 300,000 entries cost what they weigh on
 * the wire and 4 bytes each, and no byte is read twice however long the listing is.
 */
import type { Entry, ListingHead } from "../../formats/listing.ts";

/** Bytes stand in segments of this size; no line stands in two of them. */
const SEGMENT_BITS = 20;
const SEGMENT = 1 << SEGMENT_BITS;

const NEWLINE = 10, QUOTE = 34, COMMA = 44, BRACE = 123, BRACKET = 93;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** So many bytes an entry's line has at least: `{"name":"x","bytes":0,"mtime":0}`. */
const SHORTEST = 32;

/** What stands before the name on an entry's line: `{"name":"`. */
export const NAME_AT = 9;

/** The bytes of one line: `buffer[start]` to `buffer[end - 1]`, without comma and line end. */
export interface Line {
  buffer: Uint8Array;
  start: number;
  end: number;
}

/** The bytes of a listing, and where its entries are. */
export class Kept {
  /** The directory's own line; undefined until it came. */
  head?: ListingHead;
  /** Entries whose line has come whole. */
  count = 0;
  /** True once the closing line came. A stream that ends without it was cut. */
  complete = false;
  /** Bytes that came. */
  bytes = 0;

  #segments = [new Uint8Array(SEGMENT)];
  /** Of the last segment: what is filled, and where the line begins that is not complete. */
  #used = 0;
  #open = 0;
  #starts = new Uint32Array(1024);

  /** Takes the next piece of the stream. Throws where it cannot be a listing. */
  push(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    while (chunk.length > 0) {
      const segment = this.#segments.at(-1)!;
      const part = chunk.subarray(0, SEGMENT - this.#used);
      segment.set(part, this.#used);
      const from = this.#used;
      this.#used += part.length;
      this.#split(segment, from);
      chunk = chunk.subarray(part.length);
      if (chunk.length > 0) this.#next(segment);
    }
  }

  /** Finds the lines that end in what is new. What cannot be the end of an entry's is not looked at. */
  #split(segment: Uint8Array, from: number) {
    const base = (this.#segments.length - 1) * SEGMENT, filled = segment.subarray(0, this.#used);
    for (let at = from;;) {
      if (this.head && segment[this.#open] === BRACE) at = Math.max(at, this.#open + SHORTEST);
      // Cold as it is, the browser's own search is five times as fast as a loop.
      at = filled.indexOf(NEWLINE, at);
      if (at < 0) return;
      this.#line(segment, base, at++);
      this.#open = at;
    }
  }

  #line(segment: Uint8Array, base: number, end: number) {
    const first = segment[this.#open];
    if (this.head === undefined) this.#readHead(segment.subarray(this.#open, end));
    else if (this.complete) throw new Error("this is no listing: it goes on behind its end");
    else if (first === BRACKET) this.complete = true;
    else if (first !== BRACE || segment[this.#open + NAME_AT - 1] !== QUOTE) {
      throw new Error("this is no listing: a line is none of an entry");
    } else {
      if (this.count === this.#starts.length) {
        const longer = new Uint32Array(this.count * 2);
        longer.set(this.#starts);
        this.#starts = longer;
      }
      this.#starts[this.count++] = base + this.#open;
    }
  }

  #readHead(line: Uint8Array) {
    const text = decoder.decode(line);
    const closed = text.endsWith("]}");
    const { entries, ...head } = JSON.parse(closed ? text : text + "]}");
    if (head.v !== 1) throw new Error(`this listing has version ${head.v}, known is 1`);
    if (entries.length > 0) throw new Error("this is no listing: entries stand on the first line");
    this.complete = closed;
    this.head = head;
  }

  /** Goes on in a new segment, and takes the line that is not complete along. */
  #next(segment: Uint8Array) {
    if (this.#open === 0) throw new Error("this is no listing: a line has more than a mebibyte");
    const next = new Uint8Array(SEGMENT);
    next.set(segment.subarray(this.#open));
    this.#used = SEGMENT - this.#open;
    this.#open = 0;
    this.#segments.push(next);
  }

  /** For loops over all entries: the segments, and where each entry starts, as `index * SEGMENT + offset`. */
  get raw(): { segments: readonly Uint8Array[]; starts: Uint32Array; bits: number } {
    return { segments: this.#segments, starts: this.#starts, bits: SEGMENT_BITS };
  }

  /** The segment that holds an entry's line, for loops that read bytes of many entries. */
  segment(i: number): Uint8Array {
    return this.#segments[this.#starts[i] >>> SEGMENT_BITS];
  }

  /** Where an entry's line starts in its segment. */
  start(i: number): number {
    return this.#starts[i] & (SEGMENT - 1);
  }

  /** An upper bound for the bytes of an entry's line, without looking at them. */
  span(i: number): number {
    const start = this.#starts[i];
    const next = i + 1 < this.count ? this.#starts[i + 1] : Infinity;
    return next - start < SEGMENT / 2 ? next - start : this.line(i).end - this.start(i);
  }

  line(i: number): Line {
    const buffer = this.segment(i), start = this.start(i);
    const end = buffer.indexOf(NEWLINE, start);
    return { buffer, start, end: buffer[end - 1] === COMMA ? end - 1 : end };
  }

  /** An entry, decoded. One that is damaged leads nowhere. */
  entry(i: number): Entry {
    const { buffer, start, end } = this.line(i);
    try {
      return JSON.parse(decoder.decode(buffer.subarray(start, end)));
    } catch {
      return { name: "\ufffd", bytes: 0, mtime: 0, target: "", broken: true };
    }
  }
}
