/** Which rows a listing shows: all, those that the filter leaves, sorted; with as little work as can be. */
import type { Address } from "./address.ts";
import { filterWord, words } from "./filter.ts";
import type { Kept } from "./kept.ts";
import { sorted } from "./order.ts";

/** Keeps the last answer, so that the next one costs what has changed. */
export class Shown {
  /** Entry numbers in the order shown; undefined for all as they are. */
  rows: Uint32Array | undefined;
  #kept?: Kept;
  #sort = "";
  #order: Uint32Array | undefined;
  #filter = "";
  /** What the filter found, in the listing's own order. */
  #found: Uint32Array | undefined;
  /** What was found for each text on the way to the filter, for who takes a character back. */
  #way: [filter: string, found: Uint32Array][] = [];
  /** Entries that the filter has seen. */
  #seen = 0;

  /** Says what is shown now. A listing is sorted once it is complete; until then it is as it comes. */
  update(kept: Kept, { sort, filter }: Address): Uint32Array | undefined {
    const by = kept.complete ? `${sort.key} ${sort.descending}` : "";
    const other = kept !== this.#kept, ordered = other || by !== this.#sort;
    const wanted = words(filter).join(" ");
    if (ordered) this.#order = by ? sorted(kept, sort) : undefined;
    if (other) this.#filter = "";
    const found = this.#find(kept, wanted), same = !ordered && found === this.#found;
    if (!same || !found) this.rows = found ? inOrder(this.#order, found, kept.count) : this.#order;
    [this.#kept, this.#sort, this.#filter] = [kept, by, wanted];
    [this.#found, this.#seen] = [found, kept.count];
    return this.rows;
  }

  /**
   * The search goes through the listing as it stands in memory: that is several times as fast as from one
   * end of it to the other.
   */
  #find(kept: Kept, wanted: string): Uint32Array | undefined {
    if (kept !== this.#kept || kept.count !== this.#seen) this.#way = [];
    if (wanted === "") return undefined;
    if (wanted === this.#filter) return this.#extended(kept, wanted);
    this.#way = this.#way.filter(([before]) => wanted.startsWith(before));
    const [before, found] = this.#way.at(-1) ?? [];
    if (before === wanted) return found;
    // Who types on looks for some of what was found: every word of before begins one of now.
    const now = search(kept, found, wanted)!;
    this.#way.push([wanted, now]);
    return now;
  }

  /** With the entries that came since. */
  #extended(kept: Kept, wanted: string): Uint32Array {
    const before = this.#found!;
    if (this.#seen === kept.count) return before;
    const fresh = Uint32Array.from({ length: kept.count - this.#seen }, (_, i) => this.#seen + i);
    const more = search(kept, fresh, wanted)!;
    const found = new Uint32Array(before.length + more.length);
    found.set(before);
    found.set(more, before.length);
    return found;
  }
}

/** Some entries in another order than the listing's own. */
function inOrder(order: Uint32Array | undefined, found: Uint32Array, count: number): Uint32Array {
  if (!order) return found;
  const wanted = new Uint8Array(count);
  for (const i of found) wanted[i] = 1;
  return order.filter((i) => wanted[i] === 1);
}

function search(kept: Kept, rows: Uint32Array | undefined, wanted: string) {
  for (const word of words(wanted)) rows = filterWord(kept, rows, word);
  return rows;
}
