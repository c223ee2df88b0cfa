import { assertEquals } from "@std/assert";
import { concat } from "@std/bytes/concat";
import {
  compareEntries,
  type Entry,
  entryName,
  type Listing,
  renderHtml,
  renderJson,
} from "../../formats/listing.ts";
import { readFiles, splice } from "../../scripts/indexer/splice.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const file = (raw: string, bytes = 1, mtime = 5): Entry => ({
  ...entryName(raw, false),
  bytes,
  mtime,
});
const dir = (raw: string, bytes = 1, mtime = 5): Entry => ({
  ...entryName(raw, true),
  bytes,
  mtime,
  files: 1,
  dirs: 0,
});

/** The listing of some entries, with the totals that they give. */
function listing(entries: Entry[]): Listing {
  const total = { bytes: 0, mtime: 9, files: 0, dirs: 0 };
  const times: number[] = [];
  for (const entry of entries) {
    if ("target" in entry) continue;
    total.bytes += entry.bytes;
    total.files++;
    if ("dirs" in entry) total.dirs++;
    times.push(entry.mtime);
  }
  if (times.length) total.mtime = Math.max(...times);
  return { v: 1, path: "/r/", ...total, entries: entries.toSorted(compareEntries) };
}

/** What splicing makes of a listing with entries `from`, as text. */
function spliced(from: Entry[], edits: [string, Entry | undefined][]) {
  const before = listing(from);
  const files = readFiles(encode(renderJson(before)), encode(renderHtml(before)))!;
  const after = splice(files, edits.map(([name, entry]) => ({ name, entry })), new Set(), 9)!;
  return [after.json, after.html].map((pieces) => new TextDecoder().decode(concat(pieces)));
}

Deno.test("splice: edits of all kinds, the same files as rendering all", () => {
  const a = file("a"), b = file("b", 3, 8), z = dir("z");
  const strange = file('<&">\n:'), bad = file("\xff"), same = file("\xef\xbf\xbd");
  const link = { ...file("l", 0), target: "z", dir: true as const };
  const cases: [string, Entry[], [string, Entry | undefined][], Entry[]][] = [
    ["into nothing", [], [["a", a]], [a]],
    ["all goes", [a, z], [["a", undefined], ["z/", undefined]], []],
    ["first", [b], [["a", a]], [a, b]],
    ["last", [a], [["b", b]], [a, b]],
    ["replace", [a, b], [["a", file("a", 7, 7)]], [file("a", 7, 7), b]],
    ["last goes", [a, b], [["b", undefined]], [a]],
    ["newest goes", [a, b, z], [["b", undefined]], [a, z]],
    ["what is not there", [a], [["b", undefined]], [a]],
    [
      "insertions at one place among edits that do nothing",
      [],
      [["x", undefined], ["x/", dir("x")], ["p", undefined], ["p/", dir("p")], ["q", undefined]],
      [dir("x"), dir("p")],
    ],
    ["directory to file", [z], [["z/", undefined], ["z", file("z")]], [file("z")]],
    ["strange neighbours", [strange, bad, link], [["a", a], [same.name, same]], [
      strange,
      bad,
      link,
      a,
      same,
    ]],
    ["link stays a link", [link, a], [["l", { ...link, mtime: 6 }]], [{ ...link, mtime: 6 }, a]],
  ];
  for (const [what, from, edits, to] of cases) {
    const after = listing(to);
    assertEquals([what, ...spliced(from, edits)], [what, renderJson(after), renderHtml(after)]);
  }
});

Deno.test("readFiles: not what was once written, undefined", () => {
  const good = listing([file("a"), file("b")]), json = renderJson(good), html = renderHtml(good);
  const cases: [string, string][] = [
    ["", html],
    [json, ""],
    [json.slice(0, -1), html],
    [json, html.slice(0, -1)],
    [json, html.replace("/r/", "/q/")],
    ["x" + json, html],
  ];
  for (const [j, h] of cases) assertEquals(readFiles(encode(j), encode(h)), undefined);
});
