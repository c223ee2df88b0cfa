/** The home page in a real browser: what it shows, keeps current, lets one choose, and what it weighs. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { BrowserContextOptions, Page } from "playwright-core";
import { writeLiveEvent } from "../../formats/stats.ts";
import {
  assertAccessible,
  assertLooks,
  type Bench,
  LOOKS,
  type Opened,
  withBrowser,
} from "../helpers/browser.ts";
import { NOW } from "../server/fixture.ts";
import { fakeEvent, makeHomeNode } from "./home_node.ts";
import { openHome } from "./home_page.ts";

type HomeBench = Bench & { home(options?: BrowserContextOptions): Promise<Opened> };

// playwright keeps timers and a pipe to the browser beyond what the sanitizers can follow.
const test = (name: string, body: (bench: HomeBench) => Promise<void>) =>
  Deno.test({
    name,
    fn: () =>
      withBrowser(
        (bench) =>
          body({
            ...bench,
            home: (options) => openHome(bench.browser, `${bench.url}/`, options),
          }),
        makeHomeNode,
        () => NOW,
      ),
    sanitizeOps: false,
    sanitizeResources: false,
  });

/** Everything has come, and the elements have taken over. */
async function settled(page: Page) {
  await page.locator("repo-list > div table").waitFor();
  await page.locator("node-list > div table").waitFor();
  await page.locator("traffic-history svg").waitFor();
  await page.locator("traffic-meter polyline").first().waitFor();
}

const state = (page: Page, repo: string) =>
  page.locator(`repo-list tr:has(a:text-is("${repo}")) .badge`).innerText();

test("home: looks as it was decided, wide and on a phone, light and dark", async ({ home }) => {
  for (const { name, ...look } of LOOKS) {
    const { page, complaints } = await home(look);
    await settled(page);
    await assertLooks(page, `home-${name}`);
    const width: number = await page.evaluate("document.documentElement.scrollWidth");
    assertEquals(width, look.viewport.width);
    assertEquals(complaints, []);
  }
});

test("assertLooks: one row that is a pixel lower, or another word, is noticed", async ({ home }) => {
  if (Deno.env.get("SCREENS") === "write") return;
  const [{ name, ...look }] = LOOKS;
  for (
    const change of [
      "document.querySelector('repo-list tbody td').style.paddingTop = '9px'",
      "document.querySelector('repo-list .badge').textContent = 'Fresh'",
    ]
  ) {
    const { page } = await home(look);
    await settled(page);
    await page.evaluate(change);
    await assertRejects(() => assertLooks(page, `home-${name}`, false), Error, "looks different");
  }
});

test("home: axe finds nothing, with all that can be opened open", async ({ home }) => {
  const { page } = await home();
  await settled(page);
  await page.getByText("Numbers").click();
  await page.locator("traffic-history table").waitFor();
  await assertAccessible(page);
});

test("home: nothing is wider than its screen, from 320 px to 4K, in either direction", async ({ home }) => {
  const { page } = await home();
  await settled(page);
  for (const direction of ["ltr", "rtl"]) {
    await page.evaluate(`document.documentElement.dir = "${direction}"`);
    for (const width of [320, 390, 700, 900, 1280, 3840]) {
      await page.setViewportSize({ width, height: 900 });
      const found = await page.evaluate("document.documentElement.scrollWidth");
      assertEquals([direction, width, found], [direction, width, width]);
    }
  }
});

test("home: states follow /status.json; a mirror out of reach is said, and mended", async ({ home, node }) => {
  const { page } = await home();
  await settled(page);
  assertEquals(await state(page, "archlinux"), "Up to date");
  const asked = async () => await page.evaluate("dispatchEvent(new Event('online'))");
  await page.route("**/status.json", (route) => route.abort());
  await asked();
  await page.getByText("cannot reach the mirror").waitFor();
  assertEquals(await state(page, "archlinux"), "Up to date");
  await node.status("archlinux", {
    outcome: "failed",
    lastSuccess: NOW - 90_000,
    lastError: { at: NOW, message: "no route", hint: null },
  });
  await page.unroute("**/status.json");
  await asked();
  await page.getByText("The last run failed: no route.").waitFor();
  assertEquals(await state(page, "archlinux"), "Failing");
  assertEquals(await page.getByText("cannot reach the mirror").count(), 0);
});

