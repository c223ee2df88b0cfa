/** The first rows that the page of a directory comes with. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Entry, Listing } from "../../formats/listing.ts";
import { firstPage } from "../../server/first.ts";
import { makeNode } from "./fixture.ts";

const BROWSER = { accept: "text/html", "user-agent": "Mozilla/5.0 Chrome/130.0" };
const file = (name: string): Entry => ({ name, bytes: 1536, mtime: 1_795_000_000 });
const listing = (entries: Entry[]): Listing => (
  { v: 1, path: "/a/", bytes: 1, mtime: 1_795_000_000, files: 3, dirs: 0, entries }
);
const SHELL = await Deno.readTextFile(new URL("../../web/index.html", import.meta.url));
const view = (entries: Entry[], url = "http://x/a/", language: "en" | "ko" = "en") =>
  firstPage(SHELL, "mirror.example.org", language, new Request(url), listing(entries));
const cells = (text: string) => text.replaceAll("*", 'role="gridcell" class');

Deno.test("firstPage: each kind of entry, and what is said of the directory", () => {
  const dir = { ...file("d/"), files: 1234, dirs: 1 };
  const link = { ...file("core.db"), target: "core.db.tar.gz" };
  const broken = { ...file("gone"), bytes: 0, target: "nowhere", broken: true as const };
  const html = view([dir, link, broken, file("x y.iso")]).replace(/\n/g, "");
  for (
    const part of [
      '<div class="list dirs">',
      '<li><a href="/">mirror.example.org</a></li><li><a href="/a/" aria-current="page">a</a></li>',
      '<p class="summary">3 files · 1 B · newest 2026-11-18 11:06',
      cells(
        '<div class="row dir" role="row" data-entry="0"><span *="name"><a href="d/">d/</a><span class="target" hidden></span>',
      ),
      cells('</button></span><span *="files">1,234</span>'),
      '<a href="core.db">core.db</a><span class="target"> → core.db.tar.gz</span>',
      cells('<div class="row broken link" role="row" data-entry="2"><span *="name"><a>gone</a>'),
      cells(
        '<span *="files"></span><span *="size">1.5 KiB</span><time *="time">2026-11-18 11:06</time>',
      ),
    ]
  ) assertStringIncludes(html, part);
  assertEquals(html.includes("…"), false);
  const korean = view([], "http://x/a/", "ko");
  for (const part of ['<html lang="ko">', 'aria-label="항목"', ">이름</button>"]) {
    assertStringIncludes(korean, part);
  }
  assertStringIncludes(view([], "http://x/b/"), "/b/");
});

Deno.test("firstPage: names are text, whatever they are", () => {
  const names = [
    "<script>x=1</script>",
    '"><img src=x onerror=y>',
    "'&",
    "javascript:x",
    "\u202egnp",
  ];
  const html = view([...names.map(file), { ...file("l"), target: "</span><script>" }]);
  const page = html.slice(html.indexOf("<listing-page"), html.indexOf("</listing-page>"));
  assertEquals(page.match(/<script|<img|\u202e/), null);
  const hrefs = [...page.matchAll(/href="([^"]*)"/g)].map(([, href]) => href);
  assert(hrefs.every((href) => !/^[a-z]+:|["<>]/i.test(href)), hrefs.join(" "));
});

Deno.test("firstPage: no more than are seen, and none where the URL asks for others", () => {
  const many = Array.from({ length: 40 }, (_, i) => file(`f${i}`));
  assertEquals(view(many).match(/data-entry/g)?.length, 20);
  assertStringIncludes(view(many), '<a href="?format=html">…</a>');
  const sorted = view(many, "http://x/a/?sort=size");
  assertEquals(sorted.match(/data-entry|…/), null);
  assertStringIncludes(sorted, '<a href="/">mirror.example.org</a>');
  assertEquals(firstPage(SHELL, "m", "en", new Request("http://x/a/"), undefined), SHELL);
});

Deno.test("page of a directory: its first rows are in it, as far as a written listing can be read", async () => {
  await using node = await makeNode({ arch: "/arch/" });
  await node.ready("arch");
  const page = async () => {
    const answer = await node.get("/arch/", BROWSER);
    return [answer.status, await answer.text()] as const;
  };
  await Deno.mkdir(`${node.data}/web`);
  const shell = '<listing-page>$&<div class="rows"></div></listing-page>';
  await Deno.writeTextFile(`${node.data}/web/index.html`, shell);
  for (let i = 0; i < 500; i++) await node.write(`arch/${"long".repeat(30)}${i}`, "x");
  await node.list("/arch/");
  const [status, text] = await page();
  assertEquals([status, text.match(/data-entry/g)?.length], [200, 20]);
  assertStringIncludes(text, '>$&<div class="rows"><div class="row');
  await node.listing("arch/index.json", "damaged");
  assertEquals(await page(), [200, shell]);
});

Deno.test("above the repositories: totals come from a listing's first line alone, whatever follows it", async () => {
  await using node = await makeNode({ arch: "/arch/" });
  await node.ready("arch");
  const head = '{"v":1,"path":"/arch/","bytes":7,"mtime":1,"files":2,"dirs":0,"entries":[\n';
  await node.listing("arch/index.json", `${head}damaged,\n${"x".repeat(9999)}\n]}\n`);
  assertStringIncludes(await (await node.get("/?format=json")).text(), '"name":"arch/","bytes":7');
});
