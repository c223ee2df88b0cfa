/** The listing page in a real browser: what it shows, what it can do, and what it does not let happen. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/posix";
import type { Browser, Page } from "playwright-core";
import {
  assertAccessible,
  assertLooks,
  type Bench,
  LOOKS,
  openPage,
  withBrowser,
} from "../helpers/browser.ts";
import { Relay } from "../helpers/relay.ts";
import { NOW } from "../server/fixture.ts";
import { MIXED, packages, putListing } from "./listing_node.ts";

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

const ROW = ".rows [role=row]";
const rows = (page: Page) => page.locator(`${ROW} .name a`).allTextContents();
const complete = (page: Page) => page.locator("[role=grid][aria-busy=false]").waitFor();
const row = (page: Page, name: string) =>
  page.locator(ROW).filter({ has: page.getByRole("link", { name, exact: true }) });
const bar = (page: Page) => page.locator("selection-bar [role=region]");
/** What a string says in the page. */
const inPage = <T>(page: Page, expression: string): Promise<T> => page.evaluate(expression);
const focused = (page: Page) =>
  inPage<string>(
    page,
    `(() => { let e = document.activeElement; while (e?.shadowRoot?.activeElement) ` +
      `e = e.shadowRoot.activeElement; return e?.textContent || e?.name || e?.tagName })()`,
  );
/** The first and last row that a reader sees, and whether rows fill the view without a gap. */
const view = (page: Page) =>
  inPage<{ first: string; last: string; bottom: number; gap: boolean }>(
    page,
    `(() => {
      const list = document.querySelector("listing-rows");
      const head = list.querySelector(".top").getBoundingClientRect().bottom;
      const all = [...list.querySelectorAll(".rows [role=row]")]
        .map((e) => ({ name: e.querySelector("a").textContent, ...e.getBoundingClientRect().toJSON() }))
        .filter((r) => r.bottom > head && r.top < innerHeight).sort((a, b) => a.top - b.top);
      let at = all[0].top, gap = at > head + 1;
      for (const r of all) { gap ||= Math.abs(r.top - at) > 1; at = r.bottom; }
      const last = all.at(-1), end = list.querySelector(".rows").getBoundingClientRect();
      gap ||= last.bottom < Math.min(innerHeight, end.bottom) - 1;
      return { first: all[0].name, last: last.name, bottom: last.bottom, gap };
    })()`,
  );
const rest = (page: Page) => page.waitForTimeout(250);

async function prepare({ node }: Bench) {
  await node.ready("arch");
  await putListing(node, "/arch/mixed/", MIXED, { files: 63_000, dirs: 18 });
  for (const name of ["core/", "iso/"]) await putListing(node, `/arch/mixed/${name}`, packages(9));
  await node.write("arch/mixed/README.txt", `Welcome.\n<script>sentinel=1</script>\n<b>bold</b>\n`);
  const [iso, sig] = ["archlinux-2026.11.01-x86_64.iso", "archlinux-2026.11.01-x86_64.iso.sig"];
  await node.write("arch/mixed/SHA256SUMS", `${"a".repeat(64)}  ${iso}\n`);
  const parts = [0x88, 22, 4, 0, 22, 8, 0, 6, 5, 2, 0x65, 0x53, 0xf1, 0, 0, 10, 9, 16];
  await node.write(`arch/mixed/${sig}`, Uint8Array.from([...parts, 1, 2, 3, 4, 5, 6, 7, 8]));
  await putListing(node, "/arch/", []);
  await putListing(node, "/arch/empty/", [], { bytes: 0 });
  await putListing(node, "/arch/many/", packages(2000));
  await putListing(node, "/arch/large/", packages(100_000));
  await putListing(node, "/arch/huge/", packages(300_000));
}