test("home: by keyboard alone: choose a repository and a protocol, and copy", async ({ home }) => {
  const { page } = await home({ permissions: ["clipboard-read", "clipboard-write"] });
  await settled(page);
  await page.keyboard.press("Tab");
  assertEquals(await page.evaluate("document.activeElement.className"), "skip");
  await page.getByRole("radio", { name: "alpine" }).focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Tab");
  const shown = page.locator("use-guide pre:visible");
  assertEquals(
    await shown.allInnerTexts(),
    ["Server = http://mirror.example.org/archlinux/$repo/os/$arch\n"],
  );
  await page.keyboard.press("Enter");
  await page.getByRole("status").getByText("Copied").waitFor();
  const copied: string = await page.evaluate("navigator.clipboard.readText()");
  assertStringIncludes(copied, "Server = http://mirror.example.org/archlinux/");
  await page.getByRole("radio", { name: "rsync" }).check();
  assertStringIncludes((await shown.allInnerTexts()).join(), "rsync -rtlHv");
});

test("home: a chart whose moments can be read by keyboard, and whose numbers stand in a table", async ({ home }) => {
  const { page } = await home();
  await settled(page);
  const slider = page.getByRole("slider");
  await slider.focus();
  await page.keyboard.press("Home");
  assertEquals(
    await slider.getAttribute("aria-valuetext"),
    "12:00: 184 Mbit/s sent, 2.0 Mbit/s received",
  );
  assertEquals(
    await page.locator("traffic-history .said").innerText(),
    await slider.getAttribute("aria-valuetext"),
  );
  await page.getByRole("radio", { name: "Month" }).check();
  await page.getByText("Numbers").click();
  await page.locator("traffic-history tbody tr").nth(30).waitFor();
  assertEquals(await page.locator("traffic-history tbody tr").count(), 31);
  await page.getByRole("radio", { name: "Hour" }).check();
  await page.locator("traffic-history tbody tr").nth(11).waitFor();
  // (The page's policy forbids playwright's own way to wait: it evaluates in the page.)
  for (let tries = 0; await page.locator("traffic-history tbody tr").count() !== 12; tries++) {
    assert(tries < 100, "an hour has 12 rows");
    await page.waitForTimeout(50);
  }
});

test("home: Korean for who reads it, English at a choice, the operator's own words too", async ({ home }) => {
  const { page } = await home({ locale: "ko-KR" });
  await settled(page);
  assertEquals(await page.locator("#repositories h2").innerText(), "저장소");
  assertStringIncludes(await page.locator("header").innerText(), "학생들이 운영합니다");
  assertEquals(await state(page, "archlinux"), "최신");
  await page.getByRole("combobox", { name: "언어" }).selectOption("en");
  assertEquals(await page.locator("#repositories h2").innerText(), "Repositories");
  assertStringIncludes(await page.locator("header").innerText(), "run by its students");
  assertEquals(await state(page, "archlinux"), "Up to date");
  await page.reload();
  await settled(page);
  assertEquals(await page.locator("#repositories h2").innerText(), "Repositories");
});

test("home: more contrast, forced colours and reduced motion are heard", async ({ home }) => {
  const colors = (page: Page): Promise<string[]> =>
    page.evaluate(
      `["color", "backgroundColor"].map((key) => getComputedStyle(document.body)[key])`,
    );
  const plain = await home({ colorScheme: "light" });
  assertEquals(await colors(plain.page), ["rgb(28, 29, 31)", "rgb(253, 252, 250)"]);
  const strong = await home({ colorScheme: "dark", contrast: "more", reducedMotion: "reduce" });
  await settled(strong.page);
  assertEquals(await colors(strong.page), ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]);
  await assertAccessible(strong.page);
  const forced = await home({ forcedColors: "active" });
  await settled(forced.page);
  // The shapes of the states are drawn in the system's own colour, and stay.
  const badge = forced.page.locator(".badge.failed").first();
  assertEquals(
    await badge.evaluate("(e) => getComputedStyle(e, '::before').borderTopColor"),
    await badge.evaluate("(e) => getComputedStyle(e).color"),
  );
});

