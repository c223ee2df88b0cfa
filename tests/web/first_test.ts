/** The page of a directory as it comes: its first rows, before the script is there, and what the script makes of them. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Page } from "playwright-core";
import { assertAccessible, type Bench, withBrowser } from "../helpers/browser.ts";
import { MIXED, packages, putListing } from "./listing_node.ts";

// playwright keeps timers and a pipe to the browser beyond what the sanitizers can follow.
const test = (name: string, body: (bench: Bench) => Promise<void>) =>
  Deno.test({ name, fn: () => withBrowser(body), sanitizeOps: false, sanitizeResources: false });

/** Opens a directory, and holds back what fits a pattern until it is let go. */
async function held({ browser, url }: Bench, path: string, pattern: string, width: number) {
  const page = await (await browser.newContext({ viewport: { width, height: 800 } })).newPage();
  const complaints: string[] = [], { promise, resolve: go } = Promise.withResolvers<void>();
  page.on("console", (m) => m.type() === "info" || complaints.push(m.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.route(pattern, async (route) => {
    await promise;
    await route.continue().catch(() => {});
  });
  await page.goto(url + path, { waitUntil: "commit" });
  return { page, complaints, go };
}

/** What the rows say and where they stand, and where that is which stands around them. */
const seen = (page: Page) =>
  page.evaluate<[string[], number[]][]>(`(() => {
    const selector = ".rows .row, .row.head, .head > :not(.ago), .crumbs, .tools";
    return [...document.querySelectorAll(selector)].filter((e) => e.checkVisibility())
      .map((e) => {
        const { top, height, left, right } = e.getBoundingClientRect();
        const cells = e.matches(".rows .row") ? [...e.children].slice(0, 4) : [];
        const box = [top, height, left, right].map((n) => Math.round(n * 10) / 10);
        return [cells.map((cell) => cell.innerText), box];
      });
  })()`);

/** Waits for the script. (The page's policy lets nothing be evaluated in it but by the debugger.) */
async function scripted(page: Page) {
  while (!await page.evaluate("customElements.get('listing-page') !== undefined")) {
    await page.waitForTimeout(20);
  }
}

test("first rows: there before the script, and at the same place when it has come", async (bench) => {
  await bench.node.ready("arch");
  await putListing(bench.node, "/arch/mixed/", MIXED);
  await putListing(bench.node, "/arch/many/", packages(200));
  // (A README is named, and may wrap the line of totals, when all has come.)
  const files = MIXED.filter((entry) => !entry.name.startsWith("README"));
  await putListing(bench.node, "/arch/files/", files);
  for (const [path, width] of [["mixed", 1280], ["many", 1280], ["files", 390], ["many", 390]]) {
    const { page, complaints, go } = await held(
      bench,
      `/arch/${path}/`,
      "**/assets/listing-*.js",
      Number(width),
    );
    await page.locator(".rows .row").first().waitFor();
    const before = await seen(page);
    const more = await page.getByRole("link", { name: "…" }).count();
    assertEquals(more, path === "many" ? 1 : 0);
    go();
    await page.getByRole("row").first().waitFor();
    await page.locator("[role=grid][aria-busy=false]").waitFor();
    const after = await seen(page);
    // (The script makes no rows far below the view.)
    const both = Math.min(before.length, after.length);
    assert(both > 10, `${both} rows`);
    assertEquals(after.slice(0, both), before.slice(0, both), `${path} at ${width}`);
    assertEquals(complaints, []);
    await page.close();
  }
});

test("first rows: they stay while the listing does not come, and can be followed", async (bench) => {
  await bench.node.ready("arch");
  await putListing(bench.node, "/arch/mixed/", MIXED);
  await putListing(bench.node, "/arch/mixed/core/", packages(3));
  const { page, go } = await held(bench, "/arch/mixed/", "**/mixed/?format=json", 1280);
  await scripted(page);
  assert(await page.getByRole("row").count() > 10);
  await assertAccessible(page);
  await page.getByRole("link", { name: "core/", exact: true }).click();
  await page.waitForURL("**/mixed/core/");
  await page.getByRole("row").nth(3).waitFor();
  await page.goBack({ waitUntil: "commit" });
  await page.getByRole("row").nth(9).waitFor();
  await scripted(page);
  await page.keyboard.press("Backspace");
  await page.waitForURL("**/arch/");
  go();
});

test("first rows: who stands on one with the keyboard goes on from there", async (bench) => {
  await bench.node.ready("arch");
  await putListing(bench.node, "/arch/many/", packages(200));
  const { page, go } = await held(bench, "/arch/many/", "**/many/?format=json", 1280);
  await scripted(page);
  const link = (i: number) => page.locator(".rows .row a").nth(i);
  const at = () => page.evaluate<string>("document.activeElement.textContent");
  await link(3).focus();
  const [fourth, fifth] = [await link(3).innerText(), await link(4).innerText()];
  go();
  await page.locator("[role=grid][aria-busy=false]").waitFor();
  assertEquals(await at(), fourth);
  await page.keyboard.press("ArrowDown");
  await page.locator(".active a", { hasText: fifth }).waitFor();
  assertEquals(await at(), fifth);
});

test("first rows: who sorts or presses keys before the listing has come gets that with it", async (bench) => {
  await bench.node.ready("arch");
  await putListing(bench.node, "/arch/many/", packages(200));
  const { page, complaints, go } = await held(bench, "/arch/many/", "**/many/?format=json", 1280);
  await scripted(page);
  await page.locator(".rows .row .time").first().click();
  for (const key of ["ArrowDown", "End", " ", "p", "?"]) await page.keyboard.press(key);
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("key-help").waitFor({ state: "detached" });
  await page.keyboard.press("/");
  await page.keyboard.type("8-1");
  await page.getByRole("button", { name: "Size" }).click();
  go();
  await page.locator("[role=grid][aria-busy=false]").waitFor();
  assertEquals(complaints, []);
  assertEquals(await page.locator("[aria-sort=descending]").innerText(), "Size");
  const names = await page.locator(".rows .row .name a").allInnerTexts();
  assert(names.length > 1 && names.every((name) => name.includes("8-1")), names.join());
  const sizes = await page.locator(".rows .row .size").allInnerTexts();
  assertEquals([sizes[0], sizes.at(-1)], ["19 MiB", "818 KiB"]);
});

test("first rows: without a connection, who comes near a row loses no more than its tooltips", async (bench) => {
  await bench.node.ready("arch");
  await putListing(bench.node, "/arch/many/", packages(200));
  const { page, complaints, go } = await held(bench, "/arch/many/", "**/unused", 1280);
  go();
  await page.locator("[role=grid][aria-busy=false]").waitFor();
  await page.route("**/assets/near-*.js", (route) => route.abort());
  await page.locator(".rows .row").nth(2).hover();
  await page.locator(".rows .row a").nth(3).hover();
  await page.waitForTimeout(200);
  // (The browser itself says that a file did not come.)
  assertEquals(complaints.filter((text) => !text.startsWith("Failed to load resource")), []);
  assertEquals(complaints.length > 0, true);
});

test("first rows: they stay where the listing cannot come, and that is said", async ({ node, url, browser }) => {
  await node.ready("arch");
  await putListing(node, "/arch/many/", packages(200));
  const page = await (await browser.newContext()).newPage();
  await page.route("**/many/?format=json", (route) => route.abort());
  await page.goto(`${url}/arch/many/`, { waitUntil: "commit" });
  await page.getByRole("alert").waitFor();
  assertEquals(await page.locator(".rows .row").count(), 20);
  assertEquals(await page.getByRole("link", { name: "…" }).count(), 1);
  assertStringIncludes(await page.locator(".summary").innerText(), "200 files");
  await assertAccessible(page);
});

test("first rows: with them, a first visit transfers at most 30 kB", async (bench) => {
  await bench.node.ready("arch");
  await putListing(bench.node, "/arch/many/", packages(200));
  const { page } = await bench.open("/arch/many/");
  await page.locator("page-settings select").first().waitFor();
  const sizes = await page.evaluate<[string, number][]>(
    `[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
      .filter((r) => !/json|svg/.test(r.name)).map((r) => [r.name, r.encodedBodySize])`,
  );
  const sum = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
  assert(sizes.length === 7 && sum > 20_000 && sum <= 30_000, `${sum} bytes: ${sizes}`);
});
