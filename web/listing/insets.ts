/** What sticks to the edges of the view and hides rows there: measured, as text wraps. */
import type { ReactiveController, ReactiveElement } from "lit";

/** Heights in CSS pixels. */
export interface Inset {
  top: number;
  bottom: number;
}

/**
 * Watches the tools above the rows and the bar below them. Who scrolls asks; nothing is rendered anew, least
 * of all while the first rows are.
 */
export class Insets implements ReactiveController {
  readonly value: Inset = { top: 0, bottom: 0 };
  #observer = new ResizeObserver(() => this.#measure());
  #watched = new Set<Element>();

  constructor(private host: ReactiveElement) {
    host.addController(this);
  }

  hostDisconnected() {
    this.#observer.disconnect();
  }

  hostUpdated() {
    for (const element of this.#elements()) {
      if (element && !this.#watched.has(element)) this.#observer.observe(element);
      if (element) this.#watched.add(element);
    }
  }

  #elements(): (HTMLElement | null)[] {
    return [".tools", ".top", "selection-bar"].map((part) =>
      this.host.querySelector<HTMLElement>(part)
    );
  }

  #measure() {
    const elements = this.#elements();
    const [tools, head, bar] = elements.map((e) => e?.getBoundingClientRect().height ?? 0);
    // The head of the columns sticks below the tools.
    elements[1]?.style.setProperty("inset-block-start", `${tools}px`);
    Object.assign(this.value, { top: tools + head, bottom: bar });
  }
}
