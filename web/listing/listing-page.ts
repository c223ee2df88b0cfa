import { html, nothing, type PropertyValues, ReactiveElement, render } from "lit";
import { customElement, state } from "lit/decorators.js";
import { language, t, Translated } from "../base/language.ts";
import type { FileEntry } from "../../formats/listing.ts";
import { totalsOf } from "../../formats/listing_view.ts";
import { type Address, readAddress, writeAddress } from "./address.ts";
import { Arrival, type Left } from "./arrival.ts";
import { filterWord } from "./filter.ts";
import { Insets } from "./insets.ts";
import "./listing-rows.ts";
import type { Chosen, ListingRows } from "./listing-rows.ts";
import { pressKey } from "./keyboard.ts";
import { idle, later } from "./later.ts";
import { Loader } from "./load.ts";
import type { SortKey } from "./order.ts";
import * as parts from "./page-templates.ts";
import { findReadme } from "./readme.ts";
import { Shown } from "./shown.ts";
import { Selection } from "./selection.ts";

/** While rows come in, they are shown anew at most so often. */
const EVERY_MS = 1000;

/** After the last key in the filter, the URL follows. */
const URL_MS = 300;

/**
 * The page of a directory. It holds what is true of it (what came, how it is sorted, what is selected) and
 * hands that down; its parts tell what a reader did by events. It goes on with the elements that the page came
 * with (index.html, server/first.ts), so nothing that is read or has the focus goes away.
 *
 * @element listing-page
 */
@customElement("listing-page")
export class ListingPage extends ReactiveElement {
  /** How it is sorted and filtered. */
  @state()
  accessor address: Address = readAddress(location.search);
  /** What is open: the hint of the filter, the help, the preview of an entry. */
  @state()
  accessor open: { hint?: boolean; help?: boolean; peek?: number } = {};
  /** Counts what came and what was selected: a change is a new number. */
  @state()
  accessor version = 0;

  readonly selection = new Selection();
  private _begun = Promise.withResolvers<void>();
  loader = new Loader("?format=json", () => this._came());
  private _shown = new Shown();
  private _arrival = new Arrival(history.state, location.hash, document.referrer, location.href);
  private _gone?: AbortController;
  private _timer?: ReturnType<typeof setTimeout>;
  private _urlTimer?: ReturnType<typeof setTimeout>;
  private _shownAt = -Infinity;
  /** What the mirror calls itself. */
  private _name = "";
  private _phase = "";
  private _readme?: FileEntry;
  /** What is said around the rows is the script's own. */
  private _ours = false;
  /** Where a range begins. */
  private _anchor = 0;
  protected translated = new Translated(this);
  protected insets: Insets = new Insets(this);

  protected override createRenderRoot() {
    return this;
  }

  override connectedCallback() {
    super.connectedCallback();
    history.scrollRestoration = "manual";
    this._name = this.querySelector(".crumbs a")?.textContent ?? location.host;
    document.title = parts.title(this._name, location.pathname);
    this._listen();
    this.loader.run();
  }

  private _listen() {
    this._gone = new AbortController();
    const { list } = this, { signal } = this._gone;
    document.addEventListener("keydown", (event) => {
      this._begun.resolve();
      pressKey(this, event);
    }, { signal });
    this.addEventListener("click", (event) => this._click(event), { signal });
    addEventListener("online", () => this.loader.again(), { signal });
    addEventListener("hashchange", () => {
      this._arrival = new Arrival(null, location.hash, "", location.href);
      this._arrive();
    }, { signal });
    const on = <T>(type: string, act: (detail: T) => void) =>
      list.addEventListener(type, (event) => act((event as CustomEvent<T>).detail), { signal });
    on<SortKey>("listing-sort", (key) => this._sort(key));
    on<Chosen>("listing-select", (chosen) => this._select(chosen));
    on<number>("listing-peek", (peek) => this.open = { peek });
    on("listing-rest", () => this._rested());
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this._gone?.abort();
  }

  get list(): ListingRows {
    return this.querySelector("listing-rows")!;
  }

  get field(): HTMLInputElement | null {
    return this.querySelector("[name=filter]");
  }

  get kept() {
    return this.loader.kept;
  }

  /** What the page came with is enough until there are rows, something else is to be said, or a reader wants more. */
  protected override async scheduleUpdate() {
    await this._begun.promise;
    super.scheduleUpdate();
  }

  /** More came: the first rows are shown at once, later ones now and then. */
  private _came() {
    const { phase, kept } = this.loader;
    if (kept.count > 0 || phase !== "loading") this._begun.resolve();
    if (phase !== this._phase) return this._show();
    if (kept.count === 0) return;
    const wait = this._shownAt + EVERY_MS - performance.now();
    if (wait <= 0) this._show();
    else this._timer ??= setTimeout(() => this._show(), wait);
  }

  private _show() {
    clearTimeout(this._timer);
    this._timer = undefined;
    // What is shown before there are rows makes the first of them wait for no more than its frame.
    if (this.kept.count > 0) this._shownAt = performance.now();
    const { phase } = this.loader, changed = phase !== this._phase;
    this._phase = phase;
    this.version++;
    if (changed) {
      this.updateComplete.then(() => this.list.updateComplete).then(() => {
        performance.mark(`listing-${phase}`);
        if (phase === "complete") this._rest();
      });
    }
    if (!this._arrival.done) this.updateComplete.then(() => this._arrive());
  }

