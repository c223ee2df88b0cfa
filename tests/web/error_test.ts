/** The pages of errors in a real browser: real statuses, a way on, and how they look. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  assertAccessible,
  assertLooks,
  type Bench,
  LOOKS,
  withBrowser,
} from "../helpers/browser.ts";
import { makeNode } from "../server/fixture.ts";

// playwright keeps timers and a pipe to the browser beyond what the sanitizers can follow.
const test = (name: string, body: (bench: Bench) => Promise<void>) =>
  Deno.test({
    name,
    fn: () =>
      withBrowser(async (bench) => {
        await bench.node.ready("arch");
        await bench.node.write("arch/core/os/x", "x");
        await bench.node.list("/arch/");
        await bench.node.list("/arch/core/");
        await body(bench);
      }, () => makeNode({ arch: "/arch/", new: "/new/" })),
    sanitizeOps: false,
    sanitizeResources: false,
  });

const PAGES: [path: string, status: number, name: string, says: string][] = [
  ["/arch/core/nix/y.zst", 404, "lost", "The nearest folder that is there: /arch/core/"],
  ["/new/", 503, "gate", "Its first sync has not completed."],
  ["/arch/core/os/", 503, "unlisted", "Its files are here and can be fetched by name."],
];

test("errors: each has its status, a page that helps, and nothing that axe finds", async ({ browser, url }) => {
  for (const [path, status, name, says] of PAGES) {
    for (const look of LOOKS) {
      const page = await (await browser.newContext({ ...look, locale: "en-GB" })).newPage();
      const response = await page.goto(url + path);
      assertEquals(response!.status(), status);
      assertStringIncludes(await page.locator("main").innerText(), says);
      await assertLooks(page, `error-${name}-${look.name}`);
      if (look === LOOKS[0]) await assertAccessible(page);
      await page.context().close();
    }
  }
});

test("errors: from a page that is lost, the nearest folder is a click away; in Korean, too", async ({ open }) => {
  const { page } = await open("/arch/core/nix/y.zst", { locale: "ko-KR" });
  assertStringIncludes(await page.locator("h1").innerText(), "아무것도 없습니다");
  await page.getByRole("link", { name: "/arch/core/" }).click();
  await page.waitForURL("**/arch/core/");
});
