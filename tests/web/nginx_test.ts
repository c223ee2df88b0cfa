/** The pages behind a real nginx with the configuration that `configure` writes, in a real browser. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/posix";
import * as esbuild from "esbuild";
import type { Page } from "playwright-core";
import { startServer } from "../../server/listen.ts";
import { build } from "../../web/build.ts";
import { assertAccessible, launch, openPage } from "../helpers/browser.ts";
import { forTest, startNginx, writeServers } from "../helpers/daemons.ts";
import { output } from "../helpers/serving.ts";
import { NOW } from "../server/fixture.ts";
import { makeHomeNode } from "./home_node.ts";
import { MIXED, putListing } from "./listing_node.ts";

/** nginx, with the embedded server behind it, and a browser. */
async function start(stack: AsyncDisposableStack) {
  const node = stack.use(await makeHomeNode());
  await Deno.chmod(node.data, 0o755);
  await putListing(node, "/archlinux/mixed/", MIXED);
  await node.write("archlinux/mixed/README.txt", "Welcome.\n");
  const web = join(node.data, "web");
  await build(web);
  await esbuild.stop();
  const config = forTest(node.config, node.data), { socket, nginx } = config.server;
  const behind = startServer(config, { socket, web, now: () => NOW, report: () => {} });
  let up = true;
  const down = async () => {
    if (up) await behind.shutdown(1000);
    up = false;
  };
  stack.defer(down);
  stack.use(await startNginx(await writeServers(config, node.data, web), config));
  const browser = await launch();
  stack.defer(() => browser.close());
  return { node, browser, url: `http://127.0.0.1:${nginx.port}`, down };
}

interface Answer {
  path: string;
  status: number;
  cache: string;
}

/** Gives what the network answered since it was last asked, as it was: a 304 is one. */
async function watch(page: Page): Promise<() => Answer[]> {
  const session = await page.context().newCDPSession(page), paths = new Map<string, string>();
  const seen: (Omit<Answer, "path"> & { id: string })[] = [];
  await session.send("Network.enable");
  // Which of the two comes first is left open.
  session.on("Network.requestWillBeSent", ({ requestId, request }) => {
    const { pathname, search } = new URL(request.url);
    paths.set(requestId, pathname + search);
  });
  session.on("Network.responseReceivedExtraInfo", ({ requestId, statusCode, headers }) => {
    const lower = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
    );
    seen.push({ id: requestId, status: statusCode, cache: lower["cache-control"] ?? "" });
  });
  return () => seen.splice(0).map(({ id, ...rest }) => ({ path: paths.get(id) ?? "?", ...rest }));
}

const rows = (page: Page) => page.locator("[role=grid][aria-busy=false]").waitFor();

Deno.test({
  name: "nginx: home, listing and errors in a browser, as they are without it",
  // As root alone a file can be made another user's.
  ignore: Deno.uid() !== 0,
  // playwright keeps timers and a pipe to the browser beyond what the sanitizers can follow.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    await using stack = new AsyncDisposableStack();
    const { node, browser, url, down } = await start(stack);

    await t.step(
      "a listing: no complaint, one fetch, assets for ever, 304 when loaded again",
      async () => {
        const { page, complaints } = await openPage(browser, "about:blank");
        const answers = await watch(page);
        await page.goto(`${url}/archlinux/mixed/`);
        await rows(page);
        assertEquals(await page.locator(".rows [role=row]").count(), MIXED.length);
        const first = answers(), isAsset = ({ path }: Answer) => path.includes("/assets/");
        assert(first.filter(isAsset).length >= 4);
        for (const asset of first.filter(isAsset)) {
          const cache = "public, max-age=31536000, immutable";
          assertEquals(asset, { path: asset.path, status: 200, cache });
        }
        // What the shell preloads is what the script reads: it is asked for once.
        const json = "/archlinux/mixed/?format=json", kept = "no-cache";
        assertEquals(first.filter((a) => a.path === json), [
          { path: json, status: 200, cache: kept },
        ]);
        await page.reload();
        await rows(page);
        const second = answers();
        for (const path of ["/archlinux/mixed/", json]) {
          assertEquals(second.filter((a) => a.path === path), [{ path, status: 304, cache: kept }]);
        }
        // None that was there is asked for again. (Parts that come late may not have been.)
        const had = new Set(first.map((a) => a.path));
        assertEquals(second.filter((a) => isAsset(a) && had.has(a.path)), []);
        assertEquals(complaints, []);
        await page.context().close();
      },
    );

    await t.step("home: no complaint, and it stays current", async () => {
      const { page, complaints } = await openPage(browser, `${url}/`, { locale: "en-GB" });
      await page.locator("repo-list > div table").waitFor();
      assertStringIncludes(await page.locator("#use").innerText(), "/etc/apk/repositories");
      assertEquals(complaints.filter((c) => !/\/sse|stats\.json|502|503/.test(c)), []);
      await page.context().close();
    });

    await t.step("errors: a page that helps, in the appearance that the reader chose", async () => {
      const at = (path: string) => join(node.data, "static", path);
      await node.write("archlinux/.secret", "x");
      await Deno.symlink(".secret", at("archlinux/private"));
      await output("chown", ["-h", "12345:12345", at("archlinux/private")]);
      const cases: [path: string, status: number, says: string, link: string][] = [
        ["/archlinux/mixed/nix/x", 404, "There is nothing at this address", "/archlinux/mixed/"],
        ["/nix/", 404, "There is nothing at this address", "Start page of this mirror"],
        ["/archlinux/private", 403, "may not be read", "Start page of this mirror"],
        ["/fedora/", 503, "still arriving", "How its repositories stand"],
      ];
      const { page } = await openPage(browser, `${url}/archlinux/mixed/`, {
        colorScheme: "light",
        locale: "en-GB",
      });
      await page.getByRole("combobox", { name: "Appearance" }).selectOption("dark");
      const complaints: string[] = [];
      page.on("console", (m) => complaints.push(m.text()));
      for (const [path, status, says, link] of cases) {
        const response = await page.goto(url + path);
        assertEquals([path, response!.status()], [path, status]);
        assertStringIncludes(await page.locator("h1").innerText(), says);
        assertEquals([path, await page.getByRole("link", { name: link }).count()], [path, 1]);
        const paper = await page.evaluate("getComputedStyle(document.body).backgroundColor");
        assertEquals([path, paper], [path, "rgb(21, 23, 25)"]);
        await assertAccessible(page);
        await page.emulateMedia({ colorScheme: "light" });
      }
      // The browser says that an answer was an error, and nothing else.
      assertEquals(complaints.filter((c) => !/status of (?:403|404|503)/.test(c)), []);
      await page.context().close();
    });

    await t.step("without the embedded server: listings go on, and the rest says so", async () => {
      await down();
      const { page, complaints } = await openPage(browser, `${url}/archlinux/mixed/`);
      await rows(page);
      assertEquals(complaints, []);
      await page.goto(`${url}/`);
      assertStringIncludes(await page.locator("body").innerText(), "is being restarted");
      await page.getByRole("link", { name: "archlinux" }).waitFor();
      assertEquals((await page.goto(`${url}/nix/`))!.status(), 404);
      assertStringIncludes(await page.locator("h1").innerText(), "There is nothing");
    });
  },
});
