/**
 * How tall rows are, and so where each stands, for any number of them. Names are set in a font whose
 * characters are equally wide and may break anywhere, so how many lines a name takes follows from its
 * length: no row is laid out to be measured, and long names can be read in full on a phone.
 */
import { toDisplay } from "../../formats/names.ts";
import { isLink } from "../../formats/listing.ts";
import { ARROW } from "../../formats/listing_view.ts";
import type { Kept } from "./kept.ts";
import { plainNameLength } from "./lines.ts";

/** How rows are set. Lengths in CSS pixels. */
export interface Metrics {
  /** What a row has besides the lines of its name. */
  base: number;
  /** One line of a name. */
  line: number;
  /** Characters that fit on a line. */
  columns: number;
  /** True if the arrow of a link is as wide as any other character, as in nearly all such fonts. */
  narrow?: boolean;
}

/** Bytes of an entry's line that are not its name: `{"name":"","bytes":0,"mtime":0},` and line end. */
const SHORTEST = 33;

/** Positions whose lines are added up together: a power of two. */
const BLOCK = 128;

/**
 * How many characters of a text's width it takes at most: wide ones (CJK) count twice, emoji thrice, as
 * fonts that stand in for the chosen one are wider.
 */
export function cells(text: string): number {
  let n = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    n += code < 0x80 ? 1 : code < 0x10000 ? 2 : 3;
  }
  return n;
}

/** Lines of a text on a row, which may be more than it needs, never fewer. */
export function linesOf(text: string, columns: number): number {
  const n = cells(text);
  // A wide character that does not fit leaves room on its line.
  const room = n === text.length ? columns : Math.max(3, columns - 2);
  return Math.max(1, Math.ceil(n / room));
}

/** Lines of an entry on a row. */
export function entryLines(kept: Kept, i: number, { columns, narrow }: Metrics): number {
  if (kept.span(i) - SHORTEST <= columns) return 1;
  const plain = plainNameLength(kept.segment(i), kept.start(i));
  if (plain >= 0) return Math.ceil(plain / columns);
  const entry = kept.entry(i);
  const name = toDisplay(entry.name);
  if (!isLink(entry)) return linesOf(name, columns);
  const arrow = narrow ? "   " : ARROW;
  return linesOf(name + (entry.dir ? "/" : "") + arrow + toDisplay(entry.target), columns);
}

/** Where each of some rows stands. */
export class Heights {
  count = 0;
  /** Lines before each block beyond one a row. */
  #extra = new Float64Array(64);
  /** Lines beyond one a row, in all. */
  #sum = 0;

  /** `rows` are entry numbers in the order shown; undefined for all, as they are. */
  constructor(
    readonly kept: Kept,
    readonly rows: Uint32Array | undefined,
    readonly metrics: Metrics,
  ) {
    this.extend();
  }

  /** Takes in the entries that came since. */
  extend(): void {
    const count = this.rows?.length ?? this.kept.count;
    const blocks = Math.ceil(count / BLOCK) + 1;
    if (blocks > this.#extra.length) {
      const longer = new Float64Array(blocks * 2);
      longer.set(this.#extra);
      this.#extra = longer;
    }
    const { starts } = this.kept.raw, known = this.kept.count - 1;
    const short = this.metrics.columns + SHORTEST;
    let sum = this.#sum;
    for (let k = this.count; k < count; k++) {
      if (k % BLOCK === 0) this.#extra[k / BLOCK] = sum;
      const i = this.rows ? this.rows[k] : k;
      // Nearly all are so short that they need no look.
      if (i < known && starts[i + 1] - starts[i] <= short) continue;
      sum += this.lines(k) - 1;
    }
    this.#sum = sum;
    this.count = count;
  }

  /** The entry at a position. */
  entryAt(position: number): number {
    return this.rows ? this.rows[position] : position;
  }

  lines(position: number): number {
    return entryLines(this.kept, this.entryAt(position), this.metrics);
  }

  height(position: number): number {
    return this.metrics.base + this.lines(position) * this.metrics.line;
  }

  /** The height of all rows. */
  get total(): number {
    return this.count * (this.metrics.base + this.metrics.line) + this.#sum * this.metrics.line;
  }

  #blockTop(block: number): number {
    const { base, line } = this.metrics;
    return block * BLOCK * (base + line) + this.#extra[block] * line;
  }

  /** Where a row begins. */
  top(position: number): number {
    const block = Math.floor(position / BLOCK);
    let top = this.#blockTop(block);
    for (let k = block * BLOCK; k < position; k++) top += this.height(k);
    return top;
  }

  /** The position of the row at `y`; the first or the last where it is beyond. */
  at(y: number): number {
    let low = 0, high = Math.max(0, Math.ceil(this.count / BLOCK) - 1);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#blockTop(middle) <= y) low = middle;
      else high = middle - 1;
    }
    let position = low * BLOCK, top = this.#blockTop(low);
    while (position < this.count - 1) {
      top += this.height(position);
      if (top > y) break;
      position++;
    }
    return position;
  }
}