const STEPS: Record<string, (bench: Bench) => Promise<void>> = {
  "rows, totals, crumbs, kinds, and each row's exact time and size"({ open }) {
    return withPage(open("/arch/mixed/", { timezoneId: "Asia/Seoul" }), async (page) => {
      assertEquals((await rows(page)).slice(0, 6), [
        "core/",
        "extra/",
        "iso/",
        "pool/",
        "README.txt",
        "SHA256SUMS",
      ]);
      assertStringIncludes(
        await page.locator(".summary").first().innerText(),
        "18 directories · 63,000 files · 954 MiB",
      );
      const crumbs = await page.locator("nav a").allTextContents();
      assertEquals(crumbs.slice(1), ["arch", "mixed"]);
      assertEquals(await page.title(), `arch/mixed · ${crumbs[0]}`);
      const core = row(page, "core/");
      assertEquals(await core.locator(".files").innerText(), "1,820");
      await core.hover();
      await core.locator(".size[title]").waitFor();
      assertEquals(await core.locator(".size").getAttribute("title"), "38,000,000,000 B");
      const title = await core.locator("time").getAttribute("title");
      assert(/^2026-11-18 \d\d:06:40 UTC\n2026-11-\d\d .* UTC[+−]\d\d:\d\d$/.test(title!), title!);
      assertEquals(await core.locator("time").getAttribute("datetime"), "2026-11-18T09:06:40Z");
      assertStringIncludes(await row(page, "latest.iso").innerText(), "→ archlinux-2026.11.01");
      assertEquals(await page.locator(".broken a[href]").count(), 0);
      assertEquals(await page.locator("[role=grid]").getAttribute("aria-rowcount"), "16");
    });
  },

  "an empty directory says so; one through a link says where it is"({ open, node, url }) {
    return withPage(open("/arch/empty/"), async (page) => {
      assertEquals(await page.locator(".none").innerText(), "This directory is empty.");
      await Deno.symlink("mixed", join(node.data, "static/arch/link"));
      await page.goto(url + "/arch/link/");
      await complete(page);
      assertEquals(
        await page.locator(".summary").last().innerText(),
        "Redirected from /arch/link/: this is /arch/mixed/",
      );
    });
  },

  "hostile names and a hostile README are text, run nothing, and lead to their files"(bench) {
    return hostile(bench);
  },

  "300,000 rows: count, End, Home, the scroll bar, wheel and a deep link, without a gap"(bench) {
    return huge(bench);
  },

  "long names are readable in full on a phone, and nothing is wider"({ open, node }) {
    const long = "name-".repeat(40) + "end", wide = "긴이름".repeat(25) + ".끝";
    const entries = [long, wide, "x"].map((name) => ({ name, bytes: 1, mtime: 1 }));
    return withPage(
      putListing(node, "/arch/long/", entries).then(() => open("/arch/long/", PHONE)),
      async (page) => {
        assertEquals(await inPage(page, "document.documentElement.scrollWidth"), 390);
        for (const name of [long, wide]) {
          const shown = row(page, name), box = (await shown.boundingBox())!;
          const text = (await shown.locator("a").boundingBox())!;
          assert(text.y >= box.y && text.y + text.height <= box.y + box.height);
          assert(text.x + text.width <= 390);
        }
        assertEquals((await view(page)).gap, false);
        await page.locator(".name a").first().selectText();
        assertEquals(await inPage(page, "String(getSelection())"), long);
      },
    );
  },

  "sort by each column, in the URL, and again when it is loaded"({ open }) {
    return withPage(open("/arch/mixed/"), async (page) => {
      await page.getByRole("button", { name: "Size" }).click();
      assertEquals((await rows(page)).slice(0, 2), ["pool/", "extra/"]);
      await page.waitForURL("**/mixed/?sort=-size");
      await page.getByRole("button", { name: "Size" }).click();
      assertEquals((await rows(page)).slice(4, 6), ["gone", "lastupdate"]);
      assertEquals(await page.locator("[aria-sort=ascending]").innerText(), "Size");
      await page.waitForURL("**/mixed/?sort=size");
      await page.reload();
      await complete(page);
      assertEquals((await rows(page)).slice(4, 6), ["gone", "lastupdate"]);
      await page.getByRole("button", { name: "Modified" }).click();
      assertEquals((await rows(page))[0], "pool/");
      await page.getByRole("button", { name: "Name" }).click();
      await page.waitForURL("**/mixed/");
    });
  },

  "filter: over all rows, in the URL, none found, cleared"({ open }) {
    return withPage(open("/arch/many/"), async (page) => {
      await page.keyboard.press("/");
      await page.keyboard.type("99 1.2");
      assertEquals(await page.locator("output").innerText(), "4 of 2,000");
      for (const name of await rows(page)) assert(/99/.test(name) && /1\.2/.test(name), name);
      await page.waitForURL("**/many/?filter=99+1.2");
      await page.keyboard.press("ArrowDown");
      assertStringIncludes(await focused(page), "99");
      await page.keyboard.press("/");
      await page.keyboard.type("nix");
      assertEquals(await page.locator(".none").innerText(), "No name holds “nix”. Clear");
      await page.keyboard.press("Escape");
      assertEquals(await page.locator("output").innerText(), "2,000 entries");
      await page.waitForURL("**/many/");
    });
  },

  "Ctrl-F: the filter where rows are beyond the page, else and again the browser's own"(
    { open, url },
  ) {
    return withPage(open("/arch/many/"), async (page) => {
      await page.evaluate(
        "addEventListener('keydown', (e) => globalThis.taken = e.defaultPrevented)",
      );
      await page.keyboard.press("Control+f");
      assertEquals([await focused(page), await inPage(page, "taken")], ["filter", true]);
      assertStringIncludes(await page.locator(".hint").innerText(), "all 2,000 names");
      await page.keyboard.press("Control+f");
      assertEquals(await inPage(page, "taken"), false);
      await page.goto(url + "/arch/mixed/");
      await complete(page);
      await page.evaluate(
        "addEventListener('keydown', (e) => globalThis.taken = e.defaultPrevented)",
      );
      await page.keyboard.press("Control+f");
      assertEquals(await inPage(page, "taken"), false);
    });
  },

  "keyboard only: rows, names by their letters, directories in and out, help"(bench) {
    return keyboard(bench);
  },

  "back and forward: the same place, filter and order"({ open }) {
    return withPage(open("/arch/many/?filter=7&sort=-size"), async (page) => {
      await page.keyboard.press("End");
      for (let i = 0; i < 30; i++) await page.keyboard.press("ArrowUp");
      await rest(page);
      const before = await view(page), at = await focused(page);
      await page.goto(page.url().replace(/many.*/, "mixed/"));
      await complete(page);
      await page.goBack();
      await complete(page);
      await rest(page);
      assertEquals(await view(page), before);
      assertEquals(await page.locator("[name=filter]").inputValue(), "7");
      assertEquals(await page.locator(".active a").innerText(), at);
      await page.reload();
      await complete(page);
      await rest(page);
      assertEquals(await view(page), before);
    });
  },

  "selection: by mouse and keys; URLs, curl, wget and checksums to copy"(bench) {
    return selection(bench);
  },

  "preview: text, a checksum file, a signature and an image, as what they are"({ open, node }) {
    return withPage(
      node.write("arch/mixed/logo.png", PIXEL).then(() => open("/arch/mixed/")),
      async (page) => {
        const peek = async (name: string) => {
          await page.getByRole("button", { name: `Preview ${name}`, exact: true }).click();
          return page.getByRole("dialog");
        };
        assertStringIncludes(
          await (await peek("README.txt")).locator("pre").innerText(),
          "<b>bold</b>",
        );
        assertEquals(await inPage(page, "typeof sentinel"), "undefined");
        await assertAccessible(page);
        await page.keyboard.press("Escape");
        assertStringIncludes(await (await peek("SHA256SUMS")).locator("pre").innerText(), "aaaa");
        await page.getByRole("button", { name: "Close" }).click();
        const signature = await peek("archlinux-2026.11.01-x86_64.iso.sig");
        await signature.locator("pre").waitFor();
        assertStringIncludes(await signature.innerText(), "made 2023-11-14 22:13 UTC with EdDSA");
        assertStringIncludes(await signature.innerText(), "0102030405060708");
        await page.keyboard.press("Escape");
        const image = (await peek("logo.png")).locator("img");
        await image.waitFor();
        await page.waitForTimeout(100);
        assertEquals(
          await image.evaluate((e) => (e as unknown as { naturalWidth: number }).naturalWidth),
          1,
        );
      },
    );
  },

  "a small directory is fetched while the pointer rests on it, and not a second time"({ open }) {
    return withPage(open("/arch/mixed/"), async (page) => {
      const asked: string[] = [];
      page.on("request", (r) => r.url().endsWith("/?format=json") && asked.push(r.url()));
      await page.getByRole("link", { name: "extra/" }).hover();
      await page.waitForTimeout(150);
      assertEquals(asked, []);
      const answered = page.waitForResponse("**/core/?format=json");
      await page.getByRole("link", { name: "core/" }).hover();
      await answered;
      await page.getByRole("link", { name: "iso/" }).hover();
      await page.getByRole("link", { name: "core/" }).hover();
      await page.waitForTimeout(150);
      // On a busy machine the pointer may have rested on iso/ as well, which is as small.
      assertEquals(asked.filter((url) => url.includes("/core/")).length, 1);
      await page.getByRole("link", { name: "core/" }).click();
      await complete(page);
      const how = "performance.getEntriesByType('resource').find((r) => /json/.test(r.name))";
      assertEquals(await inPage(page, `${how}.deliveryType`), "cache");
    });
  },

  "a cut connection: said, and mended without reading twice"(bench) {
    return cut(bench);
  },

  "no server at all, and then one: rows come by themselves"({ open, node }) {
    return withPage(open("/arch/mixed/"), async (page) => {
      await page.route("**/empty/?format=json", (route) => route.abort());
      await page.goto(page.url().replace("mixed", "empty"));
      await page.getByRole("alert").waitFor();
      assertStringIncludes(await page.getByRole("alert").innerText(), "cannot be reached");
      await putListing(node, "/arch/empty/", packages(3));
      await page.unroute("**/empty/?format=json");
      await page.getByRole("button", { name: "Try again" }).click();
      await complete(page);
      assertEquals((await rows(page)).length, 3);
      assertEquals(await page.getByRole("alert").count(), 0);
      await putListing(node, "/arch/empty/", [], { bytes: 0 });
    }, { expected: /ERR_FAILED/ });
  },

  "a listing that is gone meanwhile: the server's reason, and ways on"({ open }) {
    return withPage(open("/arch/mixed/"), async (page) => {
      await page.route(
        "**/many/?format=json",
        (route) => route.fulfill({ status: 404, json: { error: "There is nothing at this URL." } }),
      );
      await page.goto(page.url().replace("mixed", "many"));
      const alert = page.getByRole("alert");
      await alert.waitFor();
      assertStringIncludes(await alert.innerText(), "There is nothing at this URL.");
      assertEquals(await alert.locator("a").getAttribute("href"), "?format=html");
    }, { expected: /404/ });
  },

  "what is not there: a real 404"({ open }) {
    return withPage(open("/arch/nix/"), async (page) => {
      assertEquals((await page.reload())!.status(), 404);
    }, { expected: /404/ });
  },

  "without JavaScript, the plain listing"({ open }) {
    return withPage(open("/arch/mixed/", { javaScriptEnabled: false }), async (page) => {
      await page.waitForURL("**/arch/mixed/?format=html");
      assertStringIncludes(await page.locator("body").innerText(), "README.txt");
    });
  },

  "listings revalidate: the second visit is answered with 304"({ open }) {
    return withPage(open("/arch/many/"), async (page) => {
      const [response] = await Promise.all([
        page.waitForResponse("**/many/?format=json"),
        page.goto(page.url() + "?again"),
      ]);
      // The browser says 200 of what it had; what came over the line is a header without a body.
      assert((await response.request().sizes()).responseBodySize < 1000);
    });
  },

  "accessible in both themes, with a selection and with the help"({ open }) {
    return withPage(open("/arch/mixed/"), async (page) => {
      await assertAccessible(page);
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Space");
      await bar(page).getByRole("button", { name: "Copy: URLs" }).waitFor();
      await assertAccessible(page);
      await page.keyboard.press("?");
      await page.getByRole("dialog").waitFor();
      await assertAccessible(page);
    });
  },

  "the stored looks: a mixed directory, an empty one, 100,000 rows"({ browser, url }) {
    return looks(browser, url);
  },

  "in Korean where the browser asks for it"({ open }) {
    return withPage(open("/arch/mixed/", { locale: "ko-KR" }), async (page) => {
      await complete(page);
      assertEquals(await page.locator("[name=filter]").getAttribute("placeholder"), "이름 거르기");
      assertStringIncludes(await page.locator(".summary").first().innerText(), "파일 63,000개");
    });
  },

  "printed: all rows, though the window holds few"({ open }) {
    return withPage(open("/arch/many/"), async (page) => {
      assert(await page.locator(ROW).count() < 60);
      await inPage(page, "dispatchEvent(new Event('beforeprint'))");
      assertEquals(await page.locator(ROW).count(), 2000);
      await page.emulateMedia({ media: "print" });
      const last = (await page.locator(ROW).last().boundingBox())!;
      assert(last.y > 2000 * 20);
      await inPage(page, "dispatchEvent(new Event('afterprint'))");
      assert(await page.locator(ROW).count() < 60);
    });
  },
};

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

