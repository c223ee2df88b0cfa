/** The page of a directory: loads its `index.json` and shows it row by row as it arrives. */
import { translatePage } from "./base/language.ts";
import "./base/page-settings.ts";
import { type Crumb, crumbsOf, redirectedFrom, type Row, rowOf, summaryOf } from "./rows.ts";
import { type Batch, ListingReader } from "./stream.ts";

/** Rows added at once. Each group of rows is laid out only when it comes into view (page.css). */
const GROUP = 200;

const summary = document.getElementById("summary")!;
const listing = document.getElementById("listing")!;

/** An element with text in it. Text is all that ever comes from a mirror: no name becomes markup. */
function element(tag: string, fields: Record<string, string> = {}, ...content: (string | Node)[]) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(fields)) made.setAttribute(name, value);
  made.append(...content);
  return made;
}

function crumb({ name, href }: Crumb, i: number, all: Crumb[]): HTMLElement {
  const last = i === all.length - 1;
  return element("li", {}, element("a", last ? { href, "aria-current": "page" } : { href }, name));
}

function rowElement(row: Row): HTMLElement {
  const name = row.href === undefined
    ? element("span", {}, row.name)
    : element("a", { href: row.href }, row.name);
  const target = row.target === undefined ? [] : [
    element("span", { class: "target" }, ` → ${row.target}`),
    ...(row.kind === "broken" ? [element("span", { class: "note" }, "not followed")] : []),
  ];
  const cell = (className: string, content: string | Node, title: string) =>
    element("span", { role: "cell", class: className, ...(title ? { title } : {}) }, content);
  const time = row.exact ? element("time", { datetime: row.exact }, row.time) : "";
  return element(
    "div",
    { role: "row", class: `row ${row.kind}${row.href?.endsWith("/") ? " dir" : ""}` },
    element("span", { role: "cell", class: "name" }, name, ...target),
    cell("time", time, row.exact),
    cell("size", row.size, row.detail),
  );
}

/** How long rows are made before the page may paint and answer again. */
const BUSY_MS = 30;
let since = performance.now();

/** Adds entries in groups; in between, the page stays usable. */
async function add(entries: Batch["entries"]) {
  for (let i = 0; i < entries.length; i += GROUP) {
    const rows = entries.slice(i, i + GROUP).map((entry) => rowElement(rowOf(entry)));
    const group = element("div", { role: "rowgroup", class: "group" }, ...rows);
    group.style.setProperty("--rows", String(rows.length));
    listing.append(group);
    if (performance.now() - since < BUSY_MS) continue;
    await new Promise((resolve) => setTimeout(resolve));
    since = performance.now();
  }
}

function showHead(head: NonNullable<Batch["head"]>) {
  const real = redirectedFrom(head, location.pathname);
  summary.textContent = summaryOf(head) + (real ? ` · this is ${real}` : "");
}

async function show(batch: Batch) {
  if (batch.head) showHead(batch.head);
  await add(batch.entries);
}

async function load() {
  const response = await fetch("?format=json");
  if (!response.ok) {
    const said = await response.json().catch(() => ({})) as { error?: string };
    throw new Error(said.error ?? `the server answered ${response.status}`);
  }
  const reader = new ListingReader();
  const body = response.body!.getReader();
  for (;;) {
    const { done, value } = await body.read();
    if (done) break;
    await show(reader.push(value));
  }
  await show(reader.end());
  if (listing.childElementCount === 1) {
    listing.after(element("p", { class: "empty" }, "This directory is empty."));
  }
}

/** Says what went wrong, and offers what still works. */
function fail(error: unknown) {
  const why = error instanceof Error ? error.message : String(error);
  const again = element("button", { type: "button" }, "Try again");
  again.addEventListener("click", () => location.reload());
  listing.after(
    element(
      "div",
      { class: "error", role: "alert" },
      element("p", {}, `The listing is not complete: ${why}.`),
      element(
        "p",
        {},
        again,
        " or use the ",
        element("a", { href: "?format=html" }, "plain listing"),
      ),
    ),
  );
}

translatePage();
const crumbs = crumbsOf(location.host, location.pathname);
document.title = `${crumbs.map((c) => c.name).slice(1).join("/") || "/"} · ${location.host}`;
document.getElementById("crumbs")!.append(...crumbs.map(crumb));
summary.textContent = "Loading …";
if (crumbs.length > 1) {
  const up: Row = {
    kind: "dir",
    name: "..",
    href: "../",
    time: "",
    exact: "",
    size: "",
    detail: "",
  };
  listing.append(element("div", { role: "rowgroup" }, rowElement(up)));
}
await load().catch(fail);
listing.setAttribute("aria-busy", "false");
