/**
 * A row of the listing as elements: as few as can be, for there are many; made once, then copied and filled,
 * which takes a browser a fraction of what a template of each takes.
 */
import { html, render } from "lit";
import { t } from "../base/language.ts";
import { formatNumber } from "../../formats/units.ts";
import { agoOf } from "./ago.ts";
import { canPeek } from "../../formats/kinds.ts";
import { ARROW, type Row } from "../../formats/listing_view.ts";

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

let blank: HTMLElement | undefined;

/** A row of nothing. */
export function blankRow(): HTMLElement {
  if (!blank) {
    blank = document.createElement("div");
    blank.role = "row";
    // deno-fmt-ignore: white space in a name is shown.
    render(html`<span role="gridcell" class="name"><a></a><span class="target"></span><button tabindex="-1" class="peek"></button></span><span role="gridcell" class="files"></span><span role="gridcell" class="size"></span><time role="gridcell" class="time"></time><span role="gridcell" class="ago"></span>`, blank);
  }
  return blank.cloneNode(true) as HTMLElement;
}

/**
 * Adds the box that selects a row. It is out of sight until a hand is near, and takes a browser long, so the
 * first rows get theirs once they are painted.
 */
export function addBox(element: HTMLElement): void {
  const box = document.createElement("input");
  box.type = "checkbox";
  box.tabIndex = -1;
  element.firstElementChild!.append(box);
}

/** Sets an attribute that says something else, or removes it: what stays costs a browser nothing. */
function set(element: Element, name: string, value: string | undefined) {
  if (!value) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Says a text, if it says another: what a reader marked stays marked. */
function say(element: Element, text: string) {
  if (element.textContent !== text) element.textContent = text;
}

/** Makes a row, whatever it showed before, show this. */
export function fillRow(element: HTMLElement, row: Row, state: RowState): void {
  const { selected, active, now } = state;
  const link = row.target === undefined ? "" : " link";
  set(element, "class", `row ${row.kind}${link}${active ? " active" : ""}`);
  element.style = state.style;
  element.dataset.entry = `${state.entry}`;
  element.ariaRowIndex = `${state.index}`;
  element.ariaSelected = `${selected}`;
  const [name, files, size, time, ago] = element.children as Iterable<HTMLElement>;
  fillName(name, row, state);
  say(files, row.files === undefined ? "" : formatNumber(row.files));
  say(size, row.size);
  say(time, row.time);
  set(time, "datetime", row.exact);
  say(ago, row.mtime ? agoOf(now - row.mtime, t) : "");
  // (near.ts says them.)
  for (const cell of [size, time, ago]) set(cell, "title", undefined);
}

function fillName(cell: HTMLElement, row: Row, { selected, stop }: RowState) {
  const [link, target, peek, box] = cell.children as Iterable<HTMLElement>;
  say(link, row.name);
  link.tabIndex = stop ? 0 : -1;
  set(link, "href", row.href);
  target.hidden = row.target === undefined;
  say(target, target.hidden ? "" : ARROW + row.target);
  peek.hidden = !canPeek(row.kind);
  peek.ariaLabel = t("listing.peek", { name: row.name });
  if (!box) return;
  (box as HTMLInputElement).checked = selected;
  box.ariaLabel = t("listing.select", { name: row.name });
}
