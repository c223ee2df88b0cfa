/** `demo --once`: the chain from end to end, checked as clients see it. */
import { join } from "@std/path/posix";
import type { Log } from "../lib/cli.ts";
import type { Demo } from "./mirror.ts";

type Row = { name: string; bytes: number; files?: number };
type Listing = { files: number; entries: Row[] };

async function json<T>(url: string): Promise<T> {
  const response = await fetch(url, { headers: { accept: "application/json" } });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`${url} answers ${response.status}`);
  }
  return await response.json();
}

async function text(url: string, headers: Record<string, string> = {}): Promise<[number, string]> {
  const response = await fetch(url, { headers });
  return [response.status, await response.text()];
}

function equal(what: string, actual: unknown, expected: unknown) {
  if (JSON.stringify(actual) === JSON.stringify(expected)) return;
  throw new Error(`${what} is ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`);
}

/** The checks in order; each throws where it does not hold. */
function checks(demo: Demo): [string, () => Promise<void>][] {
  const repo = `${demo.url}archlinux/`, core = `${repo}core/os/x86_64/`;
  let released = "";
  return [
    ["the server says that all is well", async () => {
      equal("status of /healthz", (await text(`${demo.url}healthz`))[0], 200);
      const { repos } = await json<{ repos: { outcome: string }[] }>(`${demo.url}status.json`);
      equal("outcome in /status.json", repos[0]?.outcome, "synced");
    }],
    ["the root listing counts every file", async () => {
      const { files } = await json<Listing>(repo);
      equal("files", files, 8 + 4 + 1 + 1 + 2);
    }],
    ["a package arrives as it is upstream, whole and in part", async () => {
      const name = "hello-mirror-1.0-1-any.pkg.tar.zst";
      const original = await Deno.readFile(join(demo.upstream.root, "pool/packages", name));
      const whole = new Uint8Array(await (await fetch(core + name)).arrayBuffer());
      equal(
        "package",
        whole.length === original.length && whole.every((b, i) => b === original[i]),
        true,
      );
      const [status, part] = await text(core + name, { range: "bytes=0-3" });
      equal("status and length of a range", [status, part.length], [206, 4]);
    }],
    ["a terminal browser gets a listing without scripts", async () => {
      const [status, html] = await text(core, { "user-agent": "Lynx/2.9", accept: "text/html" });
      equal("status", status, 200);
      equal("link to core.db", html.includes('href="core.db"'), true);
      equal("script", /<script/i.test(html), false);
    }],
    ["an update upstream reaches the mirror and its listings", async () => {
      released = await demo.upstream.update(0);
      await demo.sync();
      const names = (await json<Listing>(core)).entries.map((e) => e.name);
      equal("new release listed", names.includes(released), true);
      equal("old release listed", names.includes("hello-mirror-1.0-1-any.pkg.tar.zst"), false);
      equal(
        "old release served",
        (await text(`${core}hello-mirror-1.0-1-any.pkg.tar.zst`))[0],
        404,
      );
    }],
    ["without changes the cheap check ends the run", async () => {
      const [status] = JSON.parse(await demo.run("scripts/syncrepo.ts", "--json", "--quiet"));
      equal("outcome", status.outcome, "unchanged");
    }],
    ["every database finds its packages", async () => {
      await demo.run("scripts/syncrepo.ts", "--verify", "--quiet");
    }],
    ["every listing is true", async () => {
      await demo.run("scripts/indexer.ts", "--quiet");
      await demo.run("scripts/indexer.ts", "--check", "--quiet");
    }],
  ];
}

/** Runs the checks and says how each went; true if all hold. */
export async function checkChain(demo: Demo, log: Log): Promise<boolean> {
  let good = true;
  for (const [what, check] of checks(demo)) {
    try {
      await check();
      log.info(`ok      ${what}`);
    } catch (error) {
      good = false;
      log.error(`FAILED  ${what}: ${(error as Error).message}`);
    }
  }
  return good;
}
