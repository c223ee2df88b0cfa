/** The element `traffic-meter` in a real browser, over the embedded server and a real hub. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path/posix";
import * as esbuild from "esbuild";
import type { Page } from "playwright-core";
import { launch, type Opened, openPage } from "../helpers/browser.ts";
import { connectSpoke, startTestHub, type TestSpoke } from "../helpers/statcat.ts";
import { makeNode, type TestNode } from "../server/fixture.ts";
import { startServer } from "../../server/listen.ts";

/** A page with nothing but the element, built as the real ones are. */
async function buildPage(web: string) {
  const { outputFiles: [file] } = await esbuild.build({
    entryPoints: [fromFileUrl(new URL("../../web/traffic/meter.ts", import.meta.url))],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
  });
  await esbuild.stop();
  await Deno.mkdir(join(web, "assets"), { recursive: true });
  await Deno.writeFile(join(web, "assets/traffic-TEST1234.js"), file.contents);
  await Deno.writeTextFile(
    join(web, "assets/icon-TEST1234.svg"),
    '<svg xmlns="http://www.w3.org/2000/svg"/>',
  );
  await Deno.writeTextFile(
    join(web, "index.html"),
    `<!DOCTYPE html><html lang="en"><title>t</title>` +
      `<link rel="icon" href="/.mirrorkit/assets/icon-TEST1234.svg">` +
      `<script type="module" src="/.mirrorkit/assets/traffic-TEST1234.js"></script>` +
      `<traffic-meter></traffic-meter></html>`,
  );
}

interface Bench {
  node: TestNode;
  open(): Promise<Opened>;
}

// playwright keeps timers and a pipe to the browser beyond what the sanitizers can follow.
const test = (name: string, body: (bench: Bench) => Promise<void>) =>
  Deno.test({
    name,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      await using node = await makeNode({ arch: "/arch/" });
      const web = join(node.data, "web");
      await buildPage(web);
      const server = startServer(node.config, { port: 0, web }), browser = await launch();
      try {
        await body({ node, open: () => openPage(browser, server.url) });
      } finally {
        await browser.close();
        await server.shutdown(1000);
      }
    },
  });

/** Says the same every half second, until it is stopped. */
function keepSaying(spoke: TestSpoke, rx: number, tx: number): () => void {
  const say = () => spoke.say([["eth0", rx, tx, 100, 200]]);
  say();
  const timer = setInterval(say, 700);
  return () => clearInterval(timer);
}

const rows = (page: Page) =>
  page.locator("traffic-meter tbody tr").evaluateAll((all) =>
    all.map((row) => [...row.children].map((cell) => cell.textContent!.trim().replace(/\s+/g, " ")))
  );
/** Waits until `good`, in the browser's own time. */
async function until(page: Page, good: (rows: string[][]) => boolean): Promise<string[][]> {
  for (let tries = 0; tries < 150; tries++) {
    const now = await rows(page);
    if (good(now)) return now;
    await page.waitForTimeout(100);
  }
  throw new Error(`Not in time: ${JSON.stringify(await rows(page))}`);
}

