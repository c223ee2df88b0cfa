/** The page in a real browser: what it shows, and what it does not let happen. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/posix";
import type { Page } from "playwright-core";
import { type Bench, withBrowser } from "../helpers/browser.ts";

/** Names that would run something, were they taken for markup or for a URL. */
const HOSTILE = [
  "<img src=x onerror=sentinel=1>",
  "<script>sentinel=1<",
  "javascript:sentinel=1",
  '"><svg onload=sentinel=1>',
  "' onmouseover='sentinel=1",
  "${sentinel=1}",
  "\u202egnp.exe",
  "a\nb",
];

const shown = (page: Page) => page.locator("#listing .row:not(.head) .name").allTextContents();
const complete = (page: Page) => page.locator('#listing[aria-busy="false"]').waitFor();

// playwright keeps timers and a pipe to the browser beyond what the sanitizers can follow.
const test = (name: string, body: (bench: Bench) => Promise<void>) =>
  Deno.test({
    name,
    fn: () =>
      withBrowser(async (bench) => {
        await bench.node.ready("arch");
        await body(bench);
      }),
    sanitizeOps: false,
    sanitizeResources: false,
  });

test("page: rows, totals and crumbs of a directory, without a complaint", async ({ node, open }) => {
  await node.write("arch/a b/x", "12345");
  await node.write("arch/b.zst", "12345");
  await node.list("/arch/");
  const { page, complaints } = await open("/arch/");
  await complete(page);
  assertEquals(await shown(page), ["..", "a b/", "b.zst"]);
  assertStringIncludes(await page.locator("#summary").innerText(), "1 file · 5 B");
  assertEquals(await page.locator("#crumbs a").last().innerText(), "arch");
  assertStringIncludes(await page.title(), "arch");
  const [download] = [await page.request.get(page.url() + "b.zst")];
  assertEquals(await download.text(), "12345");
  assertEquals(complaints, []);
  await page.keyboard.press("Tab");
  assertEquals(await page.evaluate("document.activeElement.tagName"), "A");
});

test("page: hostile names are text, run nothing, and lead to their files", async ({ node, open }) => {
  for (const name of HOSTILE) await node.write(`arch/${name}`, name);
  await node.list("/arch/");
  const { page, complaints } = await open("/arch/");
  await complete(page);
  const names = await shown(page);
  for (const name of HOSTILE.slice(0, 6)) assert(names.includes(name), `${name} is not shown`);
  assertEquals(await page.evaluate("typeof sentinel"), "undefined");
  assertEquals(await page.locator("main img, main script, main svg").count(), 0);
  const links: string[] = await page.locator("#listing .file a").evaluateAll((all) =>
    (all as unknown as { href: string }[]).map((a) => a.href)
  );
  const contents = [];
  for (const link of links) contents.push(await (await page.request.get(link)).text());
  assertEquals(contents.sort(), HOSTILE.toSorted());
  assertEquals(complaints, []);
});

test("page: script from upstream is not run, neither opened nor included", async ({ node, open }) => {
  await node.write("arch/x.html", "<script>document.title='ran'</script><p>text</p>");
  await node.write("arch/x.svg", `<svg xmlns="http://www.w3.org/2000/svg" onload="x=1"/>`);
  await node.write("arch/x.js", "globalThis.sentinel = 1");
  await node.list("/arch/");
  const { page } = await open("/arch/x.html");
  assertEquals(await page.title(), "");
  assertEquals(await page.locator("p").innerText(), "text");
  await page.goto(page.url().replace("x.html", ""));
  await complete(page);
  const ran = await page.evaluate(`new Promise((resolve) => {
    const script = document.createElement("script");
    script.onload = () => resolve("ran");
    script.onerror = () => resolve("refused");
    try { script.src = "x.js"; document.head.append(script); } catch { resolve("refused"); }
  })`);
  assertEquals(ran, "refused");
});

test("page: without JavaScript, the plain listing", async ({ node, open }) => {
  await node.write("arch/b.zst", "12345");
  await node.list("/arch/");
  const { page } = await open("/arch/", { javaScriptEnabled: false });
  await page.waitForURL("**/arch/?format=html");
  assertStringIncludes(await page.locator("body").innerText(), "b.zst");
});

test("page: a listing that breaks off is said, with what came and a way on", async ({ node, open }) => {
  await node.write("arch/b.zst", "12345");
  await node.write("arch/c.zst", "12345");
  await node.list("/arch/");
  const path = join(node.data, "indexes/arch/index.json");
  await Deno.writeTextFile(
    path,
    (await Deno.readTextFile(path)).replace(/\n[^\n]*\n\]\}\n$/, "\n"),
  );
  const { page } = await open("/arch/");
  await complete(page);
  assertEquals((await shown(page)).length, 2);
  assertStringIncludes(await page.getByRole("alert").innerText(), "broke off");
  assertEquals(await page.getByRole("alert").locator("a").getAttribute("href"), "?format=html");
});

test("page: what is not there or not ready, the real status and a page that says so", async ({ open }) => {
  const { page } = await open("/arch/nix/");
  assertStringIncludes(await page.locator("body").innerText(), "404 Not found");
  assertEquals((await page.reload())!.status(), 404);
  await page.goto(page.url().replace("nix/", ""));
  assertStringIncludes(await page.locator("body").innerText(), "not listed yet");
});

test("page: 20,000 rows, usable while they come, and all there", async ({ node, open }) => {
  const rows = Array.from(
    { length: 20_000 },
    (_, i) => `{"name":"package-${i}.tar.zst","bytes":${i},"mtime":1763632800}`,
  );
  const head = `{"v":1,"path":"/arch/","bytes":0,"mtime":1,"files":20000,"dirs":0,"entries":[\n`;
  await node.list("/arch/");
  await Deno.writeTextFile(
    join(node.data, "indexes/arch/index.json"),
    head + rows.join(",\n") + "\n]}\n",
  );
  const { page, complaints } = await open("/arch/");
  await complete(page);
  assertEquals(await page.locator("#listing .file").count(), 20_000);
  await page.keyboard.press("End");
  await page.getByText("package-19999.tar.zst").waitFor({ state: "visible" });
  assertEquals(complaints, []);
});

test("page: nothing is wider than a phone", async ({ node, open }) => {
  await node.write(`arch/${"x".repeat(250)}`, "12345");
  await node.list("/arch/");
  const { page } = await open("/arch/", { viewport: { width: 390, height: 844 } });
  await complete(page);
  assertEquals(await page.evaluate("document.documentElement.scrollWidth"), 390);
});