test("home: what comes from elsewhere is text and runs nothing", async ({ home, node }) => {
  const hostile = "<img src=x onerror=sentinel=1>${sentinel=1}";
  await node.status("debian", {
    outcome: "failed",
    lastSuccess: NOW - 60,
    lastError: { at: NOW, message: hostile, hint: null },
  });
  const nodes = JSON.parse(await Deno.readTextFile(`${node.data}/state/healthz/nodes.json`));
  nodes.nodes[0].name = hostile;
  nodes.nodes[1].addresses[0].checks[0].reason = hostile;
  await node.state("healthz/nodes.json", JSON.stringify(nodes));
  const { page, complaints } = await home();
  await settled(page);
  assertEquals((await page.getByText("onerror=sentinel").all()).length, 3);
  assertEquals(await page.evaluate("typeof sentinel"), "undefined");
  assertEquals(await page.locator("main img").count(), 0);
  assertEquals(complaints, []);
});

test("home: whole without script", async ({ home }) => {
  const { page } = await home({ javaScriptEnabled: false });
  const text = await page.locator("body").innerText();
  for (
    const part of ["Up to date", "Failing", "https://mirror.example.org/archlinux/", "busan: "]
  ) {
    assertStringIncludes(text, part);
  }
  assertEquals(await page.locator("use-guide pre:visible").count(), 11);
});

test("home: a first visit transfers at most 30 kB, no font, nothing from elsewhere", async ({ browser, url }) => {
  const page = await (await browser.newContext()).newPage();
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  const types = new Map<string, string>();
  let bytes = 0;
  session.on("Network.responseReceived", ({ requestId, type, response }) => {
    assert(response.url.startsWith(url), response.url);
    types.set(requestId, type);
  });
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (/Document|Stylesheet|Script|Font|Image/.test(types.get(requestId)!)) {
      bytes += encodedDataLength;
    }
  });
  await page.goto(`${url}/`);
  await page.locator("repo-list > div table").waitFor();
  assert(![...types.values()].includes("Font"));
  assert(bytes > 5000 && bytes <= 30_000, `${bytes} bytes`);
});

test("home: 30 minutes of live traffic, no more memory than after five", async ({ browser, url }) => {
  const page = await (await browser.newContext()).newPage();
  const session = await page.context().newCDPSession(page);
  // A hub that is played in the page: as many events as one wants, at once.
  await page.addInitScript(`
    globalThis.EventSource = class {
      static CLOSED = 2;
      constructor() { globalThis.hub = this; }
      close() {}
    };`);
  await page.goto(`${url}/`);
  for (let tries = 0; !await page.evaluate("!!globalThis.hub?.onmessage"); tries++) {
    assert(tries < 200, "the page asks for no events");
    await page.waitForTimeout(25);
  }
  const heap = async (from: number, to: number) => {
    const frames = Array.from({ length: to - from }, (_, i) => writeLiveEvent(fakeEvent(from + i)));
    await page.evaluate(
      `(async () => {
        for (const [i, data] of ${JSON.stringify(frames)}.entries()) {
          hub.onmessage({ data });
          if (i % 20 === 0) await new Promise(requestAnimationFrame);
        }
      })()`,
    );
    await session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await session.send("Runtime.getHeapUsage");
    return usedSize;
  };
  // After five minutes, the line of the last five is full.
  const full = await heap(1, 320), later = await heap(320, 1800);
  // A trail that is never cut short would hold 350 kB more.
  assert(later < full + 200_000, `${full} bytes after 5 minutes, ${later} after 30`);
  assertEquals(await page.locator("traffic-meter tbody tr").count(), 3);
});