const PIXEL = Uint8Array.from(
  atob(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  ),
  (c) => c.charCodeAt(0),
);

/** Runs a body on an opened page; the browser must not have complained of anything unexpected. */
async function withPage(
  opening: ReturnType<Bench["open"]>,
  body: (page: Page) => Promise<void>,
  { expected }: { expected?: RegExp } = {},
) {
  const { page, complaints } = await opening;
  try {
    if (
      await page.locator("listing-page").count() > 0 && page.url().includes("?format") === false
    ) {
      await complete(page).catch(() => {});
    }
    await body(page);
    assertEquals(complaints.filter((c) => !expected?.test(c)), []);
  } finally {
    await page.context().close();
  }
}

async function looks(browser: Browser, url: string) {
  for (const { name, ...options } of LOOKS) {
    const page = await (await browser.newContext(options)).newPage();
    await page.clock.setFixedTime(NOW * 1000);
    for (const directory of ["mixed", "empty", "large"]) {
      await page.goto(`${url}/arch/${directory}/`);
      await complete(page);
      if (directory === "mixed") await page.locator("readme-text pre").waitFor();
      await assertLooks(page, `listing-${directory}-${name}`);
    }
    await page.context().close();
  }
}

async function hostile({ open, node }: Bench) {
  for (const name of HOSTILE) await node.write(`arch/hostile/${name}`, name);
  await node.write("arch/hostile/README.md", HOSTILE.join("\n"));
  await node.list("/arch/hostile/");
  await withPage(open("/arch/hostile/"), async (page) => {
    await page.addInitScript(
      "globalThis.violations = []; addEventListener('securitypolicyviolation', " +
        "(e) => violations.push(e.violatedDirective))",
    );
    await page.reload();
    await page.locator("readme-text pre").waitFor();
    const names = await rows(page);
    for (const name of HOSTILE.slice(0, 6)) assert(names.includes(name), `${name} is not shown`);
    assertStringIncludes(await page.locator("readme-text pre").innerText(), HOSTILE[0]);
    assertEquals(await page.locator("main img, main script, main svg").count(), 0);
    const links = await page.locator(`${ROW} .name a`).evaluateAll((all) =>
      (all as unknown as { href: string }[]).map((a) => a.href)
    );
    const contents = [];
    for (const link of links) contents.push(await (await page.request.get(link)).text());
    assertEquals(contents.sort(), [...HOSTILE, HOSTILE.join("\n")].sort());
    for (const name of ["<img src=x onerror=sentinel=1>", "README.md"]) {
      await page.locator("[name=filter]").fill(name);
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Space");
      await page.keyboard.press("ArrowRight");
      await page.waitForTimeout(100);
      await page.keyboard.press("Escape");
    }
    assertEquals(await inPage(page, "typeof sentinel"), "undefined");
    assertEquals(await inPage(page, "violations"), []);
    // The listener does hear of what is refused.
    await page.evaluate("document.body.setAttribute('style', 'color: red')");
    assertEquals(await inPage(page, "violations.length"), 1);
  }, { expected: /inline style/ });
}

