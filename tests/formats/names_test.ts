import { assertEquals, assertThrows } from "@std/assert";
import {
  compareNames,
  escapeHtml,
  fromBytes,
  fromHref,
  fromText,
  toBytes,
  toDisplay,
  toHref,
  toText,
  toTextLossy,
} from "../../formats/names.ts";

Deno.test("raw names: every byte survives bytes → raw → href → raw → bytes", () => {
  const all = Uint8Array.from({ length: 255 }, (_, i) => i + 1);
  const raw = fromBytes(all);
  assertEquals(fromHref(toHref(raw)), raw);
  assertEquals(toBytes(raw), all);
});

Deno.test("toText, fromText: UTF-8 both ways, undefined for other bytes", () => {
  assertEquals(toText(fromText("café 한국 😀")), "café 한국 😀");
  assertEquals(toText("bad\xff"), undefined);
  assertEquals(toTextLossy("bad\xff"), "bad\ufffd");
  assertEquals(toText("\xef\xbb\xbfbom"), "\ufeffbom");
});

Deno.test("toHref: what a URL or HTML could misread is encoded", () => {
  const table: [string, string][] = [
    ["plain-1.0_x~y.tar.gz", "plain-1.0_x~y.tar.gz"],
    ["a b", "a%20b"],
    ["a:b", "a%3Ab"],
    ["100%", "100%25"],
    ["#?", "%23%3F"],
    [`"<>&'`, "%22%3C%3E%26%27"],
    ["c++", "c++"],
    [fromText("é"), "%C3%A9"],
    ["\xff\n", "%FF%0A"],
    ["a/b", "a/b"],
    ["a\\b", "a%5Cb"],
  ];
  for (const [raw, href] of table) assertEquals([raw, toHref(raw)], [raw, href]);
});

Deno.test("fromHref: a broken escape or a character beyond ASCII, throws", () => {
  for (const bad of ["%", "%g0", "%1", "é", "a b", "a\n"]) {
    assertThrows(() => fromHref(bad), URIError);
  }
});

Deno.test("toDisplay: what breaks lines or turns text around is shown, the rest stays", () => {
  assertEquals(toDisplay("a\nb\x1b[31m\u202etxt.exe"), "a\\x0ab\\x1b[31m\\u202etxt.exe");
  assertEquals(toDisplay("\u200b\ufeff"), "\\u200b\\ufeff");
  assertEquals(toDisplay("café 한국 😀"), "café 한국 😀");
});

Deno.test("escapeHtml: the five characters", () => {
  assertEquals(
    escapeHtml(`<a href="x">'&'</a>`),
    "&#60;a href=&#34;x&#34;&#62;&#39;&#38;&#39;&#60;/a&#62;",
  );
});

Deno.test("compareNames: natural and total order", () => {
  const sorted = [
    "",
    "A",
    "a",
    "a1",
    "a01",
    "a2",
    "a10",
    "a10b",
    "a10b2",
    "b",
    "linux-6.9",
    "linux-6.10",
    "z",
  ];
  const expected = [...sorted].sort((x, y) => sorted.indexOf(x) - sorted.indexOf(y));
  // Equal as numbers: by code unit.
  expected.splice(3, 2, "a01", "a1");
  assertEquals([...sorted].reverse().sort(compareNames), expected);
  for (const a of sorted) {
    for (const b of sorted) {
      assertEquals(Math.sign(compareNames(a, b)) + Math.sign(compareNames(b, a)), 0, `${a} ${b}`);
      assertEquals(compareNames(a, b) === 0, a === b);
    }
  }
});