  /**
   * What the rows need not wait for: the README, and the filter, which is compiled while nothing else is to be
   * done, so that the first key does not wait for that.
   */
  private async _rest() {
    await idle();
    this._readme = findReadme(this.kept);
    if (this._readme) {
      import("./readme-text.ts");
      this.requestUpdate();
    }
    const some = Uint32Array.from({ length: Math.min(20_000, this.kept.count) }, (_, i) => i);
    const end = this.kept.count ? this.kept.entry(0).name.slice(-2) : "~~";
    await later();
    for (const word of ["~~", end, "~~", end]) {
      await idle();
      filterWord(this.kept, some, word);
    }
  }

  private _arrive() {
    const goal = this._arrival.look(this.kept, writeAddress(this.address) !== "");
    if (!goal) return;
    if ("entry" in goal) return this.list.activate(this.list.positionOf(goal.entry));
    this.list.active = goal.left.active;
    this.list.showAgain(goal.left.entry, goal.left.offset);
  }

  /** The history keeps where the reader was. */
  private _rested() {
    if (!this._arrival.done) return;
    const left: Left = { ...this.list.firstShown(), active: this.list.active };
    history.replaceState(left, "");
  }

  /** Sorts or filters, and says so in the URL. */
  private _go(address: Partial<Address>) {
    this._begun.resolve();
    this.address = { ...this.address, ...address };
    clearTimeout(this._urlTimer);
    this._urlTimer = setTimeout(() => {
      const url = location.pathname + writeAddress(this.address) + location.hash;
      history.replaceState(history.state, "", url);
    }, URL_MS);
  }

  /** Shows the rows whose names hold these words. */
  filter(text: string): void {
    this._go({ filter: text });
    this.list.toStart();
  }

  private _sort(key: SortKey) {
    const { sort } = this.address;
    // The first click on a number shows what is large or new.
    const descending = sort.key === key ? !sort.descending : key !== "name";
    this._go({ sort: { key, descending } });
    this.list.toStart();
  }

  private _select({ position, how }: Chosen) {
    const { selection, list } = this, entry = list.entryAt(position);
    if (how === "range") {
      const [from, to] = [this._anchor, position].sort((a, b) => a - b);
      for (let k = from; k <= to; k++) selection.set(list.entryAt(k), true);
    } else {
      const on = how === "only"
        ? selection.size !== 1 || !selection.has(entry)
        : !selection.has(entry);
      if (how === "only") selection.clear();
      selection.set(entry, on);
      this._anchor = position;
    }
    this.version++;
  }

  /** Selects all rows that are shown. */
  selectAll(): void {
    for (let k = 0; k < this.list.count; k++) this.selection.set(this.list.entryAt(k), true);
    this.version++;
  }

  deselect(): void {
    this.selection.clear();
    this.version++;
  }

  override willUpdate(changed: PropertyValues<this>) {
    if (changed.has("version") || changed.has("address")) {
      this._shown.update(this.kept, this.address);
    }
    if (this.open.peek !== undefined) import("./file-peek.ts");
    if (this.open.help) import("./key-help.ts");
    if (this.selection.size > 0) import("./selection-bar.ts");
  }

  override update(changed: PropertyValues<this>) {
    super.update(changed);
    const { kept, address, selection, list } = this, { rows } = this._shown;
    const around = this.querySelector<HTMLElement>(".around")!;
    if (!this._stays(around)) this._around(around);
    render(this._tools(), this.querySelector<HTMLElement>(".tools")!, { host: this });
    list.model = { kept, rows, selection, sort: address.sort, inset: this.insets.value };
    render(this._below(), this.querySelector("main")!, { host: this });
    render(this._above(), this, { host: this });
  }

  /** What the page came with stays as long as it says what is known. */
  private _stays(around: HTMLElement): boolean {
    const { head } = this.kept;
    return !this._ours && around.firstElementChild !== null && (!head ||
      document.documentElement.lang === language() && !this._readme &&
        around.querySelector(".summary")!.textContent === totalsOf(head, t));
  }

  private _around(around: HTMLElement) {
    if (!this._ours) around.replaceChildren();
    this._ours = true;
    const { loader, _name: name, _readme: readme } = this, { pathname } = location;
    render([parts.crumbs(name, pathname), parts.summary(loader, pathname, readme)], around);
  }

  private _tools() {
    const { loader, address, open } = this;
    return html`
      ${parts.search(loader, address.filter, this._shown.rows?.length, open.hint, {
        type: (event) => this.filter((event.target as HTMLInputElement).value),
        leave: () => this.open.hint && (this.open = {}),
        help: () => this.open = { help: true },
      })}
      ${parts.trouble(loader)}
    `;
  }

  /** What stands below the rows. */
  private _below() {
    const { loader, address, _readme: readme } = this, found = this._shown.rows?.length;
    return html`
      ${parts.nothingThere(loader, address.filter, found, () => this.filter(""))}
      ${readme ? html`<readme-text .entry=${readme}></readme-text>` : nothing}
    `;
  }

  /** What comes in front of all when it is asked for. */
  private _above() {
    const { kept, selection, version, open } = this;
    return html`
      ${selection.size === 0 ? nothing : html`
        <selection-bar
          .kept=${kept}
          .selection=${selection}
          .version=${version}
          @listing-deselect=${this.deselect}
        ></selection-bar>
      `}
      ${open.peek === undefined
        ? nothing
        : html`<file-peek .entry=${kept.entry(open.peek)} @close=${this._close}></file-peek>`}
      ${open.help ? html`<key-help @close=${this._close}></key-help>` : nothing}
    `;
  }

  /** A dialog was closed: the keyboard goes on where it was. */
  private _close() {
    this.open = {};
    if (this.list.active >= 0) this.list.activate(this.list.positionOf(this.list.active));
  }

  private _click(event: Event) {
    if (!(event.target as Element).closest(".skip")) return;
    event.preventDefault();
    this.list.activate(0);
  }
}
