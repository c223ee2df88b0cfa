/** What the keys mean in a listing, apart from any screen. */

/** What matters of a key that was pressed. */
export interface Pressed {
  key: string;
  ctrlKey?: boolean;
  metaKey?: boolean;
  altKey?: boolean;
  shiftKey?: boolean;
}

/** Where the keyboard's place moves: so many rows or pages, or to an end. */
export type Move = { rows: number } | { pages: number } | "first" | "last";

const MOVES: Record<string, Move> = {
  ArrowDown: { rows: 1 },
  ArrowUp: { rows: -1 },
  PageDown: { pages: 1 },
  PageUp: { pages: -1 },
  Home: "first",
  End: "last",
};

/** The move that a key means. */
export function moveOf({ key, ctrlKey, metaKey, altKey }: Pressed): Move | undefined {
  return metaKey || altKey || ctrlKey && key !== "Home" && key !== "End" ? undefined : MOVES[key];
}

/** The position that a move leads to. Nothing is active at -1: the first step is to the first in view. */
export function moved(
  move: Move,
  from: number,
  { count, page, shown }: { count: number; page: number; shown: number },
): number {
  if (move === "first") return 0;
  if (move === "last") return count - 1;
  if (from < 0) return Math.min(shown, count - 1);
  const by = "rows" in move ? move.rows : move.pages * page;
  return Math.max(0, Math.min(count - 1, from + by));
}

/** Characters typed one after another are the start of a name; after a pause, a new one. */
export class TypeAhead {
  text = "";
  #last = -Infinity;

  constructor(private pauseMs = 1000) {}

  /** Something else was done: the next character begins a name. */
  end(): void {
    this.#last = -Infinity;
  }

  /**
   * The start of the name typed so far, or undefined for a key that is none. The same letter again and
   * again steps through the names that begin with it.
   */
  type({ key, ctrlKey, metaKey, altKey }: Pressed, now: number): string | undefined {
    const fresh = now - this.#last > this.pauseMs;
    if (ctrlKey || metaKey || altKey || [...key].length !== 1) return undefined;
    // A space selects, and hardly any name on a mirror has one.
    if (key === " " || fresh && (key === "/" || key === "?")) return undefined;
    this.text = fresh || this.text === key ? key : this.text + key;
    this.#last = now;
    return this.text;
  }
}
