/** The page's pure parts: from bytes to rows. */
import { assertEquals, assertThrows } from "@std/assert";
import { type Entry, renderJson } from "../../formats/listing.ts";
import { crumbsOf, redirectedFrom, rowOf, summaryOf } from "../../web/rows.ts";
import { ListingReader } from "../../web/stream.ts";

const FILE = { name: "가.zst", bytes: 812, mtime: 1763632800 };
const HEAD = { v: 1 as const, path: "/a/", bytes: 1624, mtime: 1763632800, files: 2, dirs: 1 };

/** All that a reader makes of a text that comes in pieces of `size` bytes. */
function read(text: string, size: number) {
  const bytes = new TextEncoder().encode(text), reader = new ListingReader();
  const batches = [];
  for (let i = 0; i < bytes.length; i += size) batches.push(reader.push(bytes.slice(i, i + size)));
  batches.push(reader.end());
  return { head: batches.find((b) => b.head)?.head, entries: batches.flatMap((b) => b.entries) };
}

Deno.test("ListingReader: pieces of any size, the same listing", () => {
  const entries: Entry[] = [{ ...FILE, name: "d/", files: 1, dirs: 0 }, FILE, {
    ...FILE,
    name: "\n\u2028",
    target: "x",
  }];
  for (const listing of [{ ...HEAD, entries }, { ...HEAD, entries: [] }]) {
    const text = renderJson(listing);
    for (const size of [1, 2, 3, 7, 64, 4096]) {
      assertEquals(read(text, size), { head: HEAD, entries: listing.entries });
    }
  }
  assertEquals(read(JSON.stringify({ ...HEAD, entries: [] }), 9).entries, []);
});

Deno.test("ListingReader: entries appear with the line that ends them", () => {
  const reader = new ListingReader();
  const [head, row] = renderJson({ ...HEAD, entries: [FILE] }).split("\n");
  const push = (text: string) => reader.push(new TextEncoder().encode(text));
  assertEquals(push(head), { entries: [] });
  assertEquals(push("\n").head, HEAD);
  assertEquals(push(row), { entries: [] });
  assertEquals(push("\n").entries, [FILE]);
  assertEquals(reader.complete, false);
});

Deno.test("ListingReader: a listing that breaks off or is none, an error", () => {
  const text = renderJson({ ...HEAD, entries: [FILE, FILE] });
  for (const broken of ["", text.slice(0, -3), text.slice(0, 20), text.slice(0, -30), "<html>"]) {
    assertThrows(() => read(broken, 50));
  }
  assertThrows(() => read('{"v":2,"entries":[\n]}\n', 50), Error, "version 2");
});

Deno.test("rowOf: each kind of entry, the row it becomes", () => {
  const at = { time: "2025-11-20 10:00", exact: "2025-11-20T10:00:00Z" };
  const file = { ...at, size: "812 B", detail: "812 bytes", target: undefined };
  const cases: [Entry, Record<string, unknown>][] = [
    [FILE, { kind: "file", name: "가.zst", href: "%EA%B0%80.zst", ...file }],
    [{ ...FILE, name: "a b/", files: 3, dirs: 1 }, {
      ...file,
      kind: "dir",
      name: "a b/",
      href: "a%20b/",
      detail: "812 bytes in 3 files",
    }],
    [{ ...FILE, name: "l", target: "t" }, {
      ...file,
      kind: "link",
      name: "l",
      href: "l",
      target: "t",
    }],
    [{ ...FILE, bytes: 0, name: "l", target: "t", dir: true }, {
      ...file,
      kind: "link",
      name: "l/",
      href: "l/",
      target: "t",
      size: "",
      detail: "0 bytes",
    }],
    [{ ...FILE, bytes: 0, name: "l", target: "../..", broken: true }, {
      ...file,
      kind: "broken",
      name: "l",
      href: undefined,
      target: "../..",
      size: "",
      detail: "0 bytes",
    }],
    [{ ...FILE, name: "\ufffd", href: "%FF" }, {
      ...file,
      kind: "file",
      name: "\ufffd",
      href: "%FF",
    }],
    [{ ...FILE, name: "javascript:alert(1)" }, {
      ...file,
      kind: "file",
      name: "javascript:alert(1)",
      href: "javascript%3Aalert(1)",
    }],
    [{ ...FILE, name: "a\u202eb\n" }, {
      ...file,
      kind: "file",
      name: "a\\u202eb\\x0a",
      href: "a%E2%80%AEb%0A",
    }],
    [{ ...FILE, mtime: 0 }, {
      ...file,
      kind: "file",
      name: "가.zst",
      href: "%EA%B0%80.zst",
      time: "",
      exact: "",
    }],
  ];
  for (const [entry, row] of cases) assertEquals({ ...rowOf(entry) } as unknown, row);
});

Deno.test("crumbsOf: a path, its steps from the host on", () => {
  const cases: [string, [string, string][]][] = [
    ["/", []],
    ["/a/b%20c/", [["a", "/a/"], ["b c", "/a/b%20c/"]]],
    ["//evil.example/x/", [["evil.example", "/evil.example/"], ["x", "/evil.example/x/"]]],
    ["/%FF/%zz/", [["\ufffd", "/%FF/"], ["%zz", "/%FF/%zz/"]]],
    ["/%0A/", [["\\x0a", "/%0A/"]]],
  ];
  for (const [path, steps] of cases) {
    const crumbs = crumbsOf("host", path).map((c) => [c.name, c.href]);
    assertEquals(crumbs, [["host", "/"], ...steps]);
  }
});

Deno.test("summaryOf: totals with the right nouns", () => {
  assertEquals(summaryOf(HEAD), "1 directory · 2 files · 1.6 KiB · newest 2025-11-20 10:00 UTC");
  assertEquals(summaryOf({ ...HEAD, dirs: 1200 }).startsWith("1,200 directories"), true);
  assertEquals(summaryOf({ ...HEAD, dirs: 0, files: 0, bytes: 0, mtime: 0 }), "0 files · 0 B");
});

Deno.test("redirectedFrom: only where the URL is not the listing's own path", () => {
  const head = { ...HEAD, path: "/a b/c/" };
  const cases: [string, string | undefined][] = [
    ["/a%20b/c/", undefined],
    ["//a%20b/c/", undefined],
    ["/%61%20b/c/", undefined],
    ["/link/", "/a b/c/"],
    ["/%zz/", "/a b/c/"],
  ];
  for (const [path, real] of cases) assertEquals([path, redirectedFrom(head, path)], [path, real]);
});
