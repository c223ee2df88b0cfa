/**
 * A row of the listing as elements: as few as can be, for there are many; made once, then copied and filled,
 * which takes a browser a fraction of what a template of each takes.
 */
import { t } from "../base/language.ts";
import { formatNumber } from "../../formats/units.ts";
import { agoOf } from "./ago.ts";
import { ARROW } from "./heights.ts";
import { canPeek } from "./kinds.ts";
import { bothTimes, exactSize, type Row } from "./view.ts";

/** What a row needs besides its entry. */
export interface RowState {
  entry: number;
  /** Its place among all rows, from 1 on; the head of the table is the first. */
  index: number;
  /** Where it stands, as CSS. */
  style: string;
  selected: boolean;
  active: boolean;
  /** The one that the keyboard comes to with Tab. */
  stop: boolean;
  /** Epoch seconds. */
  now: number;
}

function make(tag: string, fields: Record<string, string>, ...children: Element[]): HTMLElement {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(fields)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Makes copies of what is made once. */
function once(build: () => HTMLElement): () => HTMLElement {
  let first: HTMLElement | undefined;
  return () => (first ??= build()).cloneNode(true) as HTMLElement;
}

const cell = (name: string, tag = "span", ...children: Element[]) =>
  make(tag, { role: "gridcell", class: name }, ...children);

const BLANK = {
  row: once(() =>
    make(
      "div",
      { role: "row" },
      cell("name", "span", make("input", { type: "checkbox", tabindex: "-1" }), make("a", {})),
      cell("files"),
      cell("size"),
      cell("time", "time"),
      cell("ago"),
    )
  ),
  target: once(() => make("span", { class: "target" })),
  peek: once(() => make("button", { type: "button", tabindex: "-1", class: "peek" })),
};

/** A row of nothing. */
export const blankRow = BLANK.row;

/** Sets an attribute, or removes it. */
function set(element: Element, name: string, value: string | undefined) {
  if (value) element.setAttribute(name, value);
  else element.removeAttribute(name);
}

/** Says a text, if it says another: what a reader marked stays marked. */
function say(element: Element, text: string) {
  if (element.textContent !== text) element.textContent = text;
}

/** Makes a row, whatever it showed before, show this. */
export function fillRow(element: HTMLElement, row: Row, state: RowState): void {
  const { selected, active, now } = state;
  const link = row.target === undefined ? "" : " link";
  element.className = `row ${row.kind}${link}${active ? " active" : ""}`;
  element.style.cssText = state.style;
  element.dataset.entry = String(state.entry);
  element.setAttribute("aria-rowindex", String(state.index));
  element.setAttribute("aria-selected", String(selected));
  const [name, files, size, time, ago] = element.children as Iterable<HTMLElement>;
  fillName(name, row, state);
  say(files, row.files === undefined ? "" : formatNumber(row.files));
  say(size, row.size);
  size.title = exactSize(row);
  say(time, row.time);
  set(time, "datetime", row.exact);
  say(ago, row.mtime ? agoOf(now - row.mtime, t) : "");
  time.title = ago.title = bothTimes(row);
}

function fillName(cell: HTMLElement, row: Row, { selected, stop }: RowState) {
  const [box, link] = cell.children as Iterable<HTMLElement>;
  (box as HTMLInputElement).checked = selected;
  box.setAttribute("aria-label", t("listing.select", { name: row.name }));
  say(link, row.name);
  link.tabIndex = stop ? 0 : -1;
  set(link, "href", row.href);
  const target = part(link, ".target", row.target !== undefined, BLANK.target);
  if (target) say(target, ARROW + row.target);
  const peek = part(cell.lastElementChild!, ".peek", canPeek(row.kind), BLANK.peek);
  peek?.setAttribute("aria-label", t("listing.peek", { name: row.name }));
}

/** What only some rows have, if this one has it: behind another part, where it is not there yet. */
function part(behind: Element, name: string, wanted: boolean, blank: () => Element) {
  const there = behind.parentElement!.querySelector(name);
  if (!wanted) there?.remove();
  else if (there) return there;
  else {
    behind.after(blank());
    return behind.nextElementSibling!;
  }
}