async function huge({ open, url }: Bench) {
  await withPage(open("/arch/huge/"), async (page) => {
    assertEquals(await page.locator("output").innerText(), "300,000 entries");
    const elements = `(function count(root) { let n = 0; for (const e of root.querySelectorAll("*"))
      n += 1 + (e.shadowRoot ? count(e.shadowRoot) : 0); return n })(document)`;
    assert(await inPage<number>(page, elements) <= 400);
    const first = (await view(page)).first;
    await page.keyboard.press("End");
    await rest(page);
    const end = await view(page);
    assertEquals([end.last, Math.round(end.bottom), end.gap], [await focused(page), 720, false]);
    assertStringIncludes(end.last, "package-100002-");
    await page.mouse.wheel(0, -3000);
    await rest(page);
    assertEquals((await view(page)).gap, false);
    await page.keyboard.press("Home");
    await rest(page);
    assertEquals((await view(page)).first, first);
    const seen = new Set<string>();
    for (let step = 0; step <= 100; step++) {
      await page.evaluate(`scrollTo(0, document.documentElement.scrollHeight * ${step / 100})`);
      await page.evaluate(
        "new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))",
      );
      const { gap, first, last } = await view(page);
      assertEquals([step, gap], [step, false]);
      seen.add(first);
      if (step === 100) assertEquals(last, end.last);
    }
    // On a busy machine two steps may fall into one frame.
    assert(seen.size > 95, `${seen.size} of 101 places were seen`);
    // A wheel moves the rows by as much as anywhere, in the stretched middle too.
    await page.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)");
    await rest(page);
    const middle = (await view(page)).first;
    const top = (name: string) => row(page, name).boundingBox().then((box) => box!.y);
    const before = await top(middle);
    await page.mouse.wheel(0, 100);
    await rest(page);
    assert(Math.abs(before - await top(middle) - 100) < 1);
    await page.goto(`${url}/arch/huge/#${middle}`);
    await page.waitForFunction("document.querySelector('listing-page')?.kept.complete");
    await rest(page);
    assertEquals(await focused(page), middle);
  });
}

