/** What a row of the listing looks like as elements: as few as can be, for there are many. */
import { html, nothing, type TemplateResult } from "lit";
import { t } from "../base/language.ts";
import { formatNumber } from "../../formats/units.ts";
import { ARROW } from "./heights.ts";
import { agoOf } from "./ago.ts";
import { canPeek } from "./kinds.ts";
import type { Sort, SortKey } from "./order.ts";
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

const filesOf = (row: Row) => row.files === undefined ? "" : formatNumber(row.files);

/** The cells of a row. */
export function rowTemplate(row: Row, state: RowState): TemplateResult {
  const { selected, stop, now } = state;
  return html`
    <span role="gridcell" class="name"
    ><input type="checkbox" tabindex="-1" .checked=${selected} aria-label=${t(
      "listing.select",
      { name: row.name },
    )}><a
                href=${row.href ?? nothing}
                tabindex=${stop ? 0 : -1}
              >${row.name}</a>${row.target === undefined
                ? nothing
                : html`<span class="target">${ARROW}${row.target}</span>`}${canPeek(row.kind)
                ? html`<button type="button" tabindex="-1" class="peek" aria-label=${
                  t("listing.peek", { name: row.name })
                }></button>`
                : nothing}</span><span role="gridcell"
      class="files">${filesOf(row)}</span><span role="gridcell" class="size"
      title=${exactSize(row)}>${row
        .size}</span><time role="gridcell" class="time" datetime=${row.exact || nothing}
      title=${bothTimes(
        row,
      )}>${row.time}</time><span role="gridcell" class="ago"
      title=${bothTimes(row)}>${row.mtime ? agoOf(now - row.mtime, t) : ""}</span>
  `;
}

/** The head of a column that sorts. */
function column(key: SortKey, label: string, sort: Sort): TemplateResult {
  const order = sort.key !== key ? "none" : sort.descending ? "descending" : "ascending";
  return html`
    <span role="columnheader" class=${key} aria-sort=${order}
    ><button type="button" data-sort=${key}>${label}</button></span>
  `;
}

export function headTemplate(sort: Sort): TemplateResult {
  return html`
    <div role="row" class="row head" aria-rowindex="1"
    >${column("name", t("listing.name"), sort)}<span role="columnheader" class="files">${t(
      "listing.files",
    )}</span>${column("bytes", t("listing.size"), sort)}${column(
      "mtime",
      t("listing.modified"),
      sort,
    )}<span role="columnheader" class="ago">${t("listing.age")}</span></div>
  `;
}
