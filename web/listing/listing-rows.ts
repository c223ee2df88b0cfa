import { html, nothing, type PropertyValues, ReactiveElement, render } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { t, Translated } from "../base/language.ts";
import { findPrefix } from "./filter.ts";
import { Heights, type Metrics } from "./heights.ts";
import type { Inset } from "./insets.ts";
import type { Kept } from "./kept.ts";
import { later } from "./later.ts";
import { moved, moveOf, TypeAhead } from "./keys.ts";
import type { Sort, SortKey } from "./order.ts";
import { measureRows } from "./ruler.ts";
import { RowWindow } from "./row-window.ts";
import { Scroller } from "./scroller.ts";
import type { Selection } from "./selection.ts";
import { rowsOf } from "./visible.ts";

/** So many rows are printed: a few hundred pages. */
const PRINTED = 10_000;

/** How a row is selected: alone, besides others, or all from the last one to it. */
type How = "only" | "toggle" | "range";

/** A row that was selected. */
export interface Chosen {
  position: number;
  how: How;
}

/** What is shown, as the page says it. */
export interface RowsModel {
  kept: Kept;
  /** Entry numbers in the order shown; undefined for all as they are. */
  rows: Uint32Array | undefined;
  sort: Sort;
  selection: Selection;
  /** What sticks to the edges of the view. */
  inset: Inset;
}

/**
 * The rows of a listing: a window of them that follows the page's own scroll bar, whatever their number.
 *
 * @element listing-rows
 * @fires listing-sort - `detail` is the key of the column
 * @fires listing-select - `detail` is `{ position, how }`
 * @fires listing-peek - `detail` is the entry to look into
 * @fires listing-rest - the view came to rest
 */
@customElement("listing-rows")
export class ListingRows extends ReactiveElement {
  /** Not there until the page has said it. */
  @property({ attribute: false })
  accessor model!: RowsModel;

  /** The entry that the keyboard is at, or -1. */
  @state()
  accessor active = -1;
  @state()
  accessor metrics!: Metrics;
  printing = false;

  protected translated = new Translated(this);
  private _scroller = new Scroller(
    this,
    () => this._space,
    () => document.querySelectorAll(".around, .tools"),
    () => this.dispatchEvent(new CustomEvent("listing-rest")),
  );
  private _window!: RowWindow;
  private _heights?: Heights;
  private _typed = new TypeAhead();
  private _focus = false;
  private _boxes = false;
  private _later?: Promise<void>;
  private _gone?: AbortController;
  private _resized = new ResizeObserver(() => this._measure());

  protected override createRenderRoot() {
    return this;
  }

  override connectedCallback() {
    super.connectedCallback();
    this._window = new RowWindow(this._space);
    // Nothing was changed yet since the page was laid out, or that is not done twice for this.
    this.metrics = measureRows(this._ruler);
    this._resized.observe(this._ruler);
    // Who came to one of its rows with the keyboard goes on from there.
    const { entry } = document.activeElement?.closest<HTMLElement>("[data-entry]")?.dataset ?? {};
    if (entry) this.active = Number(entry);
    this._gone = new AbortController();
    const { signal } = this._gone, grid = this._grid;
    addEventListener("beforeprint", () => this._print(true), { signal });
    addEventListener("afterprint", () => this._print(false), { signal });
    grid.addEventListener("click", (event) => this._click(event), { signal });
    grid.addEventListener("focusin", (event) => this._focusIn(event), { signal });
    grid.addEventListener("pointerover", (event) => {
      this._near(event, event.pointerType === "mouse");
    }, { signal });
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this._gone?.abort();
    this._resized.disconnect();
  }

  private get _ruler(): HTMLElement {
    return this.querySelector(".sizer b")!;
  }

  private get _grid(): HTMLElement {
    return this.querySelector("[role=grid]")!;
  }

  private get _space(): HTMLElement {
    return this.querySelector(".rows")!;
  }

  /** How many rows there are; those that the page came with are not counted. */
  get count(): number {
    return this.model?.rows?.length ?? this.model?.kept.count ?? 0;
  }

  entryAt(position: number): number {
    return this.model.rows ? this.model.rows[position] : position;
  }

