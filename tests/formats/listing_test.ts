import { assertEquals } from "@std/assert";
import {
  compareEntries,
  type Entry,
  entryName,
  type Listing,
  parseListing,
  renderHtml,
  renderJson,
  renderText,
} from "../../formats/listing.ts";

const LISTING: Listing = {
  v: 1,
  path: "/core/os/x86_64/",
  bytes: 1624,
  mtime: 1763632800,
  files: 2,
  dirs: 1,
  entries: [
    { name: "old/", bytes: 812, mtime: 1763632000, files: 1, dirs: 0 },
    { name: "core.db", bytes: 812, mtime: 1763632800, target: "core.db.tar.gz" },
    { name: "core.db.tar.gz", bytes: 812, mtime: 1763632800 },
  ],
};

const withEntries = (...entries: Entry[]): Listing => ({ ...LISTING, entries });

/** The rows of the HTML, as text. */
const rows = (html: string) => html.split("<pre>\n")[1].split("</pre>")[0].split("\n").slice(0, -1);

Deno.test("renderJson: the design's example, one entry a line", () => {
  assertEquals(
    renderJson(LISTING),
    `{"v":1,"path":"/core/os/x86_64/","bytes":1624,"mtime":1763632800,"files":2,"dirs":1,"entries":[
{"name":"old/","bytes":812,"mtime":1763632000,"files":1,"dirs":0},
{"name":"core.db","bytes":812,"mtime":1763632800,"target":"core.db.tar.gz"},
{"name":"core.db.tar.gz","bytes":812,"mtime":1763632800}
]}
`,
  );
});

const STRANGE: Entry[] = [
  { ...entryName("a\xffb", true), bytes: 0, mtime: 5, files: 0, dirs: 0 },
  { ...entryName('"\\\n\t\x7f<b>&', false), bytes: 1, mtime: -1 },
  { ...entryName("\xe2\x80\xae\xe2\x80\xa8", false), bytes: 1, mtime: 5 },
  { ...entryName("l", false), bytes: 0, mtime: 5, target: "../..", dir: true },
  { ...entryName("l\xc3", false), bytes: 0, mtime: 5, target: "nowhere\n", broken: true },
];

Deno.test("parseListing: what renderJson wrote, each line complete", () => {
  for (const listing of [LISTING, withEntries(), withEntries(...STRANGE)]) {
    const text = renderJson(listing);
    assertEquals(parseListing(text), listing);
    const lines = text.split("\n").slice(1, -2);
    assertEquals(lines.map((line) => JSON.parse(line.replace(/,$/, ""))), listing.entries);
  }
});

Deno.test("parseListing: damaged or of another version, undefined", () => {
  const good = renderJson(LISTING);
  const cases = [
    "",
    "null",
    "[]",
    good.slice(0, -3),
    good.replace('"v":1', '"v":2'),
    good.replace('"files":1', '"files":-1'),
    good.replace('"mtime":1763632000', '"mtime":"x"'),
    good.replace('"name":"core.db"', '"name":""'),
    good.replace('"target":"core.db.tar.gz"', '"target":1'),
    good.replace(/"entries":\[.*\]/s, '"entries":{}'),
  ];
  for (const text of cases) assertEquals([text, parseListing(text)], [text, undefined]);
});

Deno.test("compareEntries: directories first, natural order, bytes where names look the same", () => {
  const names = (raw: string[]) =>
    raw.map((n) => entryName(n.replace(/\/$/, ""), n.endsWith("/"))).sort(compareEntries)
      .map(({ name, href }) => href ?? name);
  assertEquals(names(["b10", "b9", "z/", "a", "\xff", "\xfe", "c/", "b09"]), [
    "c/",
    "z/",
    "a",
    "b09",
    "b9",
    "b10",
    "%FE",
    "%FF",
  ]);
});

Deno.test("renderHtml: columns that stay aligned, names last", () => {
  assertEquals(rows(renderHtml(LISTING)), [
    `                            <a href="../">../</a>`,
    `2025-11-20 09:46     812 B  <a href="old/">old/</a>`,
    `2025-11-20 10:00     812 B  <a href="core.db">core.db</a> -&gt; core.db.tar.gz`,
    `2025-11-20 10:00     812 B  <a href="core.db.tar.gz">core.db.tar.gz</a>`,
  ]);
  assertEquals(rows(renderHtml({ ...LISTING, path: "/", entries: [] })), []);
});

Deno.test("renderHtml: strange names are escaped, shown and linked", () => {
  const cases: [Entry, string][] = [
    [STRANGE[0], `<a href="a%FFb/">a\ufffdb/</a>`],
    [STRANGE[1], `<a href="%22%5C%0A%09%7F%3Cb%3E%26">&#34;\\\\x0a\\x09\\x7f&#60;b&#62;&#38;</a>`],
    [STRANGE[2], `<a href="%E2%80%AE%E2%80%A8">\\u202e\\u2028</a>`],
    [STRANGE[4], `<a href="l%C3">l\ufffd</a> -&gt; nowhere\\x0a (broken)`],
    [{ name: "a:b?c#d%", bytes: 1, mtime: 5 }, `<a href="a%3Ab%3Fc%23d%25">a:b?c#d%</a>`],
    [{ name: "a b'é", bytes: 1, mtime: 5 }, `<a href="a%20b%27%C3%A9">a b&#39;é</a>`],
  ];
  for (const [entry, link] of cases) {
    assertEquals(rows(renderHtml(withEntries(entry)))[1].slice(28), link);
  }
});

Deno.test("renderHtml: a link to a folder ends in a slash, unless it leads round in a circle", () => {
  const href = (target: string) =>
    /href="(l\/?)"/.exec(
      renderHtml(withEntries({ name: "l", bytes: 0, mtime: 5, target, dir: true })),
    )![1];
  assertEquals(
    ["old", "../x86_64-v3", ".", "..", "../..", "./.././", "../../os", "../x86_64/old"].map(href),
    ["l/", "l/", "l", "l", "l", "l", "l", "l/"],
  );
});

Deno.test("renderHtml: breadcrumbs lead up with relative links", () => {
  const h1 = (path: string) => /<h1>(.*)<\/h1>/.exec(renderHtml({ ...LISTING, path }))![1];
  assertEquals(h1("/"), "/");
  assertEquals(h1("/a b/"), `<a href="../">/</a>a b/`);
  assertEquals(h1("/a/<b>/"), `<a href="../../">/</a><a href="../">a</a>/&#60;b&#62;/`);
});

Deno.test("renderText: the same rows, aligned", () => {
  assertEquals(
    renderText(withEntries(...LISTING.entries, { name: "a\nb", bytes: 9, mtime: 0 })),
    `/core/os/x86_64/
2 files, 1 directory, 1.6 KiB, newest 2025-11-20 10:00 UTC

2025-11-20 09:46     812 B  old/
2025-11-20 10:00     812 B  core.db -> core.db.tar.gz
2025-11-20 10:00     812 B  core.db.tar.gz
1970-01-01 00:00       9 B  a\\x0ab
`,
  );
});
