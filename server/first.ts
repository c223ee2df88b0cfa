/**
 * What the page of a directory holds when it comes: where it is, and its first rows, which can be read and followed
 * before its script is there. The script (web/listing/) goes on with the same elements.
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
import { type Key, type Language, type Translate, translator } from "../formats/messages.ts";
import { escapeHtml } from "../formats/names.ts";
import { formatNumber } from "../formats/units.ts";

/** So many rows fill the view of a small computer. */
export const ROWS = 20;

/** A row as web/listing/row-element.ts makes them. */
function row(entry: Entry, i: number) {
  const { kind, name, href, target, files, size, time } = rowOf(entry);
  const link = target === undefined ? "" : " link";
  const leads = href === undefined ? "" : markup` href="${href}"`;
  const to = link
    ? markup`<span class="target">${ARROW}${target}</span>`
    : markup`<span class="target" hidden></span>`;
  // Between the parts of a name no white space may stand: it is shown.
  return markup`<div class="row ${kind}${link}" role="row" data-entry="${i}">
<span role="gridcell" class="name"><a${leads}>${name}</a>${to}<button tabindex="-1" class="peek" hidden></button></span>
<span role="gridcell" class="files">${files === undefined ? "" : formatNumber(files)}</span>
<span role="gridcell" class="size">${size}</span>
<time role="gridcell" class="time">${time}</time>
<span role="gridcell" class="ago"></span>
</div>
`;
}

function crumb({ name, href }: Crumb, i: number, all: Crumb[]) {
  const here = i === all.length - 1 ? markup` aria-current="page"` : "";
  return markup`<li><a href="${href}"${here}>${name}</a></li>`;
}

function around(mirror: string, path: string, listing: Listing, t: Translate) {
  const crumbs = crumbsOf(mirror, path), redirected = redirectedOf(listing, path, t);
  return markup`<nav aria-label="${t("listing.path")}"><ol class="crumbs">${
    crumbs.map(crumb)
  }</ol></nav>
<h1 class="unseen">${crumbs.at(-1)!.name}</h1>
<p class="summary">${totalsOf(listing, t)}</p>
${redirected ? markup`<p class="summary">${redirected}</p>` : ""}`;
}

/** The page's fixed words in a language, as translatePage of web/base/language.ts says them. */
function inLanguage(shell: string, language: Language, t: Translate): string {
  const say = (key: string) => escapeHtml(t(key as Key));
  return shell
    .replace('<html lang="en"', `<html lang="${language}"`)
    .replace(/(data-t="([\w.]+)"[^>]*>)[^<]*/g, (_, tag, key) => tag + say(key))
    .replace(
      /aria-label="[^"]*"(\s+data-t-label="([\w.]+)")/g,
      (_, attribute, key) => `aria-label="${say(key)}"${attribute}`,
    );
}

/**
 * The page in a language, with the first view of a listing in it; without rows where the URL asks for another order or
 * for some of them. `mirror` is what the mirror calls itself.
 */
export function firstPage(
  shell: string,
  mirror: string,
  language: Language,
  request: Request,
  listing: Listing | undefined,
): string {
  const url = URL.parse(request.url), t = translator(language);
  const page = inLanguage(shell, language, t);
  if (!listing || !url) return page;
  const entries = url.search === "" ? listing.entries : [], shown = entries.slice(0, ROWS);
  const more = entries.length > ROWS ? '<p class="more"><a href="?format=html">…</a></p>' : "";
  const parts: [string, unknown][] = [
    ['class="around">', markup`class="around">${around(mirror, url.pathname, listing, t)}`],
    ['class="list"', shown[0]?.name.endsWith("/") ? 'class="list dirs"' : 'class="list"'],
    ['class="rows">', markup`class="rows">${shown.map(row)}`],
    ["</listing-rows>", more + "</listing-rows>"],
  ];
  // (A function, as `$&` in a name means nothing.)
  return parts.reduce((page, [place, made]) => page.replace(place, () => String(made)), page);
}
