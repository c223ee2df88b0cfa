/** The head of the rows' columns. */
import { html, type TemplateResult } from "lit";
import { t } from "../base/language.ts";
import type { Sort, SortKey } from "./order.ts";

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
