/** A row of what stands how: repositories, nodes. Words for the server's HTML and the browser alike. */
import type { Key, Translate, Values } from "./messages.ts";
import { relative } from "./moments.ts";
import { formatTime } from "./units.ts";

/** How something stands; each has its own shape, word and colour: none tells by colour alone. */
export type Badge = "fresh" | "stale" | "failed" | "initial";

/** A cell: its text, and what a tooltip says exactly. */
export interface Cell {
  /** The heading of its column. */
  key: Key;
  /** What stands in the heading's message. */
  values?: Values;
  text: string;
  exact?: string;
  /** ISO 8601 for `<time>`. */
  datetime?: string;
}

/** One of them in words. */
export interface StateRow {
  name: string;
  href?: string;
  badge: Badge;
  state: string;
  /** Why it stands so; empty where there is nothing to explain. */
  reason: string;
  cells: Cell[];
}

/** What stands where nothing is known. */
export const UNKNOWN = "–";

/** The rows without the columns of which nothing is known in any row. */
export const withoutEmpty = (rows: StateRow[]): StateRow[] =>
  rows.map((row) => ({
    ...row,
    cells: row.cells.filter((_, i) => rows.some(({ cells }) => cells[i].text !== UNKNOWN)),
  }));

/** A cell that says when something was or will be. */
export function moment(key: Key, at: number | null, now: number, t: Translate): Cell {
  if (at === null) return { key, text: UNKNOWN };
  return { key, text: relative(at, now, t), exact: formatTime(at), datetime: formatTime(at) };
}
