import { assert, assertEquals, assertMatch } from "@std/assert";
import { newStatus } from "../../formats/status.ts";
import { Log } from "../../scripts/lib/cli.ts";
import { readConfig } from "../../scripts/lib/config.ts";
import type { Child, Ended } from "../../scripts/lib/children.ts";
import { isDue, Node, schedule } from "../../scripts/scheduler.ts";
import { ArchTree } from "../helpers/arch.ts";
import { tempDir, TestNode } from "../helpers/node.ts";

Deno.test("isDue: never complete, killed, or missed while the node was down", () => {
  const status = (more: object) => ({ ...newStatus("a", "/a/", "arch"), ...more });
  assertEquals(isDue(undefined, true, 100), true);
  assertEquals(isDue(status({ nextRun: 200 }), false, 100), true);
  assertEquals(isDue(status({ nextRun: 200, outcome: "running" }), true, 100), true);
  assertEquals(isDue(status({ nextRun: 99 }), true, 100), true);
  assertEquals(isDue(status({ nextRun: 200 }), true, 100), false);
  assertEquals(isDue(status({}), true, 100), false);
});

const toml = (data: string) =>
  `data = "${data}"\n[site]\nname = "m.test"\n` +
  ["a", "b"].map((n) =>
    `[[repo]]\nname = "${n}"\nprofile = "arch"\nupstream = ["/u"]\nschedule = "~ 3 1 1 *"\n`
  ).join("");

/** Records what is started; each child ends when it is told to. */
function fakeStart() {
  const started: string[] = [], ends: ((ended: Ended) => void)[] = [];
  const start = (script: string, args: string[]): Child => {
    started.push([script, ...args].join(" "));
    const { promise, resolve } = Promise.withResolvers<Ended>();
    ends.push(resolve);
    return {
      ended: promise,
      stop: () => {
        started.push(`stop ${script}`);
        resolve({ code: 143, stdout: "" });
        return promise;
      },
    };
  };
  return { started, ends, start };
}

Deno.test("Node: what is due starts at once, beside each other; a stop ends children and starts nothing", async () => {
  await using dir = await tempDir();
  const nodes = `[healthz]\n[[healthz.node]]\nname = "n"\naddresses = ["::1"]\n`;
  const config = readConfig(toml(dir.path) + nodes, "/m.toml");
  const { started, start } = fakeStart();
  const node = new Node(config, new Log(0), ["--where"], start);
  node.serve();
  node.measure();
  node.watch();
  await node.begin();
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(started, [
    "server/main.ts --where",
    "scripts/statcat.ts hub --where",
    "scripts/statcat.ts spoke --where",
    "scripts/healthz.ts run --where",
    "scripts/syncrepo.ts a --json --where",
    "scripts/syncrepo.ts b --json --where",
  ]);
  await node.stop();
  assertEquals(started.slice(6).sort(), [
    "stop scripts/healthz.ts",
    "stop scripts/statcat.ts",
    "stop scripts/statcat.ts",
    "stop scripts/syncrepo.ts",
    "stop scripts/syncrepo.ts",
    "stop server/main.ts",
  ]);
});

Deno.test("schedule: the minute that a pattern leaves open stays the same", () => {
  const config = readConfig(toml("/x"), "/m.toml");
  const [a, b] = config.repos.map((r) => schedule(config, r));
  assertMatch(a, /^\d+ 3 1 1 \*$/);
  assertEquals(a, schedule(config, config.repos[0]));
  assert(a !== b);
});

Deno.test("scheduler: syncs, indexes, serves, and stops cleanly", async () => {
  await using dir = await tempDir();
  const up = new ArchTree(dir.path);
  await up.fill(3);
  await using node = await TestNode.make(
    `[server]\nport = 0\n[statcat]\nport = 0\ninterfaces = ["lo"]\n[[repo]]\nname = "arch"\nprofile = "arch"\nupstream = ["${dir.path}"]\n`,
  );
  const child = node.start("scripts/scheduler.ts");
  const lines = child.stderr.pipeThrough(new TextDecoderStream());
  let said = "", url = "", names: string[] = [];
  const done = (async () => {
    for await (const text of lines) said += text;
  })();
  for (let tries = 0; tries < 200 && names.length === 0; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    url = /serving \S+ at (\S+)/.exec(said)?.[1] ?? "";
    if (!url) continue;
    const response = await fetch(`${url}arch/?format=json`);
    const body = await response.text();
    if (response.status === 200) {
      names = JSON.parse(body).entries.map((e: { name: string }) => e.name);
    }
  }
  assertEquals(names, ["core/", "extra/", "iso/", "pool/", "lastsync", "lastupdate"], said);
  // The page has live traffic, without a token that anybody had to make.
  const events = (await fetch(`${url}sse`)).body!.pipeThrough(new TextDecoderStream()).getReader();
  let event = "";
  while (!event.includes('["mirror.test",')) event += (await events.read()).value;
  const second = await node.run("scripts/scheduler.ts");
  assertEquals(second.code, 75);
  assertMatch(second.stderr, /A scheduler is at work already: process \d+ since/);
  const stopped = performance.now();
  child.kill("SIGTERM");
  assertEquals((await child.status).code, 0);
  await events.closed.catch(() => {});
  await done;
  await child.stdout.cancel();
  assert(performance.now() - stopped < 10_000, "a listener must not hold it up");
  const { stdout } = await new Deno.Command("ps", { args: ["-eo", "args="] }).output();
  assertEquals(
    new TextDecoder().decode(stdout).split("\n").filter((l) => l.includes(node.dir)),
    [],
  );
});