test("traffic-meter: all nodes and each, live; a silent one is greyed; back after a hub's restart", async ({ node, open }) => {
  let hub = await startTestHub(node.config);
  const [seoul, busan] = [await hub.token("seoul"), await hub.token("busan")];
  let spokes = [await connectSpoke(hub.url, seoul), await connectSpoke(hub.url, busan)];
  const stops = [keepSaying(spokes[0], 1_000_000, 93_000_000), keepSaying(spokes[1], 500_000, 0)];
  const { page, complaints } = await open();
  const live = await until(page, (all) => all.length === 3);
  assertEquals(live.map((row) => row[0]), ["All nodes", "busan", "seoul"]);
  assertEquals(live[0].slice(1, 3), ["12 Mbit/s 200 packets/s", "744 Mbit/s 400 packets/s"]);
  assertEquals(live[2].slice(1, 3), ["8.0 Mbit/s 100 packets/s", "744 Mbit/s 200 packets/s"]);
  await page.locator("traffic-meter polyline").first().waitFor({ state: "attached" });
  await page.waitForTimeout(2100);
  const points = await page.locator("traffic-meter tr:last-child polyline.send").first()
    .getAttribute("points");
  assert(points!.split(" ").length >= 3, `${points}`);
  assertEquals(complaints, []);

  // One falls silent: it is greyed, its age grows, and the sum is that of the other.
  stops[1]();
  const stale = await until(page, (all) => /silent for/.test(all[1]?.[0] ?? ""));
  assertMatch(stale[1][0], /^busan silent for \d+ seconds$/);
  assertEquals(stale[0][1], "8.0 Mbit/s 100 packets/s");
  assertEquals(await page.locator("traffic-meter tr.stale").count(), 1);

  // The hub is gone: everything is old. It comes back: so does the page, by itself.
  stops[0]();
  await hub[Symbol.asyncDispose]();
  await until(page, (all) => all.length > 0 && all.every((row) => /silent for/.test(row[0])));
  hub = await startTestHub(node.config);
  spokes = [await connectSpoke(hub.url, seoul)];
  const stop = keepSaying(spokes[0], 2_000_000, 0);
  const back = await until(page, (all) => all[0]?.[1] === "16 Mbit/s 100 packets/s");
  assertEquals(back.map((row) => row[0]), ["seoul"]);
  stop();
  await hub[Symbol.asyncDispose]();
});

test("traffic-meter: a long name and long figures fit on a phone", async ({ node, open }) => {
  await using hub = await startTestHub(node.config);
  const spoke = await connectSpoke(hub.url, await hub.token("mirror.a-university.example.org"));
  const stop = keepSaying(spoke, 27_200_000, 27_200_000);
  const { page } = await open();
  const [row] = await until(page, (all) => all.length === 1);
  assertMatch(row[1], /^218 Mbit\/s/);
  for (const width of [320, 360, 390, 430, 520, 700]) {
    await page.setViewportSize({ width, height: 800 });
    const found = await page.evaluate("document.documentElement.scrollWidth");
    assertEquals([width, found], [width, width]);
  }
  stop();
});

test("traffic-meter: nothing where there is no hub", async ({ node, open }) => {
  node.config.statcat.hub = false;
  const { page } = await open();
  await page.waitForTimeout(500);
  assertEquals(await page.locator("traffic-meter table").count(), 0);
  assertEquals(await page.locator("traffic-meter").evaluate((e) => e.clientHeight), 0);
});

test("traffic-meter: tabs in view share one connection, a tab out of view has none", async ({ node, open }) => {
  await using hub = await startTestHub(node.config);
  const spoke = await connectSpoke(hub.url, await hub.token("seoul"));
  const stop = keepSaying(spoke, 1000, 1000);
  const { page } = await open();
  await until(page, (all) => all.length === 1);
  const second = await page.context().newPage();
  await second.goto(page.url());
  await until(second, (all) => all.length === 1);
  assertEquals(hub.hub.listeners(), 1);
  // The one that holds the connection is closed: the other takes over.
  await page.close();
  const line = () => second.locator("traffic-meter polyline.send").first().getAttribute("points");
  const before = await line();
  for (let tries = 0; tries < 100 && await line() === before; tries++) {
    await second.waitForTimeout(100);
  }
  await until(second, (all) => all.length === 1 && !/silent/.test(all[0][0]));
  assertEquals(hub.hub.listeners(), 1);
  // Out of view: playwright cannot hide a tab, so the page is told that it is.
  await second.evaluate(
    "Object.defineProperty(document, 'hidden', { value: true }), document.dispatchEvent(new Event('visibilitychange'))",
  );
  for (let tries = 0; tries < 100 && hub.hub.listeners() > 0; tries++) {
    await second.waitForTimeout(100);
  }
  assertEquals(hub.hub.listeners(), 0);
  stop();
});