async function keyboard({ open }: Bench) {
  await withPage(open("/arch/mixed/"), async (page) => {
    await page.keyboard.press("ArrowDown");
    assertEquals(await focused(page), "core/");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    assertEquals(await focused(page), "iso/");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/mixed/iso/");
    await complete(page);
    assertEquals((await rows(page)).length, 9);
    await page.keyboard.press("Backspace");
    await page.waitForURL("**/mixed/");
    await complete(page);
    await page.waitForTimeout(100);
    assertEquals(await focused(page), "iso/");
    await page.keyboard.type("lat");
    assertEquals(await focused(page), "latest.iso");
    await page.keyboard.press("End");
    await page.keyboard.press("PageUp");
    await page.keyboard.press("Home");
    assertEquals(await focused(page), "core/");
    await page.keyboard.type("READ");
    await page.keyboard.press("ArrowRight");
    await page.getByRole("dialog").locator("pre").waitFor();
    await page.keyboard.press("Escape");
    await page.waitForTimeout(100);
    assertEquals(await focused(page), "README.txt");
    await page.keyboard.press("?");
    assertStringIncludes(await page.getByRole("dialog").innerText(), "Filter all names");
    await page.keyboard.press("Escape");
    await page.locator("key-help").waitFor({ state: "detached" });
    await page.keyboard.press("Alt+ArrowUp");
    await page.waitForURL("**/arch/");
    // From the top: skip link, crumbs, tools, columns, then one stop for all rows.
    await page.goto(page.url() + "mixed/");
    await complete(page);
    const stops: string[] = [];
    for (let i = 0; i < 11; i++) {
      await page.keyboard.press("Tab");
      stops.push(await focused(page));
    }
    assertEquals(stops.slice(0, 1), ["Skip to the content"]);
    assertEquals(stops.slice(4), [
      "README.txt",
      "filter",
      "Keyboard",
      "Name",
      "Size",
      "Modified (UTC)",
      "core/",
    ]);
  });
}

