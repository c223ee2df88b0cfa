/** A real browser over a served node, with what every page is held to: no complaint, axe, the stored look. */
import { Buffer } from "node:buffer";
import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path/posix";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import axe from "axe-core";
import * as esbuild from "esbuild";
import pixelmatch from "pixelmatch";
import { PNG } from "pngjs";
import { startServer } from "../../server/listen.ts";
import { build } from "../../web/build.ts";
import { makeNode, type TestNode } from "../server/fixture.ts";

const CHROMIUM = {
  executablePath: "/usr/bin/chromium",
  // Text is drawn in grey and without hinting, the same on every machine with the same font.
  args:
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking " +
    "--disable-component-update --disable-sync --hide-scrollbars --font-render-hinting=none " +
    "--disable-lcd-text --force-color-profile=srgb",
};

const FONTS = fromFileUrl(new URL("fonts.conf", import.meta.url));

/** Debian's chromium, without a window. The caller closes it. */
export const launch = (): Promise<Browser> =>
  chromium.launch({
    ...CHROMIUM,
    args: CHROMIUM.args.split(" "),
    env: { ...Deno.env.toObject(), FONTCONFIG_FILE: FONTS },
  });

/** A page, with what the browser said against it (console, uncaught errors, refused by policy). */
export interface Opened {
  page: Page;
  complaints: string[];
}

/** A served node and a browser. */
export interface Bench {
  node: TestNode;
  /** Where it is served, without a slash at the end. */
  url: string;
  browser: Browser;
  /** Opens a path in a fresh context. */
  open(path: string, options?: BrowserContextOptions): Promise<Opened>;
}

/** Opens a URL in a fresh context of a browser; `prepare` may intercept what it asks for. */
export async function openPage(
  browser: Browser,
  url: string,
  options?: BrowserContextOptions,
  prepare: (page: Page) => Promise<void> = () => Promise.resolve(),
): Promise<Opened> {
  const page = await (await browser.newContext(options)).newPage();
  const complaints: string[] = [];
  page.on("console", (m) => {
    if (m.type() !== "info") complaints.push(m.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await prepare(page);
  await page.goto(url);
  return { page, complaints };
}

let built: Promise<string> | undefined;

/** The pages, built once for all tests of a file, in a folder that goes with the process. */
function buildOnce(): Promise<string> {
  return built ??= (async () => {
    const dir = await Deno.makeTempDir({ prefix: "mirrorkit-web-" });
    addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));
    await build(dir);
    await esbuild.stop();
    return dir;
  })();
}

/** Serves a node with the built pages, in a browser; `make` makes the node. */
export async function withBrowser(
  body: (bench: Bench) => Promise<void>,
  make: () => Promise<TestNode> = () => makeNode({ arch: "/arch/" }),
  now?: () => number,
): Promise<void> {
  await using node = await make();
  const web = await buildOnce();
  const server = startServer(node.config, { port: 0, web, ...(now ? { now } : {}) });
  let browser: Browser | undefined;
  try {
    browser = await launch();
    const url = server.url.slice(0, -1), opener = browser;
    const open = (path: string, options?: BrowserContextOptions) =>
      openPage(opener, url + path, options);
    await body({ node, url, browser, open });
  } finally {
    await browser?.close();
    await server.shutdown(1000);
  }
}

/** Holds a page to axe-core's rules (WCAG 2.2 A and AA, best practices), in both themes. */
export async function assertAccessible(page: Page): Promise<void> {
  for (const theme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: theme });
    // The page's policy lets no script of ours in; the debugger's own evaluation is not subject to it.
    await page.evaluate(axe.source);
    const violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] =
      await page.evaluate("axe.run().then((result) => result.violations)");
    const found = violations.map(({ id, nodes }) =>
      `${theme}: ${id}: ${nodes.map((n) => `${n.html}: ${n.failureSummary}`).join("; ")}`
    );
    assertEquals(found, []);
  }
}

/** The sizes and themes in which the look of a page is stored. */
export const LOOKS = [
  { name: "wide-light", viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  { name: "wide-dark", viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  { name: "phone-light", viewport: { width: 390, height: 844 }, colorScheme: "light" },
  { name: "phone-dark", viewport: { width: 390, height: 844 }, colorScheme: "dark" },
] as const;

const SCREENS = fromFileUrl(new URL("../web/screens/", import.meta.url));

/** Pixels that may differ; pages drawn twice differ in none. Another word differs in some hundred. */
const TOLERANCE = 40;

/**
 * Compares what the page looks like with `tests/web/screens/NAME.png`. Set `SCREENS=write` to store what it
 * looks like now, and look at it before you commit it. Where it differs, what it looks like is left beside
 * the stored one as `NAME.new.png` (ignored by git), unless `keep` is false.
 */
export async function assertLooks(page: Page, name: string, keep = true): Promise<void> {
  const path = join(SCREENS, `${name}.png`);
  const bytes = await page.screenshot({ animations: "disabled", caret: "hide" });
  if (Deno.env.get("SCREENS") === "write") return await Deno.writeFile(path, bytes);
  const [now, stored] = [bytes, await Deno.readFile(path)].map((b) =>
    PNG.sync.read(Buffer.from(b))
  );
  const same = now.width === stored.width && now.height === stored.height;
  const pixels = now.width * now.height;
  const differ = same
    ? pixelmatch(now.data, stored.data, undefined, now.width, now.height, { threshold: 0.1 })
    : pixels;
  if (differ <= TOLERANCE) return;
  if (keep) await Deno.writeFile(path.replace(/png$/, "new.png"), bytes);
  throw new Error(`${name} looks different: ${differ} of ${pixels} pixels; see ${name}.new.png`);
}
