import { html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, state } from "lit/decorators.js";
import { t, Translated } from "../base/language.ts";
import type { FileEntry } from "../../formats/listing.ts";
import { type Address, readAddress, writeAddress } from "./address.ts";
import { Arrival, type Left } from "./arrival.ts";
import { filterWord } from "./filter.ts";
import { Insets } from "./insets.ts";
import "./listing-rows.ts";
import type { How, ListingRows } from "./listing-rows.ts";
import { idle, later } from "./later.ts";
import { Loader } from "./load.ts";
import type { SortKey } from "./order.ts";
import { pageStyles } from "./page-styles.ts";
import * as parts from "./page-templates.ts";
import { findReadme } from "./readme.ts";
import { type Command, commandOf } from "./shortcuts.ts";
import { Shown } from "./shown.ts";
import type { SelectionBar } from "./selection-bar.ts";
import { Selection } from "./selection.ts";

/** While rows come in, they are shown anew at most so often. */
const EVERY_MS = 1000;

/** After the last key in the filter, the URL follows. */
const URL_MS = 300;

/**
 * The page of a directory. It holds what is true of it (what came, how it is sorted, what is selected) and
 * hands that down; its parts tell what a reader did by events.
 *
 * @element listing-page
 */
@customElement("listing-page")
export class ListingPage extends LitElement {
  static override styles = pageStyles;

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
  loader = new Loader("?format=json", () => this._came());
  private _shown = new Shown();
  private _arrival = new Arrival(history.state, location.hash, document.referrer, location.href);
  private _gone?: AbortController;
  private _timer?: ReturnType<typeof setTimeout>;
  private _urlTimer?: ReturnType<typeof setTimeout>;
  private _shownAt = -Infinity;
  /** What the mirror calls itself. */
  private _name = "";
  private _waits = false;
  private _phase = "";
  private _readme?: FileEntry;
  /** Where a range begins. */
  private _anchor = 0;
  protected translated = new Translated(this);
  protected insets: Insets = new Insets(this);

  /**
   * The page comes with its first rows (server/first.ts). They stay until there are others to take their place, or
   * something else is to be said.
   */
  override connectedCallback() {
    history.scrollRestoration = "manual";
    this._name = this.querySelector(".crumbs a")?.textContent ?? location.host;
    document.title = parts.title(this._name, location.pathname);
    this._gone = new AbortController();
    this._waits = this.querySelector(".list") !== null;
    if (!this._waits) this._begin();
    document.addEventListener("keydown", (event) => this._key(event), {
      signal: this._gone.signal,
    });
    this.loader.run();
  }

  private _begin() {
    this._waits = false;
    this.replaceChildren();
    super.connectedCallback();
    const { signal } = this._gone!;
    addEventListener("online", () => this.loader.again(), { signal });
    addEventListener("hashchange", () => {
      this._arrival = new Arrival(null, location.hash, "", location.href);
      this._arrive();
    }, { signal });
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this._gone?.abort();
  }

  get list(): ListingRows {
    return this.renderRoot.querySelector("listing-rows")!;
  }

  get field(): HTMLInputElement {
    return this.renderRoot.querySelector("#filter")!;
  }

  get kept() {
    return this.loader.kept;
  }

  /** More came: the first rows are shown at once, later ones now and then. */
  private _came() {
    const { phase, kept } = this.loader;
    if (this._waits && (kept.count > 0 || phase !== "loading")) this._begin();
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
    this.address = { ...this.address, ...address };
    clearTimeout(this._urlTimer);
    this._urlTimer = setTimeout(() => {
      const url = location.pathname + writeAddress(this.address) + location.hash;
      history.replaceState(history.state, "", url);
    }, URL_MS);
  }

  private _filter(text: string) {
    this._go({ filter: text });
    this.list.toStart();
  }

  private _sort({ detail: key }: CustomEvent<SortKey>) {
    const { sort } = this.address;
    // The first click on a number shows what is large or new.
    const descending = sort.key === key ? !sort.descending : key !== "name";
    this._go({ sort: { key, descending } });
    this.list.toStart();
  }