async function selection({ open }: Bench) {
  const options = { permissions: ["clipboard-read", "clipboard-write"] };
  await withPage(open("/arch/mixed/", options), async (page) => {
    const copied = () => inPage<string>(page, "navigator.clipboard.readText()");
    const press = (name: string) =>
      bar(page).getByRole("button", { name: `Copy: ${name}` }).click().then(() =>
        page.waitForTimeout(100)
      );
    const here = page.url();
    await row(page, "lastupdate").locator(".size").click();
    await row(page, "archlinux-2026.11.01-x86_64.iso").locator("input").click();
    await row(page, "core/").locator(".time").click({ modifiers: ["Control"] });
    await bar(page).getByText("3 selected · 37 GiB").waitFor();
    await press("URLs");
    assertEquals((await copied()).split("\n").map((l) => l.replace(here, "")), [
      "core/",
      "archlinux-2026.11.01-x86_64.iso",
      "lastupdate",
    ]);
    assertStringIncludes(await bar(page).innerText(), "Copied");
    await press("curl");
    assertEquals((await copied()).split("\n").length, 3);
    assert((await copied()).startsWith("curl -fL --globoff \\\n  -O http://"));
    // What it leaves out is said: a directory, files without a sum.
    assertStringIncludes(await bar(page).innerText(), "Copied 2 of 3");
    await press("wget");
    assertStringIncludes(await copied(), "wget -c -r -np -nH");
    await press("SHA-256");
    assertEquals(await copied(), `${"a".repeat(64)}  archlinux-2026.11.01-x86_64.iso`);
    assertStringIncludes(await bar(page).innerText(), "Copied 1 of 3");
    await page.keyboard.press("Escape");
    await row(page, "core/").locator(".time").click({ modifiers: ["Control"] });
    await press("curl");
    assertStringIncludes(await bar(page).innerText(), "nothing to copy");
    await page.keyboard.press("Escape");
    assertEquals(await bar(page).count(), 0);
    await page.keyboard.type("READ");
    await page.keyboard.press("Space");
    await page.keyboard.press("Shift+ArrowDown");
    await page.keyboard.press("Control+c");
    await page.waitForTimeout(100);
    assertEquals((await copied()).split("\n").map((l) => l.replace(here, "")), [
      "README.txt",
      "SHA256SUMS",
    ]);
    await page.keyboard.press("Control+a");
    assertStringIncludes(await bar(page).innerText(), "15 selected");
    assertEquals(await page.locator("[aria-selected=true]").count(), 15);
    await bar(page).getByRole("button", { name: "Clear the selection" }).click();
    assertEquals(await page.locator("[aria-selected=true]").count(), 0);
  });
}

