/** The Worker in Cloudflare's own runtime (workerd, by miniflare), bundled as wrangler bundles it. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path/posix";
import * as esbuild from "esbuild";
import { Miniflare, Response as MfResponse } from "miniflare";
import { readNodes } from "../../../formats/nodes.ts";
import { readTable } from "../../../scripts/healthz/worker.ts";
import { mark } from "../../../scripts/healthz/cloudflare.ts";
import { FakeCloudflare } from "../../helpers/cloudflare.ts";

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

Deno.test("worker: keeps DNS by its cron trigger, tells, survives a restart, shows its state", async () => {
  const config = await wrangler();
  const [{ name: binding, class_name: className }] = config.durable_objects.bindings;
  assertEquals(config.migrations[0].new_sqlite_classes, [className]);
  const fake = new FakeCloudflare(ZONE, TOKEN);
  fake.add("A", NAME, "192.0.2.99", "not ours");
  const dead = new Set<string>(), told: string[] = [];
  const state = await Deno.makeTempDir({ prefix: "mirrorkit-test-" });
  const script = await bundle(config.main);
  const outboundService = async (request: Request) => {
    const { hostname, pathname } = new URL(request.url);
    const answer = await (async () => {
      if (hostname === "api.cloudflare.com") return await fake.handle(request);
      if (hostname === "hook.test") {
        told.push((await request.json()).title);
        return new Response("ok");
      }
      if (dead.has(hostname)) return new Response("gone", { status: 502 });
      if (pathname === "/arch/lastsync") return new Response(`${Math.floor(Date.now() / 1000)}`);
      return new Response("reference");
    })();
    return new MfResponse(await answer.text(), {
      status: answer.status,
      headers: [...answer.headers],
    });
  };
  const start = () =>
    new Miniflare({
      modules: [{ type: "ESModule", path: "worker.js", contents: script }],
      handleStructuredLogs: () => {},
      compatibilityDate: config.compatibility_date,
      durableObjects: { [binding]: { className, useSQLite: true } },
      durableObjectsPersist: state,
      bindings: { HEALTHZ: table(), DNS_TOKEN: TOKEN, WEBHOOK: "https://hook.test/s3cret" },
      // deno-lint-ignore no-explicit-any
      outboundService: outboundService as any,
    });
  let flare = start();
  const cron = async (n = 1) => {
    for (let i = 0; i < n; i++) {
      // miniflare's types want those of Cloudflare's runtime, which clash with Deno's.
      const worker = await flare.getWorker() as unknown as {
        scheduled(event: { cron: string }): Promise<{ outcome: string }>;
      };
      assertEquals((await worker.scheduled({ cron: "* * * * *" })).outcome, "ok");
    }
  };
  const get = (path: string, method = "GET") => flare.dispatchFetch(`http://x${path}`, { method });
  try {
    assertEquals((await get("/nodes.json")).status, 503);
    await cron();
    const all = ["A 192.0.2.1", "A 192.0.2.2", "A 192.0.2.99"];
    const six = ["AAAA 2001:db8::1", "AAAA 2001:db8::2"];
    assertEquals(fake.show(NAME), [...all, ...six]);
    assertEquals(told.length, 4);

    dead.add("b.test");
    await cron();
    // The state is on disk: another instance goes on where this one stopped.
    await flare.dispose();
    flare = start();
    await cron();
    assertEquals(fake.show(NAME), ["A 192.0.2.1", "A 192.0.2.99", "AAAA 2001:db8::1"]);
    assertEquals(told.slice(4), ["mirror.test: b leaves", "mirror.test: b leaves"]);

    const shown = readNodes(await (await get("/nodes.json")).text())!;
    assertEquals(shown.nodes.map((n) => n.state), ["up", "down"]);
    assertMatch(shown.nodes[1].addresses[0].checks[0].reason, /HTTP status 502/);
    assertEquals([(await get("/")).status, (await get("/nodes.json", "POST")).status], [404, 405]);

    // Everything dead: the set stays, and a person is called.
    dead.add("a.test");
    await cron(4);
    assertEquals(fake.show(NAME), ["A 192.0.2.1", "A 192.0.2.99", "AAAA 2001:db8::1"]);
    assert(told.includes("mirror.test: alarm"));
    fake.troubles = ["500"];
    await cron();
    assertEquals(fake.records.filter((r) => r.comment === mark(NAME)).length, 2);
  } finally {
    await flare.dispose();
    await Deno.remove(state, { recursive: true });
  }
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
  const config = await wrangler();
  const [{ name: binding, class_name: className }] = config.durable_objects.bindings;
  const node = (name: string, module: string, address: string) => ({
    name,
    addresses: [address],
    checks: [module === "arch" ? "rsync" : "ftp"],
    ports: { rsync: port, ftp: port },
  });
  const flare = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.js", contents: await bundle(config.main) }],
    handleStructuredLogs: () => {},
    compatibilityDate: config.compatibility_date,
    durableObjects: { [binding]: { className, useSQLite: true } },
    bindings: {
      HEALTHZ: {
        name: NAME,
        lastsync: "/x",
        rsync_module: "arch",
        timeout: "2 s",
        references: [`127.0.0.1:${port}`],
        node: [node("a", "arch", "127.0.0.1"), node("b", "other", "127.0.0.2")],
      },
    },
  });
  try {
    const worker = await flare.getWorker() as unknown as {
      scheduled(event: { cron: string }): Promise<{ outcome: string }>;
    };
    assertEquals((await worker.scheduled({ cron: "* * * * *" })).outcome, "ok");
    const shown = readNodes(await (await flare.dispatchFetch("http://x/nodes.json")).text())!;
    const checks = shown.nodes.map((n) => n.addresses[0].checks[0]);
    assertEquals(checks.map((c) => c.ok), [true, false], JSON.stringify(shown));
    assertEquals([checks[0].reason, shown.alarms], ["lists arch", []]);
  } finally {
    await flare.dispose();
    listener.close();
    await serving;
  }
});