  /** Where an entry stands among the rows, or -1. */
  positionOf(entry: number): number {
    return this.model.rows
      ? this.model.rows.indexOf(entry)
      : entry < this.model.kept.count
      ? entry
      : -1;
  }

  /** Rows are measured anew where their width or their font is another. */
  private _measure() {
    const metrics = measureRows(this._ruler);
    if (JSON.stringify(metrics) === JSON.stringify(this.metrics)) return;
    const first = this.firstShown();
    this.metrics = metrics;
    if (first.entry > 0) this.showAgain(first.entry, first.offset);
  }

  override shouldUpdate() {
    return this.model !== undefined;
  }

  override willUpdate(changed: PropertyValues<this>) {
    const { kept, rows } = this.model, known = this._heights;
    if (known && !changed.has("metrics") && known.kept === kept && known.rows === rows) {
      known.extend();
    } else {
      // Another listing: nothing of what is shown is its.
      if (known && known.kept !== kept) this._window.clear();
      this._heights = new Heights(kept, rows, this.metrics);
    }
    this._scroller.measure(this._heights!.total);
  }

  /** The entry of the first row below what covers the view's upper edge, and how far it is scrolled out. */
  firstShown(inset = 0): { entry: number; offset: number } {
    const y = this._scroller.place.y + inset;
    if (!this._heights || this.count === 0 || this._scroller.place.y <= 0) {
      return { entry: -1, offset: 0 };
    }
    const position = this._heights.at(y);
    return { entry: this.entryAt(position), offset: y - this._heights.top(position) };
  }

  /** Shows an entry where {@linkcode firstShown} found it. */
  async showAgain(entry: number, offset: number) {
    await this.updateComplete;
    const position = this.positionOf(entry);
    if (position < 0 || !this._heights) return;
    this._scroller.to(this._heights.top(position) + offset);
  }

  /** Scrolls as little as needed to have a row in view, or to its middle where it was far away. */
  private _reveal(position: number) {
    const { y } = this._scroller.place, view = innerHeight, heights = this._heights!;
    const top = heights.top(position) - this.model.inset.top;
    const low = heights.top(position) + heights.height(position) + this.model.inset.bottom - view;
    const far = Math.abs(top - y) > 2 * view;
    const end = position === 0 || position === this.count - 1;
    if (top < y || low > y) this._scroller.to(far && !end ? (top + low) / 2 : top < y ? top : low);
    // What stands above the rows belongs to the first of them.
    if (position === 0) scrollTo(0, 0);
  }

  /** Shows the first row, where it was scrolled out of the view. */
  async toStart() {
    await this.updateComplete;
    const top = -(this.model?.inset.top ?? 0);
    if (this._scroller.place.y > top) this._scroller.to(top);
  }

  /** Makes a row the keyboard's, and shows it. */
  async activate(position: number, { focus = true } = {}) {
    await this.updateComplete;
    if (position < 0 || position >= this.count || !this._heights) return;
    this.active = this.entryAt(position);
    this._focus = focus;
    this._reveal(position);
  }

  /** Takes a key that was pressed on the page; true if it was one of ours. */
  press(event: KeyboardEvent): boolean {
    if (this.count === 0 || !this._heights) return false;
    const from = this.active < 0 ? -1 : this.positionOf(this.active);
    const move = moveOf(event);
    if (move) {
      this._typed.end();
      const room = innerHeight - this.model.inset.top - this.model.inset.bottom;
      const page = Math.max(1, Math.floor(room / (this.metrics!.base + this.metrics!.line)) - 1);
      const shown = Math.max(0, this.positionOf(this.firstShown(this.model.inset.top).entry));
      const to = moved(move, from, { count: this.count, page, shown });
      this.activate(to);
      if (event.shiftKey) this._select(to, "range");
      return true;
    }
    const typed = this._typed.type(event, performance.now());
    if (typed !== undefined) {
      const again = typed.length === 1 ? from + 1 : Math.max(0, from);
      this.activate(findPrefix(this.model.kept, this.model.rows, typed, again));
      return true;
    }
    if (from < 0) return false;
    if (event.key === " ") this._select(from, event.shiftKey ? "range" : "toggle");
    else if (event.key === "ArrowRight") this._peek(this.active);
    else return false;
    return true;
  }

