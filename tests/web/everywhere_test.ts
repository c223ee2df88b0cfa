/**
 * Home, a listing and the pages of errors for every reader: the system's own colours, more contrast, no
 * motion, the narrowest and the widest screen, right to left. In each: nothing wider than the screen, nothing
 * cut off, nothing that axe finds; the focus can be seen, and what is latin is read from left to right.
 */
import { assert, assertEquals } from "@std/assert";
import type { BrowserContextOptions, ElementHandle, Page } from "playwright-core";
import { assertAccessible, type Bench, openPage, withBrowser } from "../helpers/browser.ts";
import { MTIME, NOW } from "../server/fixture.ts";
import { makeHomeNode } from "./home_node.ts";
import { openHome } from "./home_page.ts";
import { MIXED, packages, putListing } from "./listing_node.ts";

const HEBREW = "מסמך (1).tar.gz", OVERRIDE = "\u202egnp.exe";
const LONG = "a-name-without-any-place-to-break-".repeat(6) + "end";

type Mode = BrowserContextOptions & { rtl?: true };
const MODES: Record<string, Mode> = {
  "forced colours": { forcedColors: "active" },
  "more contrast": { contrast: "more" },
  "reduced motion": { reducedMotion: "reduce" },
  "320 px": { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true },
  "4K": { viewport: { width: 3840, height: 2160 } },
  "right to left": { rtl: true },
  "right to left, 320 px": { rtl: true, viewport: { width: 320, height: 640 } },
};

const PAGES: Record<string, string> = {
  home: "/",
  listing: "/archlinux/mixed/",
  plain: "/archlinux/mixed/?format=html",
  lost: "/archlinux/mixed/nix/x.zst",
  gate: "/fedora/",
};
const MANY = "/archlinux/many/";

/** Every element that is shown, in shadow trees, too. */
const SHOWN = `const shown = [], walk = (root) => {
  for (const e of root.querySelectorAll("*")) {
    if (e.shadowRoot) walk(e.shadowRoot);
    // What is there for screen readers alone is out of sight.
    if (e.closest(".unseen, .skip, .sizer, legend, head, svg")) continue;
    if (e.checkVisibility({ visibilityProperty: true, opacityProperty: true })) shown.push(e);
  }
};
walk(document);`;

/** What is out of the screen at a side, or cut off by what it stands in. */
const CUT = `(() => {
  ${SHOWN}
  const wide = document.documentElement.scrollWidth > innerWidth ? ["the page"] : [];
  const own = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim() !== "");
  const clips = (e) => /hidden|clip/.test(getComputedStyle(e).overflowX) || e.matches("[data-entry]");
  const cut = shown.filter(own).filter((e) => {
    const r = e.getBoundingClientRect();
    if (r.left < -0.5 || r.right > innerWidth + 0.5) return true;
    for (let p = e; p; p = p.parentElement) {
      if (p === e || !clips(p)) continue;
      const b = p.getBoundingClientRect();
      if (r.left < b.left - 1 || r.right > b.right + 1 || r.bottom > b.bottom + 1) return true;
    }
    return clips(e) && e.scrollWidth > e.clientWidth + 1;
  });
  return [...wide, ...cut.map((e) => e.outerHTML.slice(0, 200))];
})()`;

const MOVES = `(() => {
  ${SHOWN}
  const moving = shown.filter((e) => {
    const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(e);
    return parseFloat(transitionDuration) > 0 || animationName !== "none" || scrollBehavior === "smooth";
  });
  return moving.map((e) => e.localName).concat(document.getAnimations().map(String));
})()`;

/** The element that has the focus, as a handle. */
const FOCUSED = `(() => {
  let e = document.activeElement;
  while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
  return e === document.body ? null : e;
})()`;

// playwright keeps timers and a pipe to the browser beyond what the sanitizers can follow.
const test = (name: string, body: (bench: Bench) => Promise<void>) =>
  Deno.test({
    name,
    fn: () =>
      withBrowser(
        async (bench) => {
          const { node } = bench;
          const more = [HEBREW, OVERRIDE, LONG].map((name) => ({ name, bytes: 3, mtime: MTIME }));
          await putListing(node, PAGES.listing, [...MIXED, ...more], { files: 63_000, dirs: 18 });
          await putListing(node, MANY, packages(500));
          await body(bench);
        },
        makeHomeNode,
        () => NOW,
      ),
    sanitizeOps: false,
    sanitizeResources: false,
  });

async function open({ browser, url }: Bench, name: string, { rtl, ...mode }: Mode) {
  const options = { locale: "en-GB", timezoneId: "UTC", ...mode };
  const { page } = name === "home"
    ? await openHome(browser, url + "/", options)
    : await openPage(browser, url + (PAGES[name] ?? MANY), options);
  if (name === "home") {
    await page.locator("repo-list > div table").waitFor();
    await page.locator("traffic-history svg").waitFor();
    await page.locator("traffic-meter polyline").first().waitFor();
    await page.getByText("Numbers").click();
    await page.locator("traffic-history table").waitFor();
    // The keyboard begins at the top again.
    await page.mouse.click(1, 1);
  }
  if (name === "listing" || name === "many") {
    await page.locator("[role=grid][aria-busy=false]").waitFor();
  }
  if (rtl) await page.evaluate("document.documentElement.dir = 'rtl'");
  return page;
}

