/**
 * The scroll bar of a list that is taller than browsers lay out (some stop at 17 million pixels, and
 * divide that by the screen's density). The track is what the browser scrolls, at most {@linkcode LIMIT}
 * tall; the content is as tall as it is. Small steps move the content by as much as the track, so that
 * wheel, touch and keys feel as everywhere; jumps go to the place in proportion; and at rest the track is
 * put where it belongs, while the content stays.
 */

/** Safe everywhere, at four times the density too. */
export const LIMIT = 6_000_000;

/** How content and track relate. Lengths in CSS pixels; a position is where the view begins. */
export class Track {
  /** What the browser lays out. */
  readonly height: number;
  /** The last positions of the view. */
  readonly #track: number;
  readonly #content: number;
  /** Up to here from either end, track and content are equal: nobody scrolls that far without a rest. */
  readonly #edge: number;

  constructor(content: number, view: number, limit = LIMIT) {
    this.height = Math.min(content, limit);
    this.#track = Math.max(0, this.height - view);
    this.#content = Math.max(0, content - view);
    this.#edge = this.#track / 4;
  }

  get #stretched(): boolean {
    return this.#content > this.#track;
  }

  get #ratio(): number {
    return (this.#content - 2 * this.#edge) / (this.#track - 2 * this.#edge);
  }

  /** Where in the content the view is, for a position on the track. */
  toContent(s: number): number {
    if (!this.#stretched || s <= this.#edge) return s;
    if (s >= this.#track - this.#edge) return s + this.#content - this.#track;
    return this.#edge + (s - this.#edge) * this.#ratio;
  }

  /** The reverse of {@linkcode toContent}. */
  toTrack(y: number): number {
    if (!this.#stretched || y <= this.#edge) return y;
    if (y >= this.#content - this.#edge) return y + this.#track - this.#content;
    return this.#edge + (y - this.#edge) / this.#ratio;
  }

  /** Where the content is after the track moved from `last.s` to `s`. */
  follow(last: Place, s: number, view: number): Place {
    if (!this.#stretched) return { s, y: s };
    if (Math.abs(s - last.s) > 2 * view) return { s, y: this.toContent(s) };
    return { s, y: last.y + s - last.s };
  }

  /** True if the view has left either end of one, but not of the other, or is about to. */
  strays({ s, y }: Place, view: number): boolean {
    const off = (a: number, b: number) => Math.abs(a - b) > 0.5;
    const low = s < view || y < view;
    const high = s > this.#track - view || y > this.#content - view;
    return low && off(s, y) || high && off(this.#track - s, this.#content - y);
  }
}

/** A place: on the track, and in the content. */
export interface Place {
  s: number;
  y: number;
}
