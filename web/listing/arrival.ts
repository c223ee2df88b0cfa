/** Where in a listing a reader arrives: where they were before, at the name in the URL, or whence they came. */
import { readFragment } from "./address.ts";
import { findName } from "./filter.ts";
import type { Kept } from "./kept.ts";
import { textOf } from "../../formats/listing_view.ts";

/** What the history keeps of a page that was left: its first row, and the keyboard's. */
export interface Left {
  entry: number;
  offset: number;
  active: number;
}

/** Where to go. */
export type Goal = { left: Left } | { entry: number };

/** Waits until the row has come where a reader wants to be. */
export class Arrival {
  #left?: Left;
  #name: string;
  #looked = 0;
  /** True once it is known, or there is none. */
  done: boolean;

  constructor(left: unknown, hash: string, referrer: string, here: string) {
    const known = left as Partial<Left> | null;
    if (Number.isInteger(known?.entry)) this.#left = known as Left;
    this.#name = readFragment(hash) || childOf(referrer, here);
    this.done = !this.#left && this.#name === "";
  }

  /** The goal, if it has come; `sorted` where the rows are not in the listing's own order. */
  look(kept: Kept, sorted: boolean): Goal | undefined {
    if (this.done || sorted && !kept.complete) return undefined;
    if (this.#left) {
      const { entry, active } = this.#left;
      if (Math.max(entry, active) >= kept.count && !kept.complete) return undefined;
      this.done = true;
      return { left: this.#left };
    }
    const entry = findName(kept, this.#name, this.#looked);
    this.#looked = kept.count;
    this.done = entry >= 0 || kept.complete;
    return entry >= 0 ? { entry } : undefined;
  }
}

/** The child of the directory `here` that a reader comes up from. */
export function childOf(referrer: string, here: string): string {
  // (The first error that is thrown on a page takes a millisecond.)
  if (referrer === "") return "";
  try {
    const from = new URL(referrer), to = new URL(here);
    if (from.origin !== to.origin || !from.pathname.startsWith(to.pathname)) return "";
    const [child] = from.pathname.slice(to.pathname.length).split("/");
    return child && textOf(child) + "/";
  } catch {
    return "";
  }
}
