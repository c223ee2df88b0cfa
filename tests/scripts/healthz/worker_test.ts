/** The Worker in Cloudflare's own runtime (workerd, by miniflare), bundled as wrangler bundles it. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path/posix";
import * as esbuild from "esbuild";
import { readNodes } from "../../../formats/nodes.ts";
import { readTable } from "../../../scripts/healthz/worker.ts";
import { mark } from "../../../scripts/healthz/cloudflare.ts";
import { FakeCloudflare } from "../../helpers/cloudflare.ts";
import { tempDir } from "../../helpers/node.ts";
import { Workerd } from "../../helpers/workerd.ts";
import type { Asked } from "../../workerd/driver.ts";

const DIR = fromFileUrl(new URL("../../../scripts/healthz/", import.meta.url));
const NAME = "mirror.test", ZONE = "0".repeat(32), TOKEN = "w0rker-t0ken";

/** wrangler.jsonc without its comments. */
async function wrangler() {
  const text = await Deno.readTextFile(`${DIR}wrangler.jsonc`);
  return JSON.parse(text.replace(/^\s*\/\/.*$/gm, ""));
}

async function bundle(main: string): Promise<string> {
  const { outputFiles } = await esbuild.build({
    entryPoints: [DIR + main],
    bundle: true,
    format: "esm",
    write: false,
    external: ["cloudflare:*", "node:*"],
    target: "es2022",
  });
  await esbuild.stop();
  return outputFiles[0].text;
}

const table = (more = {}) => ({
  name: NAME,
  lastsync: "/arch/lastsync",
  fall: 2,
  max_changes: 9,
  dns: { provider: "cloudflare", zone_id: ZONE },
  references: ["https://reference.test/"],
  node: ["a", "b"].map((name, i) => ({
    name,
    host: `${name}.test`,
    addresses: [`192.0.2.${i + 1}`, `2001:db8::${i + 1}`],
  })),
  ...more,
});

Deno.test("readTable: what wrangler.jsonc shows is right; what is wrong is said", async () => {
  const config = await wrangler();
  assertEquals(readTable(config.vars.HEALTHZ).node.length, 1);
  assertThrows(() => readTable({ name: "x" }), Error, "node");
  assertThrows(() => readTable({ ...table(), name: undefined }), Error, "needs name and lastsync");
  assertThrows(() => readTable(table({ rise: 0 })), Error, "rise");
});

/** The options of miniflare that wrangler.jsonc stands for. */
async function options(bindings: Record<string, unknown>, state?: string) {
  const { main, compatibility_date, durable_objects, migrations } = await wrangler();
  const [{ name, class_name: className }] = durable_objects.bindings;
  assertEquals(migrations[0].new_sqlite_classes, [className]);
  return {
    modules: [{ type: "ESModule", path: "worker.js", contents: await bundle(main) }],
    compatibilityDate: compatibility_date,
    durableObjects: { [name]: { className, useSQLite: true } },
    durableObjectsPersist: state,
    bindings,
  };
}

Deno.test("worker: keeps DNS by its cron trigger, tells, survives a restart, shows its state", async () => {
  const fake = new FakeCloudflare(ZONE, TOKEN);
  fake.add("A", NAME, "192.0.2.99", "not ours");
  const dead = new Set<string>(), told: string[] = [];
  const answer = async ({ url, method, headers, body }: Asked): Promise<Response> => {
    const { hostname, pathname } = new URL(url);
    if (hostname === "api.cloudflare.com") {
      return await fake.handle(new Request(url, { method, headers, body: body || undefined }));
    }
    if (hostname === "hook.test") told.push(JSON.parse(body).title);
    if (dead.has(hostname)) return new Response("gone", { status: 502 });
    return new Response(pathname === "/arch/lastsync" ? `${Math.floor(Date.now() / 1000)}` : "ok");
  };
  const fetched = async (asked: Asked) => {
    const response = await answer(asked);
    const { status, headers } = response;
    return { status, headers: [...headers], body: await response.text() };
  };
  await using state = await tempDir();
  const bindings = { HEALTHZ: table(), DNS_TOKEN: TOKEN, WEBHOOK: "https://hook.test/s3cret" };
  const start = async () => await Workerd.start(await options(bindings, state.path), fetched);
  const all = ["A 192.0.2.1", "A 192.0.2.2", "A 192.0.2.99"];
  const six = ["AAAA 2001:db8::1", "AAAA 2001:db8::2"];
  const left = ["A 192.0.2.1", "A 192.0.2.99", "AAAA 2001:db8::1"];
  {
    await using worker = await start();
    assertEquals((await worker.get("/nodes.json")).status, 503);
    assertEquals(await worker.cron(), "ok");
    assertEquals(fake.show(NAME), [...all, ...six]);
    assertEquals(told.length, 4);
    dead.add("b.test");
    assertEquals(await worker.cron(), "ok");
  }
  // The state is on disk: another instance goes on where this one stopped.
  await using worker = await start();
  assertEquals(await worker.cron(), "ok");
  assertEquals(fake.show(NAME), left);
  assertEquals(told.slice(4), ["mirror.test: b leaves", "mirror.test: b leaves"]);
  const shown = readNodes((await worker.get("/nodes.json")).body)!;
  assertEquals(shown.nodes.map((n) => n.state), ["up", "down"]);
  assertMatch(shown.nodes[1].addresses[0].checks[0].reason, /HTTP status 502/);
  assertEquals([(await worker.get("/")).status, (await worker.get("/nodes.json", "POST")).status], [
    404,
    405,
  ]);
  // Everything dead: the set stays, and a person is called.
  dead.add("a.test");
  for (let i = 0; i < 4; i++) assertEquals(await worker.cron(), "ok");
  assertEquals(fake.show(NAME), left);
  assert(told.includes("mirror.test: alarm"));
  fake.troubles = ["500"];
  assertEquals(await worker.cron(), "ok");
  assertEquals(fake.records.filter((r) => r.comment === mark(NAME)).length, 2);
});

Deno.test("worker: TCP checks and reference points by address", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 }), { port } = listener.addr;
  const serving = (async () => {
    for await (const connection of listener) {
      const buffer = new Uint8Array(64);
      const n = await connection.read(buffer).catch(() => null);
      if (n) {
        const said = new TextDecoder().decode(buffer.subarray(0, n));
        const list = said.includes("#list") ? "arch           \tArch Linux\n@RSYNCD: EXIT\n" : "";
        await connection.write(new TextEncoder().encode(`@RSYNCD: 31.0\n${list}`));
      }
      connection.close();
    }
  })();
  const node = (name: string, check: string, address: string) => ({
    name,
    addresses: [address],
    checks: [check],
    ports: { rsync: port, ftp: port },
  });
  const HEALTHZ = {
    name: NAME,
    lastsync: "/x",
    rsync_module: "arch",
    timeout: "2 s",
    references: [`127.0.0.1:${port}`],
    node: [node("a", "rsync", "127.0.0.1"), node("b", "ftp", "127.0.0.2")],
  };
  {
    await using worker = await Workerd.start(await options({ HEALTHZ }));
    assertEquals(await worker.cron(), "ok");
    const shown = readNodes((await worker.get("/nodes.json")).body)!;
    const checks = shown.nodes.map((n) => n.addresses[0].checks[0]);
    assertEquals(checks.map((c) => c.ok), [true, false], JSON.stringify(shown));
    assertEquals([checks[0].reason, shown.alarms], ["lists arch", []]);
  }
  listener.close();
  await serving;
});
