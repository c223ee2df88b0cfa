/** The keys of the page around the rows: which command each stands for. */
import type { Pressed } from "./keys.ts";

export type Command = "filter" | "find" | "help" | "parent" | "all" | "copy" | "escape";

/** Where the keyboard is, and what there is. */
export interface Situation {
  /** In a field where one writes. */
  writing: boolean;
  /** Rows are selected, or the keyboard is at one. */
  atRows: boolean;
  selected: boolean;
  /** Text is marked: to copy means to copy it. */
  marked: boolean;
  /** More rows than the page holds: the browser's own search would miss them. */
  beyond: boolean;
}

/** The command that a key stands for, or undefined where it is none of ours. */
export function commandOf(pressed: Pressed, at: Situation): Command | undefined {
  const { key, altKey } = pressed, control = pressed.ctrlKey || pressed.metaKey;
  if (key === "Escape") return "escape";
  if (control && !altKey && key.toLowerCase() === "f") {
    return at.beyond && !at.writing ? "find" : undefined;
  }
  if (at.writing) return undefined;
  if (altKey) return key === "ArrowUp" ? "parent" : undefined;
  if (control) {
    if (key.toLowerCase() === "a" && at.atRows) return "all";
    return key.toLowerCase() === "c" && at.selected && !at.marked ? "copy" : undefined;
  }
  if (key === "Backspace") return "parent";
  return key === "/" ? "filter" : key === "?" ? "help" : undefined;
}