async function cut({ browser, url }: Bench) {
  await using relay = new Relay(Number(new URL(url).port));
  relay.mood = { cutAfter: 12_000_000 };
  const { page, complaints } = await openPage(browser, `http://127.0.0.1:${relay.port}/arch/huge/`);
  const alert = page.getByRole("alert");
  await alert.waitFor();
  await alert.getByText("The connection was cut after").waitFor();
  assertEquals(await alert.locator("a").getAttribute("href"), "?format=html");
  assertEquals((await view(page)).gap, false);
  const came = await inPage<number>(page, "document.querySelector('listing-page').kept.count");
  assert(came > 0 && came < 300_000, `${came} came`);
  await page.evaluate("globalThis.before = document.querySelector('listing-page').kept");
  relay.mood = {};
  await complete(page);
  assertEquals(await alert.count(), 0);
  assertEquals(await page.locator("output").innerText(), "300,000 entries");
  assertEquals(await inPage(page, "document.querySelector('listing-page').kept === before"), true);
  await page.keyboard.press("End");
  await rest(page);
  assertStringIncludes((await view(page)).last, "package-100002-");
  assert(complaints.every((c) => /ERR_/.test(c)), complaints.join("\n"));
  await page.context().close();
}

// playwright keeps timers and a pipe to the browser beyond what the sanitizers can follow.
Deno.test({
  name: "listing page",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: (t) =>
    withBrowser(async (bench) => {
      await prepare(bench);
      const wanted = Deno.env.get("STEP");
      for (const [name, fn] of Object.entries(STEPS)) {
        if (wanted && !name.includes(wanted)) continue;
        await t.step({ name, fn: () => fn(bench), sanitizeOps: false, sanitizeResources: false });
      }
    }),
});