  private _select({ detail: { position, how } }: CustomEvent<{ position: number; how: How }>) {
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

  private _clear = () => {
    this.selection.clear();
    this.version++;
  };

  private _key(event: KeyboardEvent) {
    const [target] = event.composedPath() as HTMLElement[];
    if (event.defaultPrevented || this.open.help || this.open.peek !== undefined) return;
    if (this._waits) return this._leave(event, target);
    const within = event.composedPath().includes(this.list);
    const writing = target.matches?.("input:not([type=checkbox]), textarea, select") ?? false;
    const command = commandOf(event, {
      writing,
      atRows: within || this.selection.size > 0,
      selected: this.selection.size > 0,
      marked: String(getSelection()) !== "",
      beyond: this.list.count > this.list.renderRoot.querySelectorAll("[data-entry]").length,
    });
    const used = command ? this._do(command, target) : this._pass(event, target, writing, within);
    if (used) event.preventDefault();
  }

  /** Before there are other rows than those that the page came with, keys do no more than lead upwards. */
  private _leave(event: KeyboardEvent, target: HTMLElement) {
    const no = { writing: false, atRows: false, selected: false, marked: false, beyond: false };
    const up = commandOf(event, no) === "parent" && this._do("parent", target);
    if (up) event.preventDefault();
  }

  /** Keys that are no command are for the rows, unless they are for what has the focus. */
  private _pass(
    event: KeyboardEvent,
    target: HTMLElement,
    writing: boolean,
    within: boolean,
  ): boolean {
    if (target === this.field && (event.key === "ArrowDown" || event.key === "Enter")) {
      this.list.activate(0);
      return true;
    }
    const own = !within && target.matches?.("a, button, summary, [tabindex]");
    if (writing || own && (event.key === " " || event.key.length === 1)) return false;
    return this.list.press(event);
  }

  private _do(command: Command, target: HTMLElement): boolean {
    if (command === "escape") return this._escape(target);
    if (command === "help") this.open = { help: true };
    else if (command === "all") {
      for (let k = 0; k < this.list.count; k++) this.selection.set(this.list.entryAt(k), true);
      this.version++;
    } else if (command === "copy") {
      this.renderRoot.querySelector<SelectionBar>("selection-bar")?.copyUrls?.();
    } else if (command === "parent") {
      if (location.pathname === "/") return false;
      location.href = new URL("../", location.href).href;
    } else {
      this.open = { hint: command === "find" };
      this.field.focus();
      this.field.select();
    }
    return true;
  }

  private _escape(target: HTMLElement): boolean {
    if (this.address.filter) this._filter("");
    else if (this.selection.size > 0) this._clear();
    else if (target !== this.field) return false;
    if (target === this.field) this.list.activate(0);
    return true;
  }

  override willUpdate(changed: PropertyValues<this>) {
    if (changed.has("version") || changed.has("address")) {
      this._shown.update(this.kept, this.address);
    }
    if (this.open.peek !== undefined) import("./file-peek.ts");
    if (this.open.help) import("./key-help.ts");
    if (this.selection.size > 0) import("./selection-bar.ts");
  }

  override render() {
    const { kept, loader, address, selection, version, open } = this, { rows } = this._shown;
    const readme = this._readme;
    return html`
      <header>
        <a class="skip" href="#listing" @click=${this._skip}>${t("skip")}</a>
        ${parts.crumbs(this._name, location.pathname)}${parts.summary(
          loader,
          location.pathname,
          readme,
        )}
      </header>
      <main>
        <div class="tools">
          ${parts.search(loader, address.filter, rows?.length, this.open.hint, {
            type: (event) => this._filter((event.target as HTMLInputElement).value),
            leave: () => this.open.hint && (this.open = {}),
            help: () => this.open = { help: true },
          })}
          ${parts.trouble(loader)}
        </div>
        <listing-rows
          .model=${{ kept, rows, selection, sort: address.sort, inset: this.insets.value }}
          @listing-sort=${this._sort}
          @listing-select=${this._select}
          @listing-peek=${(event: CustomEvent<number>) => this.open = { peek: event.detail }}
          @listing-rest=${this._rested}
        ></listing-rows>
        ${parts.nothingThere(loader, address.filter, rows?.length, () => this._filter(""))}
        ${readme ? html`<readme-text id="readme" .entry=${readme}></readme-text>` : nothing}
      </main>
      ${selection.size === 0 ? nothing : html`
        <selection-bar
          .kept=${kept}
          .selection=${selection}
          .version=${version}
          @listing-deselect=${this._clear}
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

  private _skip(event: Event) {
    event.preventDefault();
    this.list.activate(0);
  }
}
