/** What the home page says, from data to words. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { CLIENTS, newestImages, snippetsFor, sumOf } from "../../formats/clients.ts";
import { readHealth, type RepoHealth } from "../../formats/health.ts";
import { translator } from "../../formats/messages.ts";
import { duration, relative } from "../../formats/moments.ts";
import { repoView } from "../../formats/repo_view.ts";
import { withoutEmpty } from "../../formats/state_row.ts";
import { contrast, PALETTE, siteCss, wordsIn } from "../../formats/site.ts";
import { newStatus } from "../../formats/status.ts";
import { profiles } from "../../scripts/profiles/mod.ts";

const NOW = 1_795_262_400, t = translator("en");

Deno.test("relative: a moment in words, before and after", () => {
  const cases: [number, string][] = [
    [0, "just now"],
    [-44, "just now"],
    [-45, "1 min ago"],
    [-240, "4 min ago"],
    [-89 * 60, "89 min ago"],
    [-90 * 60, "2 hours ago"],
    [-47 * 3600, "47 hours ago"],
    [-48 * 3600, "2 days ago"],
    [30, "any moment"],
    [3360, "in 56 min"],
    [100 * 86_400, "in 100 days"],
  ];
  for (const [after, text] of cases) {
    assertEquals([after, relative(NOW + after, NOW, t)], [after, text]);
  }
});

const health = (fields: Partial<RepoHealth>): RepoHealth => ({
  ...newStatus("arch", "/arch/", "arch"),
  outcome: "synced",
  state: "fresh",
  reason: "",
  ready: true,
  staleAfterSeconds: 86_400,
  lastIndex: null,
  lastSuccess: NOW - 240,
  ...fields,
});

Deno.test("repoView: a badge for each state, and the reason in words", () => {
  const error = { at: NOW, message: "it broke.", hint: null };
  const cases: [Partial<RepoHealth>, string, RegExp][] = [
    [{}, "fresh", /^$/],
    [{ outcome: "running" }, "fresh", /^A sync is running\.$/],
    [{ state: "stale" }, "stale", /not synced for longer than 1 d, which/],
    [{ state: "stale", lastSuccess: null }, "stale", /not known/],
    [
      { outcome: "failed", lastError: error },
      "failed",
      /^The last run failed: it broke\. What is served is complete, as of 4 min ago\.$/,
    ],
    [{ outcome: "interrupted" }, "failed", /interrupted/],
    [
      { outcome: "failed", state: "stale", lastError: error },
      "failed",
      /it broke\. It was not synced for longer/,
    ],
    [{ ready: false, outcome: null, lastSuccess: null }, "initial", /once its first sync/],
    [
      { ready: false, outcome: "failed", lastSuccess: null, lastError: error },
      "initial",
      /once its first sync is complete\. The last run failed: it broke\.$/,
    ],
    // An error of long ago, and a run that was good since.
    [{ lastError: error }, "fresh", /^$/],
  ];
  for (const [fields, badge, reason] of cases) {
    const view = repoView(health(fields), NOW, t);
    assertEquals([view.badge, view.state], [badge, t(`repo.${badge as "fresh"}`)]);
    assertMatch(view.reason, reason);
  }
});

Deno.test("repoView: what is not known is a dash, never a zero", () => {
  const { cells } = repoView(health({ lastSuccess: null }), NOW, t);
  assertEquals(cells.map((c) => c.text), ["–", "–", "–", "–", "–"]);
});

Deno.test("repoView: a next run that has passed is due for a minute, and then unknown", () => {
  const next = (nextRun: number | null) =>
    repoView(health({ nextRun }), NOW, t).cells.find((c) => c.key === "repo.next")!.text;
  assertEquals([NOW + 3360, NOW - 30, NOW - 61, null].map(next), [
    "in 56 min",
    "any moment",
    "–",
    "–",
  ]);
});

Deno.test("withoutEmpty: a column of which nothing is known in any row is left out", () => {
  const rows = [{}, { size: { bytes: 812, files: 1 } }].map((f) => repoView(health(f), NOW, t));
  const texts = withoutEmpty(rows).map((row) => row.cells.map((cell) => cell.text));
  assertEquals(texts, [["4 min ago", "–"], ["4 min ago", "812 B"]]);
});

Deno.test("duration: in the reader's language", () => {
  assertEquals([0, 5400, 90_000].map((s) => duration(s, t)), ["0 s", "1 h 30 min", "1 d 1 h"]);
  const ko = translator("ko");
  assertEquals([0, 5400, 90_000].map((s) => duration(s, ko)), ["0초", "1시간 30분", "1일 1시간"]);
});

Deno.test("readHealth: what is damaged or of another version is nothing", () => {
  const good = JSON.stringify({ v: 1, site: {}, time: NOW, healthy: true, repos: [health({})] });
  assertEquals(readHealth(good)?.repos[0].repo, "arch");
  for (const bad of ["", "null", good.slice(1), good.replace('"v":1', '"v":2'), `{"v":1}`]) {
    assertEquals(readHealth(bad), undefined);
  }
});

Deno.test("CLIENTS: every profile has its clients, and no other", () => {
  assertEquals(Object.keys(CLIENTS).sort(), Object.keys(profiles).sort());
});

Deno.test("snippetsFor: what a client writes, by profile and protocol", () => {
  const text = (profile: string, url: string) =>
    snippetsFor(profile, url, "trixie").map((s) => s.text).join("---\n");
  const https = "https://m.example/x/";
  assertEquals(text("arch", https), `Server = ${https}$repo/os/$arch\n`);
  assertStringIncludes(text("debian", https), `URIs: ${https}\nSuites: trixie trixie-updates\n`);
  assertStringIncludes(text("debian", https), `deb ${https} trixie main`);
  assertEquals(text("alpine", https).split("\n")[0], `${https}latest-stable/main`);
  assertStringIncludes(text("fedora", https), `baseurl=${https}releases/$releasever/`);
  assertStringIncludes(text("el", https), `baseurl=${https}$releasever/BaseOS/$basearch/os/`);
  assertEquals(text("generic", https), "");
  assertEquals(text("arch", "ftp://m.example/x/"), "");
  for (const profile of Object.keys(CLIENTS)) {
    assertMatch(
      text(profile, "rsync://m.example/x/"),
      /^rsync -\w+ .*rsync:\/\/m\.example\/x\/ DIR/,
    );
    assert(!/\{\w+\}/.test(text(profile, https)), profile);
  }
});

Deno.test("sumOf: the sum of a file in each form of list", () => {
  const sum = "ab".repeat(32), other = "cd".repeat(32);
  const cases: [string, string, string | undefined][] = [
    ["x.iso", `${other}  y.iso\n${sum}  x.iso\n`, sum],
    ["x.iso", `${sum.toUpperCase()} *x.iso\n`, sum],
    ["mini.iso", `${other}  ./netboot/gtk/mini.iso.gz\n${sum}  ./netboot/mini.iso\n`, sum],
    ["x.iso", `# x.iso: 5 bytes\nSHA256 (x.iso) = ${sum}\n`, sum],
    ["x.iso", `SHA512 (x.iso) = ${sum}${sum}\n`, undefined],
    ["x.iso", `${sum}  not-x.iso\n`, undefined],
    ["x.iso", "", undefined],
  ];
  for (const [name, list, expected] of cases) assertEquals(sumOf(name, list), expected);
});

Deno.test("newestImages: of each kind the newest", () => {
  const names = ["a-1.9-x.iso", "a-1.10-x.iso", "b-1.9-x.iso", "a-1.9-x.iso.sig"];
  const entries = names.map((name, mtime) => ({ name, mtime }));
  assertEquals(newestImages(entries, /\.iso$/).map((e) => e.name), ["a-1.10-x.iso", "b-1.9-x.iso"]);
});

Deno.test("the palette can be read: contrast as WCAG asks", () => {
  assertEquals(contrast("#ffffff", "#000000"), 21);
  for (const i of [0, 1]) {
    assert(contrast(PALETTE.text[i], PALETTE.paper[i]) >= 7);
    assert(contrast(PALETTE.accent[i], PALETTE.paper[i]) >= 4.5);
  }
});

Deno.test("siteCss: colours over the palette, unless the reader asks for more contrast", () => {
  assertEquals(siteCss({}, ["en", "ko"]), `:root {\n  --languages: "en ko";\n}\n`);
  const css = siteCss({ accent: ["#123456", "#abcdef"] }, ["ko"]);
  assertStringIncludes(css, "@media (prefers-contrast: no-preference) and (forced-colors: none)");
  assertStringIncludes(css, "--accent: light-dark(#123456, #abcdef);");
});

Deno.test("wordsIn: the language's own, else the first that there is", () => {
  assertEquals(wordsIn("x", "ko", ["en"]), "x");
  assertEquals(wordsIn({ en: "x", ko: "y" }, "ko", ["en", "ko"]), "y");
  assertEquals(wordsIn({ en: "x" }, "ko", ["ko", "en"]), "x");
});
