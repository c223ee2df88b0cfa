/** The rows that are elements now: each keeps its element, and so the focus, as long as it is shown. */
import { render } from "lit";
import { language } from "../base/language.ts";
import { rowTemplate } from "./row-template.ts";
import type { RowState } from "./row-template.ts";
import type { Row } from "./view.ts";

export class RowWindow {
  #elements = new Map<number, HTMLElement>();

  /** Shows rows in `space`, in this order, and no others. */
  show(space: HTMLElement, rows: Iterable<[() => Row, RowState]>): void {
    const before = this.#elements;
    this.#elements = new Map();
    let next = space.firstElementChild;
    for (const [read, state] of rows) {
      const known = before.get(state.entry), element = known ?? document.createElement("div");
      before.delete(state.entry);
      this.#elements.set(state.entry, element);
      if (element === next) next = next.nextElementSibling;
      else space.insertBefore(element, next);
      // While rows come in, those that are shown stay as they are.
      const { style, index, selected, active, stop } = state;
      const drawn = [style, index, selected, active, stop, language()].join();
      if (element.dataset.drawn === drawn) continue;
      element.dataset.drawn = drawn;
      const row = read();
      element.setAttribute("role", "row");
      element.setAttribute("aria-rowindex", String(index));
      element.setAttribute("aria-selected", String(selected));
      element.dataset.entry = String(state.entry);
      const link = row.target === undefined ? "" : " link";
      element.className = `row ${row.kind}${link}${active ? " active" : ""}`;
      element.style.cssText = style;
      render(rowTemplate(row, state), element);
    }
    for (const element of before.values()) element.remove();
  }

  /** Forgets all. */
  clear(): void {
    for (const element of this.#elements.values()) element.remove();
    this.#elements.clear();
  }
}