/** Waits until something is so in the page. (Its policy forbids playwright's own way, which evaluates in it.) */
async function until(page: Page, so: string) {
  for (let tries = 0; !await page.evaluate<boolean>(so); tries++) {
    assert(tries < 100, `${so} never came true`);
    await page.waitForTimeout(20);
  }
}

/** Tab goes from stop to stop, and each looks different while it has the focus. */
async function assertFocusSeen(page: Page, name: string) {
  let stops = 0;
  for (; stops < 60; stops++) {
    await page.keyboard.press("Tab");
    const handle = await page.evaluateHandle(FOCUSED);
    const focused = handle.asElement() as ElementHandle<HTMLElement> | null;
    if (!focused) break;
    const text = await focused.evaluate((e) => e.outerHTML.slice(0, 120));
    const box = await focused.evaluate((e) => {
      // A row is outlined as a whole; a control out of sight by what stands for it.
      const r = (e.closest("[data-entry]") ?? e.parentElement ?? e).getBoundingClientRect();
      return { x: r.x - 6, y: r.y - 6, width: r.width + 12, height: r.height + 12 };
    });
    const look = () => page.screenshot({ clip: box, caret: "hide", animations: "disabled" });
    const before = await look();
    await focused.evaluate((e) => e.blur());
    const after = await look();
    await focused.evaluate((e) => e.focus({ preventScroll: true }));
    assert(!before.equals(after), `${name}: nothing shows that this has the focus: ${text}`);
  }
  const least = { home: 18, listing: 12, lost: 2 }[name]!;
  assert(stops >= least && stops < 60, `${name}: ${stops} stops`);
}

for (const [mode, options] of Object.entries(MODES)) {
  test(`everywhere: ${mode}: nothing is cut off, and axe finds nothing`, async (bench) => {
    for (const name of Object.keys(PAGES)) {
      const page = await open(bench, name, options);
      assertEquals([name, await page.evaluate(CUT)], [name, []]);
      if (options.reducedMotion) assertEquals([name, await page.evaluate(MOVES)], [name, []]);
      // Whether something moves is nothing that axe looks at, and "gate" is made as "lost" is.
      else if (name !== "gate") await assertAccessible(page);
      await page.context().close();
    }
  });
}

test("everywhere: the focus can be seen, in our colours and in the system's", async (bench) => {
  for (const mode of [{ colorScheme: "dark" }, { forcedColors: "active" }] as Mode[]) {
    for (const name of ["home", "listing", "lost"]) {
      const page = await open(bench, name, mode);
      await assertFocusSeen(page, name);
      await page.context().close();
    }
  }
});

test("everywhere: Home leads to the first row and to the page's own head", async (bench) => {
  const page = await open(bench, "many", {});
  for (const away of ["End", "PageDown"]) {
    await page.keyboard.press(away);
    await until(page, "scrollY > 0");
    await page.keyboard.press("Home");
    await until(page, "scrollY === 0");
    assertEquals(
      await page.evaluate<string>(`(${FOCUSED}).textContent`),
      "package-0-0.0-1-x86_64.pkg.tar.zst",
    );
  }
  // Also where the first row was in view, and the head was not.
  await page.mouse.wheel(0, 94);
  await until(page, "scrollY > 0");
  await page.keyboard.press("Home");
  await until(page, "scrollY === 0");
});

test("everywhere: right to left, names, sizes and times are read as they are", async (bench) => {
  const page = await open(bench, "listing", { rtl: true });
  /** A text's characters by their place on the screen, and where its cell's neighbours stand. */
  const read = (selector: string, text: string): Promise<string> =>
    page.evaluate(
      `(([selector, text]) => {
        const root = document.querySelector("listing-rows");
        const cell = [...root.querySelectorAll(selector)].find((e) => e.textContent.includes(text));
        const words = document.createTreeWalker(cell, 4), at = [];
        for (let node; (node = words.nextNode());) {
          for (let i = 0; i < node.data.length; i++) {
            const range = new Range();
            range.setStart(node, i);
            range.setEnd(node, i + 1);
            const { left, top } = range.getBoundingClientRect();
            at.push([top, left, node.data[i]]);
          }
        }
        return at.sort((a, b) => Math.round(a[0] - b[0]) || a[1] - b[1]).map((a) => a[2]).join("");
      })(${JSON.stringify([selector, text])})`,
    );
  const rows: [selector: string, text: string, read?: string][] = [
    [".rows .name", "core/"],
    [".rows .name", "\\u202egnp.exe"],
    [".rows .name", "latest.iso → archlinux-2026.11.01-x86_64.iso"],
    [".rows .size", "35 GiB"],
    [".rows .time", "2026-11-18 09:06"],
    // Hebrew is read from right to left (brackets are drawn the other way round), what is latin is not.
    [".rows .name", HEBREW, "tar.gz.)1( ךמסמ"],
  ];
  for (const [selector, text, shown = text] of rows) {
    assertEquals(await read(selector, text), shown);
  }
  // A name stands where its row begins, whatever its letters.
  const side = (name: string, side: "left" | "right") =>
    page.getByRole("link", { name })
      .evaluate((e, side) => Math.round(e.getBoundingClientRect()[side]), side);
  assertEquals(await side(HEBREW, "right"), await side("core/", "right"));
  await page.evaluate("document.documentElement.dir = 'ltr'");
  assertEquals(await side(HEBREW, "left"), await side("core/", "left"));
});
