/** Which rows are shown, and in which order: permutations and selections as arrays of entry numbers. */
import type { Kept } from "./kept.ts";
import { countDirs, readNumbers } from "./lines.ts";

/** `name` is the order of the listing itself: natural, directories first. */
export type SortKey = "name" | "bytes" | "mtime";

export interface Sort {
  key: SortKey;
  descending: boolean;
}

/**
 * Entry numbers in an order, directories first in each; undefined for the listing's own order. Equal
 * values stay in the order of names.
 */
export function sorted(kept: Kept, { key, descending }: Sort): Uint32Array | undefined {
  if (key === "name" && !descending) return undefined;
  const order = new Uint32Array(kept.count), dirs = countDirs(kept);
  for (let i = 0; i < order.length; i++) order[i] = i;
  const parts = [order.subarray(0, dirs), order.subarray(dirs)];
  if (key === "name") {
    for (const part of parts) part.reverse();
    return order;
  }
  const values = readNumbers(kept, key), sign = descending ? -1 : 1;
  for (const part of parts) part.sort((a, b) => sign * (values[a] - values[b]) || a - b);
  return order;
}
