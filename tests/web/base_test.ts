/** What all pages share, in a real browser: appearance, language, and that nothing else is stored. */
import { assert, assertEquals } from "@std/assert";
import type { Route } from "playwright-core";
import { type Bench, openPage, withBrowser } from "../helpers/browser.ts";

// playwright keeps timers and a pipe to the browser beyond what the sanitizers can follow.
const test = (name: string, body: (bench: Bench) => Promise<void>) =>
  Deno.test({ name, fn: () => withBrowser(body), sanitizeOps: false, sanitizeResources: false });

test("base: appearance and language are chosen, kept, and nothing else is stored", async (bench) => {
  const { node, open, url } = bench;
  await node.ready("arch");
  await node.list("/arch/");
  const { page, complaints } = await open("/arch/", { locale: "ko-KR", colorScheme: "light" });
  const paper = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
  const language = () => page.evaluate("document.documentElement.lang");
  const about = page.locator("footer a[data-t=about]");
  await page.locator("html[lang=ko]").waitFor();
  assertEquals([await language(), await about.innerText()], ["ko", "이 미러에 대하여"]);
  const light = await paper();
  await page.getByRole("combobox", { name: "화면" }).selectOption("dark");
  const dark = await paper();
  assertEquals(light === dark, false);
  await page.getByRole("combobox", { name: "언어" }).selectOption("en");
  assertEquals([await language(), await about.innerText()], ["en", "About this mirror"]);
  await page.getByRole("combobox", { name: "Appearance" }).waitFor();
  await page.reload();
  assertEquals([await paper(), await language()], [dark, "en"]);
  assertEquals(
    await page.evaluate("Object.entries(localStorage).sort().join(';')"),
    [
      "mirrorkit.language,en",
      "mirrorkit.theme,dark",
    ].join(";"),
  );
  await page.getByRole("combobox", { name: "Appearance" }).selectOption("auto");
  assertEquals(await paper(), light);
  // What is said in it was not loaded with this page.
  await page.getByRole("combobox", { name: "Language" }).selectOption("ko");
  await page.locator("html[lang=ko]").waitFor();
  assertEquals(await about.innerText(), "이 미러에 대하여");
  assertEquals(await page.context().cookies(url), []);
  assertEquals(complaints, []);
});

test("base: a language of right-to-left script mirrors the page, none runs over its edge", async (bench) => {
  await bench.node.ready("arch");
  await bench.node.list("/arch/");
  const { page } = await bench.open("/arch/", { viewport: { width: 320, height: 600 } });
  await page.evaluate("document.documentElement.dir = 'rtl'");
  assertEquals(await page.evaluate("document.documentElement.scrollWidth"), 320);
});

test("base: a style sheet that comes after the scripts is waited for, one that never comes is not", async (bench) => {
  const { node, browser, url } = bench;
  await node.ready("arch");
  await node.write("arch/x.iso", "x");
  await node.list("/arch/");
  const open = async (answer: (route: Route, script: Promise<unknown>) => Promise<void>) => {
    const { page } = await openPage(browser, `${url}/arch/`, {}, async (page) => {
      // (The page itself cannot be asked: it makes no frames as long as it waits for its style sheet.)
      const script = page.waitForEvent("requestfinished", (r) => r.url().includes("/listing-"));
      await page.route("**/assets/page-*.css", (route) => answer(route, script));
    });
    await page.locator("[role=grid][aria-busy=false]").waitFor();
    return await page.locator(".rows .row").first().evaluate((row) =>
      row.getBoundingClientRect().height
    );
  };
  const late = async (route: Route, script: Promise<unknown>) => {
    await script;
    await new Promise((r) => setTimeout(r, 100));
    await route.continue();
  };
  assertEquals(await open(late), 32);
  assert(await open((route) => route.abort()) > 10);
});
