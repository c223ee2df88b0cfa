/**
 * A listing as plain HTML without script, for lynx, w3m, links, phones, and programs that walk links
 * (rclone, wget -r, lftp). One entry a line in a `<pre>`, the name last: a long one breaks no column,
 * and rows can be read as they arrive.
 */
import { type Entry, hrefOf, isLink, type Listing, type ListingHead, PART } from "./listing.ts";
import { escapeHtml, toDisplay } from "./names.ts";
import { count, formatBytes, formatMinute, formatNumber } from "./units.ts";

// 28 characters stand before a name. On a narrow screen the name wraps within what is left of them.
const STYLE = "body{font:16px/1.5 system-ui,sans-serif;max-width:75em;margin:0 auto;padding:.5em}" +
  "h1{font-size:1.2em;overflow-wrap:anywhere}a{text-decoration:none;unicode-bidi:isolate}a:hover{text-decoration:underline}" +
  "pre{font:14px/1.7 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}" +
  "pre a{display:inline-block;max-width:calc(100% - 29ch);vertical-align:top}" +
  "@media(max-width:40em){pre{font-size:12px;line-height:2}}" +
  "@media(prefers-color-scheme:dark){body{background:#14161a;color:#d7dae0}a{color:#8ab4f8}" +
  "a:visited{color:#c0a7f0}}";

/** A name or path that is the same in every form, as nearly all are. */
const PLAIN = /^[\w.+~@=,/-]+$/;

const show = (text: string) => PLAIN.test(text) ? text : escapeHtml(toDisplay(text));

/** What a directory holds: `12 files, 3 directories, 1.6 GiB, newest 2026-11-21 23:59 UTC`. */
export function totals({ files, dirs, bytes, mtime }: ListingHead): string {
  const folders = `${formatNumber(dirs)} ${dirs === 1 ? "directory" : "directories"}`;
  return `${count(files, "file")}, ${folders}, ${formatBytes(bytes)}, newest ${minute(mtime)} UTC`;
}

/** The path as a heading; each of its folders but the last is a link upwards. */
function breadcrumbs(path: string): string {
  const names = path.split("/").slice(1, -1);
  const up = (n: number) => n === 0 ? "" : `<a href="${"../".repeat(n)}">`;
  const crumb = (name: string, n: number) => up(n) + show(name) + (n === 0 ? "" : "</a>") + "/";
  return (names.length ? up(names.length) + "/</a>" : "/") +
    names.map((name, i) => crumb(name, names.length - 1 - i)).join("");
}

/** All that stands before the first entry. */
export function htmlHead(head: ListingHead): string {
  const parent = head.path === "/" ? "" : " ".repeat(28) + '<a href="../">../</a>\n';
  return `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n` +
    `<meta name="viewport" content="width=device-width, initial-scale=1">\n` +
    `<meta name="color-scheme" content="light dark">\n` +
    `<title>Index of ${
      show(head.path)
    }</title>\n<style>${STYLE}</style>\n</head>\n<body>\n<main>\n` +
    `<h1>${breadcrumbs(head.path)}</h1>\n<p>${totals(head)}</p>\n<hr>\n<pre>\n${parent}`;
}

/** The time of day follows from the seconds; only the day needs a calendar, and days repeat. */
const days = new Map<number, string>();
const two = (n: number) => n < 10 ? "0" + n : "" + n;

/** {@linkcode formatMinute} for a great many times. */
function minute(epochSeconds: number): string {
  const day = Math.floor(epochSeconds / 86400);
  let date = days.get(day);
  if (date === undefined) {
    if (days.size > 20_000) days.clear();
    days.set(day, date = formatMinute(day * 86400).slice(0, -5));
  }
  const minutes = Math.floor((epochSeconds - day * 86400) / 60);
  return date + two(Math.floor(minutes / 60)) + ":" + two(minutes % 60);
}

/** Time and size of an entry, 26 columns. A link that leads to no file has no size. */
export function columns(entry: Entry): string {
  const none = isLink(entry) && (entry.dir || entry.broken);
  return minute(entry.mtime) + "  " + (none ? "-" : formatBytes(entry.bytes)).padStart(8);
}

/**
 * True if a link, read by its text, leads to a folder that it stands in, as `debian -> .` does. Its href
 * gets no slash, or a program that follows every folder would walk in a circle for ever.
 */
function leadsBack(path: string, target: string): boolean {
  const names = path.split("/").slice(1, -1);
  for (const name of target.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return path.startsWith(["", ...names, ""].join("/"));
}

/** One entry of the directory at `path`, with its line end. */
export function htmlRow(entry: Entry, path: string): string {
  const link = isLink(entry) ? entry : undefined;
  const slash = link?.dir && !leadsBack(path, link.target) ? "/" : "";
  const href = entry.href ?? (PLAIN.test(entry.name) ? entry.name : hrefOf(entry));
  const row = `${columns(entry)}  <a href="${href}${slash}">${show(entry.name)}</a>`;
  if (!link) return row + "\n";
  return `${row} -&gt; ${show(link.target)}${link.broken ? " (broken)" : ""}\n`;
}

/** All that stands after the last entry. */
export const htmlTail = "</pre>\n<hr>\n</main>\n</body>\n</html>\n";

/** `index.html` of a directory in parts, for what is too large to be held as one text. Entries are sorted. */
export function* htmlParts(listing: Listing): Generator<string> {
  const { entries, path } = listing;
  yield htmlHead(listing);
  for (let i = 0; i < entries.length; i += PART) {
    yield entries.slice(i, i + PART).map((entry) => htmlRow(entry, path)).join("");
  }
  yield htmlTail;
}

/** `index.html` of a directory. The entries must be sorted. */
export function renderHtml(listing: Listing): string {
  return [...htmlParts(listing)].join("");
}
