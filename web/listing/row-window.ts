/** The rows that are elements now: each keeps its element, and so the focus, as long as it is shown. */
import { language } from "../base/language.ts";
import { addBox, blankRow, fillRow, type RowState } from "./row-element.ts";
import type { Row } from "../../formats/listing_view.ts";

export class RowWindow {
  #elements: Map<number, HTMLElement>;

  /** `space` holds the rows that the page came with. */
  constructor(private space: HTMLElement) {
    const rows = [...space.children as Iterable<HTMLElement>];
    this.#elements = new Map(rows.map((row) => [Number(row.dataset.entry), row]));
  }

  /**
   * Shows rows, in this order, and no others, with boxes to select them if those are wanted. Elements of rows that
   * went are used again.
   */
  show(rows: [() => Row, RowState][], boxes: boolean): void {
    const before = this.#elements;
    this.#elements = new Map();
    for (const [, { entry }] of rows) {
      const known = before.get(entry);
      if (known) this.#elements.set(entry, known);
      before.delete(entry);
    }
    // What has the focus must not become another row under a reader's hands.
    const spare = [...before.values()].filter((element) => !element.matches(":focus-within"));
    const unused = new Set<Element>(before.values());
    let next = this.space.firstElementChild;
    for (const [read, state] of rows) {
      const known = this.#elements.get(state.entry);
      // What stays is not moved for the sake of what goes.
      if (known) { while (next && unused.has(next)) next = next.nextElementSibling; }
      const element = known ?? spare.shift() ?? blankRow();
      unused.delete(element);
      this.#elements.set(state.entry, element);
      if (element === next) next = next.nextElementSibling;
      else this.space.insertBefore(element, next);
      // While rows come in, those that are shown stay as they are.
      const { entry, style, index, selected, active, stop } = state;
      const drawn = [entry, style, index, selected, active, stop, language(), boxes].join();
      if (element.dataset.drawn === drawn) continue;
      if (boxes && !element.querySelector("input")) addBox(element);
      element.dataset.drawn = drawn;
      fillRow(element, read(), state);
    }
    for (const element of unused) element.remove();
  }

  /** Forgets all. */
  clear(): void {
    for (const element of this.#elements.values()) element.remove();
    this.#elements.clear();
  }
}
