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
  /** Entries that the filter has seen. */
  #seen = 0;

  /** Says what is shown now. A listing is sorted once it is complete; until then it is as it comes. */
  update(kept: Kept, { sort, filter }: Address): Uint32Array | undefined {
    const by = kept.complete ? `${sort.key} ${sort.descending}` : "";
    const anew = kept !== this.#kept || by !== this.#sort;
    if (anew) this.#order = by ? sorted(kept, sort) : undefined;
    const wanted = words(filter).join(" ");
    if (wanted === "") this.rows = this.#order;
    else if (!anew && wanted === this.#filter) this.#extend(kept, wanted);
    // Who types on looks for some of what was found: every word of before begins one of now.
    else if (
      !anew && this.#seen === kept.count && this.#filter && wanted.startsWith(this.#filter)
    ) {
      this.rows = search(kept, this.rows, wanted);
    } else this.rows = search(kept, this.#order, wanted);
    [this.#kept, this.#sort, this.#filter, this.#seen] = [kept, by, wanted, kept.count];
    return this.rows;
  }

  /** Looks through the entries that came since. */
  #extend(kept: Kept, wanted: string) {
    if (this.#seen === kept.count) return;
    const fresh = Uint32Array.from({ length: kept.count - this.#seen }, (_, i) => this.#seen + i);
    const more = search(kept, fresh, wanted)!, before = this.rows!;
    const rows = new Uint32Array(before.length + more.length);
    rows.set(before);
    rows.set(more, before.length);
    this.rows = rows;
  }
}

function search(kept: Kept, rows: Uint32Array | undefined, wanted: string) {
  for (const word of words(wanted)) rows = filterWord(kept, rows, word);
  return rows;
}
