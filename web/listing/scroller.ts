/** Follows the page's own scroll bar for an element that shows a part of something taller. */
import type { ReactiveController, ReactiveControllerHost } from "lit";
import { type Place, Track } from "./track.ts";

/** After the last movement for so long, the view is at rest. */
const REST_MS = 150;

/** Keeps what is in view; renders its host anew whenever that changes. */
export class Scroller implements ReactiveController {
  place: Place = { s: 0, y: 0 };
  track = new Track(0, 0);
  /** The height of the view, in CSS pixels. */
  view = 0;
  #timer?: ReturnType<typeof setTimeout>;
  #gone?: AbortController;

  #resized = new ResizeObserver(() => this.#look());

  /**
   * `space` is what stands in for the whole; of `above`, what stands above it, it depends where that begins; `rested` is
   * called at the end of a movement.
   */
  constructor(
    private host: ReactiveControllerHost,
    private space: () => HTMLElement,
    private above: () => Iterable<Element>,
    private rested: () => void,
  ) {
    host.addController(this);
  }

  hostConnected() {
    this.#gone = new AbortController();
    const { signal } = this.#gone;
    addEventListener("scroll", () => this.#scrolled(), { passive: true, signal });
    addEventListener("resize", () => this.#look(), { signal });
    this.#look();
    for (const element of this.above()) this.#resized.observe(element);
  }

  hostDisconnected() {
    this.#gone?.abort();
    this.#resized.disconnect();
    clearTimeout(this.#timer);
  }

  /** Looks where the whole begins, and how tall the view is, when that may have changed; best when all is laid out. */
  #look() {
    const s = this.#s;
    if (s === this.place.s && innerHeight === this.view) return;
    this.place = { s, y: this.place.y + s - this.place.s };
    this.view = innerHeight;
    this.host.requestUpdate();
  }

  /** Tells how tall the whole is. */
  measure(content: number): void {
    this.track = new Track(content, this.view);
  }

  get #s(): number {
    return -this.space().getBoundingClientRect().top;
  }

  #scrolled() {
    this.place = this.track.follow(this.place, this.#s, this.view);
    if (this.track.strays(this.place, this.view)) this.#settle();
    this.host.requestUpdate();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#settle();
      this.rested();
    }, REST_MS);
  }

  /** Puts the track where it belongs; what is in view stays. */
  #settle() {
    const { y } = this.place;
    this.#moveTrack(this.track.toTrack(y));
    if (Math.abs(this.place.s - this.#s) > 0.5) this.place = { s: this.#s, y };
    this.host.requestUpdate();
  }

  #moveTrack(s: number) {
    const by = s - this.#s;
    if (Math.abs(by) > 0.5) scrollBy({ top: by, behavior: "instant" });
  }

  /** Shows what is at `y` at the upper edge of the view, as far as there is something below. */
  to(y: number): void {
    this.#moveTrack(this.track.toTrack(y));
    // The browser may have stopped at an end, or at a whole pixel.
    const s = this.#s, reached = this.track.toTrack(y);
    this.place = { s, y: Math.abs(s - reached) < 1 ? y : this.track.toContent(s) };
    this.host.requestUpdate();
  }
}