  private _select(position: number, how: How) {
    const detail: Chosen = { position, how };
    this.dispatchEvent(new CustomEvent("listing-select", { detail }));
  }

  private _peek(entry: number) {
    this.dispatchEvent(new CustomEvent("listing-peek", { detail: entry }));
  }

  private _click(event: MouseEvent) {
    const target = event.target as HTMLElement;
    const entry = Number(target.closest<HTMLElement>("[data-entry]")?.dataset.entry ?? -1);
    const key = target.closest<HTMLElement>("[data-sort]")?.dataset.sort as SortKey | undefined;
    if (key) this.dispatchEvent(new CustomEvent("listing-sort", { detail: key }));
    // (Rows that the page came with can only be followed, until the listing has come.)
    if (entry < 0 || this.count === 0 || target.closest("a[href]")) return;
    if (target.matches(".peek")) return this._peek(entry);
    // Who marks a name in order to copy it does not mean the row.
    if (String(getSelection()) !== "") return;
    this.active = entry;
    const box = target.matches("input");
    const many = event.ctrlKey || event.metaKey || box;
    this._select(this.positionOf(entry), event.shiftKey ? "range" : many ? "toggle" : "only");
  }

  /** A link that gets the focus by mouse or by a screen reader is where the keyboard goes on. */
  private _focusIn(event: Event) {
    const row = (event.target as HTMLElement).closest<HTMLElement>("[data-entry]");
    if (row) this.active = Number(row.dataset.entry);
    this._near(event, false);
  }

  /** (Outside of this element, one does not hear that the pointer went from one row to another.) */
  private async _near(event: Event, mouse: boolean) {
    const target = event.target as HTMLElement, click = mouse && target.closest("a") !== null;
    // (Where that cannot be had, as without a connection, nothing is lost but tooltips.)
    const near = await import("./near.ts").catch(() => undefined);
    const row = target.closest<HTMLElement>("[data-entry]"), entry = Number(row?.dataset.entry);
    // (One that the page came with may be ahead of the listing.)
    const known = entry < this.model?.kept.count ? this.model.kept.entry(entry) : undefined;
    near?.comeNear(row, known, click);
  }

  private _print(printing: boolean) {
    this.printing = printing;
    this.requestUpdate();
    this.performUpdate();
  }

  /** Once the first rows are painted, they get their boxes; later ones have them at once. */
  private async _addBoxes() {
    await later();
    this._boxes = true;
    this.requestUpdate();
  }

  /** The rows to show. */
  private _rows() {
    const { active, printing, _scroller: { place, view } } = this,
      { inset, selection } = this.model;
    return rowsOf({
      heights: this._heights!,
      place,
      view,
      covered: inset.top,
      active,
      activeAt: active < 0 ? -1 : this.positionOf(active),
      selection,
      printed: printing ? PRINTED : undefined,
    });
  }

  override update(changed: PropertyValues<this>) {
    super.update(changed);
    const { kept, sort } = this.model, grid = this._grid;
    if (kept.count > 0) {
      grid.parentElement!.classList.toggle("dirs", kept.entry(0).name.endsWith("/"));
    }
    grid.ariaBusy = `${!kept.complete}`;
    grid.ariaRowCount = `${kept.complete ? this.count + 1 : -1}`;
    const order = sort.descending ? "descending" : "ascending";
    for (const button of grid.querySelectorAll<HTMLElement>("[data-sort]")) {
      button.parentElement!.ariaSort = button.dataset.sort === sort.key ? order : "none";
    }
    const more = this.printing && this.count > PRINTED;
    render(
      more ? html`<p>${t("listing.printed", { n: PRINTED, all: this.count })}</p>` : nothing,
      this,
    );
  }

  override updated() {
    const { kept } = this.model;
    // The rows that the page came with stay until others have come.
    if (kept.count === 0 && !kept.complete) return;
    const rows = this._rows();
    this._space.style.height = `${this._scroller.track.height}px`;
    this._window.show(rows, this._boxes);
    this.querySelector(".more")?.remove();
    if (rows.length > 0) this._later ??= this._addBoxes();
    if (!this._focus) return;
    this._focus = false;
    const row = this.querySelector(`[data-entry="${this.active}"] a`);
    (row as HTMLElement | null)?.focus({ preventScroll: true });
  }
}
