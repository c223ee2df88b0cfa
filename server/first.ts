/**
 * What the page of a directory holds when it comes: where it is, and its first rows, which can be read and followed
 * before its script is there. The script (web/listing/) makes the same anew, and the rest.
 *
 * (`html` of hono is called `markup` here, as in home/.)
 */
import { html as markup } from "hono/html";
import type { Entry, Listing } from "../formats/listing.ts";
import {
  ARROW,
  type Crumb,
  crumbsOf,
  redirectedOf,
  rowOf,
  totalsOf,
} from "../formats/listing_view.ts";
import { type Language, translator } from "../formats/messages.ts";
import { formatNumber } from "../formats/units.ts";

/** So many rows fill the view of a small computer. */
export const ROWS = 20;

function row(entry: Entry) {
  const { kind, name, href, target, files, size, time } = rowOf(entry);
  const to = target === undefined ? "" : markup`<span class="target">${ARROW}${target}</span>`;
  const leads = href === undefined ? "" : markup` href="${href}"`;
  // Between the parts of a name no white space may stand: it is shown.
  return markup`<div class="row ${kind}${to ? " link" : ""}" role="listitem">
<span class="name"><a${leads}>${name}</a>${to}</span>
<span class="files">${files === undefined ? "" : formatNumber(files)}</span>
<span class="size">${size}</span>
<time class="time">${time}</time>
</div>
`;
}

function crumb({ name, href }: Crumb, i: number, all: Crumb[]) {
  const here = i === all.length - 1 ? markup` aria-current="page"` : "";
  return markup`<li><a href="${href}"${here}>${name}</a></li>`;
}

/**
 * The first view of a listing, as HTML; nothing where the URL asks for another order or for some of the rows.
 * `mirror` is what the mirror calls itself.
 */
export function firstView(
  mirror: string,
  language: Language,
  request: Request,
  listing: Listing | undefined,
): string {
  const url = URL.parse(request.url);
  if (!listing || !url || url.search !== "") return "";
  const t = translator(language), { entries } = listing, shown = entries.slice(0, ROWS);
  const redirected = redirectedOf(listing, url.pathname, t);
  const crumbs = crumbsOf(mirror, url.pathname);
  return String(markup`<div lang="${language}">
<header>
<nav><ol class="crumbs">${crumbs.map(crumb)}</ol></nav>
<h1 class="unseen">${crumbs.at(-1)!.name}</h1>
<p class="summary">${totalsOf(listing, t)}</p>
${redirected ? markup`<p class="summary">${redirected}</p>` : ""}</header>
<main>
<div class="tools"></div>
<div class="list ${shown[0]?.name.endsWith("/") ? "dirs" : ""}">
<div class="top"><div class="row head">
<span class="name"><b>${t("listing.name")} ↑</b></span>
<span class="files">${t("listing.files")}</span>
<span class="bytes">${t("listing.size")}</span>
<span class="mtime">${t("listing.modified")}</span>
</div></div>
<div class="rows" role="list">
${shown.map(row)}</div>
</div>
${entries.length > shown.length ? markup`<p><a href="?format=html">…</a></p>` : ""}</main>
</div>`);
}
