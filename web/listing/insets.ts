/** What sticks to the edges of the view and hides rows there: measured, as text wraps. */
import type { LitElement, ReactiveController } from "lit";

/** Heights in CSS pixels. */
export interface Inset {
  top: number;
  bottom: number;
}

/** Watches the tools above the rows and the bar below them. */
export class Insets implements ReactiveController {
  value: Inset = { top: 0, bottom: 0 };
  #observer = new ResizeObserver(() => this.#measure());
  #watched = new Set<Element>();

  constructor(private host: LitElement) {
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

  #elements() {
    const root = this.host.renderRoot;
    const rows = root.querySelector("listing-rows")?.shadowRoot;
    return [
      root.querySelector(".tools"),
      rows?.querySelector(".top"),
      root.querySelector("selection-bar"),
    ];
  }

  #measure() {
    const [tools, head, bar] = this.#elements().map((e) => e?.getBoundingClientRect().height ?? 0);
    this.host.style.setProperty("--stuck", `${tools}px`);
    if (this.value.top === tools + head && this.value.bottom === bar) return;
    this.value = { top: tools + head, bottom: bar };
    this.host.requestUpdate();
  }
}
