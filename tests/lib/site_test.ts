/** The `[site]` table: what is allowed in it, and messages for what is not. */
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { readConfig } from "../../scripts/lib/config.ts";

const REPO = `[[repo]]\nname = "a"\nprofile = "arch"\nupstream = ["/srv/x/"]\n`;
const site = (lines: string) =>
  readConfig(`[site]\nname = "m.x"\n${lines}\n${REPO}`, "m.toml").site;

Deno.test("[site]: defaults", () => {
  const { name, languages, links, colors, urls } = site("");
  assertEquals({ name, languages, links, colors, urls }, {
    name: "m.x",
    languages: ["en", "ko"],
    links: [],
    colors: {},
    urls: undefined,
  });
});

Deno.test("[site]: what may stand in it", () => {
  const found = site(
    `about = { ko = "소개" }\nprivacy = "none"\nsource = "https://x.example/y"\nlanguages = ["ko"]\n` +
      `links = [{ text = { en = "x" }, url = "mailto:a@b" }, { text = "y", url = "/arch/" }]\n` +
      `urls = ["https://m.x/", "rsync://m.x:8873/", "ftp://m.x/pub/"]\n` +
      `colors = { accent = ["#003366", "#aaccee"] }`,
  );
  assertEquals([found.about, found.languages, found.urls?.length], [{ ko: "소개" }, ["ko"], 3]);
});

Deno.test("[site]: what is wrong is said with the key, the value, and what is allowed", () => {
  const table: [string, RegExp][] = [
    [`about = 5`, /site\.about = 5 is not allowed; allowed is a text, or one a language/],
    [
      `about = { de = "x" }`,
      /site\.about.* not allowed; allowed is a text, or one a language: \{ en/,
    ],
    [`languages = ["de"]`, /languages\[0\] = "de" is not allowed; allowed are en, ko/],
    [`languages = []`, /languages = \[\] .*at least one language/],
    [`links = [{ text = "x", url = "javascript:x" }]`, /url = "javascript:x" is not allowed/],
    [`links = [{ text = "x", url = "//evil.example/" }]`, /url = "\/\/evil\.example\/"/],
    [`urls = ["https://m.x"]`, /urls\[0\] = "https:\/\/m\.x" is not allowed; allowed is the root/],
    [`urls = ["https://u@m.x/"]`, /urls\[0\]/],
    [`source = "x"`, /source = "x" is not allowed; allowed is a URL/],
    [`colors = { accent = ["red", "blue"] }`, /colors\.accent\[0\] = "red" .*pair of colours/],
    [
      `colors = { accent = ["#cccccc", "#8cc2e8"] }`,
      /accent #cccccc on light paper #fdfcfa has a contrast of 1\.6, needed is 4\.5/,
    ],
    [`colors = { link = ["#000000", "#ffffff"] }`, /unknown key site\.colors\.link/],
    [`colour = 1`, /unknown key site\.colour/],
  ];
  for (const [lines, expected] of table) {
    assertMatch(assertThrows(() => site(lines)).message, expected);
  }
});
