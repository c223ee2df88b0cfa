/** `healthz` as an operator runs it: the command, its files, a hook, notices. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { readNodes } from "../../formats/nodes.ts";
import { denoCommand } from "../../scripts/lib/children.ts";
import { takeLock } from "../../scripts/lib/lock.ts";
import { FakeCloudflare } from "../helpers/cloudflare.ts";
import { TestNode } from "../helpers/node.ts";

const SCRIPT = "scripts/healthz.ts";

/** Servers of a node each, on addresses of the loopback network and one free port. */
class Nodes implements AsyncDisposable {
  private readonly servers = new Map<string, Deno.HttpServer>();
  private constructor(readonly port: number) {}

  static start(addresses: string[]): Nodes {
    const port = (() => {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      return listener.addr.port;
    })();
    const nodes = new Nodes(port);
    for (const address of addresses) nodes.up(address);
    return nodes;
  }

  up(hostname: string) {
    const answer = () => new Response(`${Math.floor(Date.now() / 1000)}\n`);
    this.servers.set(
      hostname,
      Deno.serve({ hostname, port: this.port, onListen: () => {} }, answer),
    );
  }
  async down(hostname: string) {
    await this.servers.get(hostname)!.shutdown();
    this.servers.delete(hostname);
  }
  async [Symbol.asyncDispose]() {
    await Promise.all([...this.servers.values()].map((s) => s.shutdown()));
  }
}

const ADDRESSES = ["127.0.0.1", "127.0.0.2", "::1"];

/** A configuration with a hook and a command that write down what they get. */
const toml = (port: number, dir: string, more = "") => `
[healthz]
name = "m.test"
fall = 2
timeout = "2 s"
ports = { http = ${port} }
${more}
[healthz.notify]
command = ["sh", "-c", "cat >> ${dir}/told"]
mail = "op@m.test"
sendmail = "${dir}/sendmail"
[healthz.dns]
provider = "hook"
command = ["sh", "-c", "cat >> ${dir}/wrote; test ! -e ${dir}/refuse || { echo no >&2; exit 3; }"]
[[healthz.node]]
name = "a"
addresses = ["127.0.0.1", "::1"]
[[healthz.node]]
name = "b"
addresses = ["127.0.0.2"]
[[repo]]
name = "arch"
profile = "arch"
upstream = ["/u"]
`;

const lines = async (path: string) =>
  (await Deno.readTextFile(path).catch(() => "")).split("\n").filter(Boolean)
    .map((l) => JSON.parse(l));

async function make(nodes: Nodes, more = "") {
  const node = await TestNode.make("");
  await node.configure(toml(nodes.port, node.dir, more));
  await Deno.writeTextFile(
    `${node.dir}/sendmail`,
    `#!/bin/sh\n{ echo "$@"; cat; } >> ${node.dir}/mail\n`,
    { mode: 0o755 },
  );
  return node;
}

Deno.test("healthz: check, hook, notices, drain, status, a damaged state", async () => {
  await using nodes = Nodes.start(ADDRESSES);
  await using node = await make(nodes);
  const run = (...args: string[]) => node.run(SCRIPT, ...args);
  const published = async () => {
    const state = readNodes(await Deno.readTextFile(node.path("state/healthz/nodes.json")))!;
    return state.nodes.flatMap((n) => n.addresses).filter((a) => a.published).map((a) => a.address)
      .sort();
  };

  const dry = await run("check", "--dry-run");
  assertEquals([dry.code, dry.stdout.trim().split("\n")], [0, [
    "+ m.test. 60 IN A 127.0.0.1",
    "+ m.test. 60 IN A 127.0.0.2",
    "+ m.test. 60 IN AAAA ::1",
  ]], dry.stderr);
  assertEquals(await lines(`${node.dir}/wrote`), []);
  assertEquals((await run("status")).code, 1);

  const first = await run("check", "--json");
  assertEquals(first.code, 0, first.stderr);
  assertEquals(JSON.parse(first.stdout).changes.length, 3);
  const [given] = await lines(`${node.dir}/wrote`);
  assertEquals([given.name, given.ttl, given.records.length, given.add.length], [
    "m.test",
    60,
    3,
    3,
  ]);
  assertEquals(given.nodes[0], { address: "127.0.0.1", node: "a", weight: 1 });
  assertEquals((await lines(`${node.dir}/told`)).length, 3);
  assertMatch(
    await Deno.readTextFile(`${node.dir}/mail`),
    /^-i -- op@m\.test\nTo: op@m\.test\nSubject: m\.test: a joins\n/,
  );
  assertEquals((await run("check")).code, 0);
  assertEquals((await lines(`${node.dir}/wrote`)).length, 1, "nothing to change is not written");

  await nodes.down("127.0.0.2");
  for (let i = 0; i < 3; i++) assertEquals((await run("check")).code, 0);
  assertEquals(await published(), ["127.0.0.1", "::1"]);
  const told = await lines(`${node.dir}/told`);
  assertEquals(told.length, 4);
  assertMatch(told[3].text, /^- 127\.0\.0\.2: 2 bad probes in a row: http: .*refused/i);

  // Drained: the only good IPv4 address stays, and a person is called.
  const drained = await run("drain", "a");
  assertEquals(drained.code, 0, drained.stderr);
  const held = await run("check");
  assertEquals(held.code, 1);
  assertMatch(held.stderr, /IPv4: only 0 of 2 addresses can be relied on/);
  assertEquals(await published(), ["127.0.0.1", "::1"]);
  nodes.up("127.0.0.2");
  await run("check");
  await run("check");
  assertEquals(await published(), ["127.0.0.2", "::1"], "IPv6 has no other");
  assertEquals((await run("undrain", "a")).code, 0);
  await run("check");
  assertEquals(await published(), ADDRESSES);
  const status = await run("status");
  assertMatch(status.stdout, /^m\.test at 20.*\na +127\.0\.0\.1 +up +since .* in DNS\n/);
  const wrong = await run("drain", "c");
  assertEquals(wrong.code, 2);
  assertMatch(wrong.stderr, /No node "c" in .*There are: a, b/s);

  await Deno.writeTextFile(node.path("state/healthz/history.json"), '{"v":1,"runs":');
  const healed = await run("check");
  assertMatch(healed.stderr, /The state was damaged and begins anew; it is kept as .*damaged/);
  assertEquals(await published(), ADDRESSES);
  assertEquals(
    await Deno.readTextFile(node.path("state/healthz/history.json.damaged")),
    '{"v":1,"runs":',
  );
});

Deno.test("healthz: a hook that fails is an alarm and exit code 1, and tried again", async () => {
  await using nodes = Nodes.start(ADDRESSES);
  await using node = await make(nodes);
  await Deno.writeTextFile(`${node.dir}/refuse`, "");
  const { code, stderr, stdout } = await node.run(SCRIPT, "check");
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /alarm since .*: The hook sh ended with 3: no\./);
  await Deno.remove(`${node.dir}/refuse`);
  assertEquals((await node.run(SCRIPT, "check")).code, 0);
  assertEquals((await lines(`${node.dir}/wrote`)).length, 2);
});

Deno.test("healthz run: on schedule, SIGTERM ends it cleanly", async () => {
  await using nodes = Nodes.start(ADDRESSES);
  await using node = await make(nodes, `schedule = "* * * * * *"`);
  const child = node.start(SCRIPT, "run");
  const said = new Response(child.stderr).text(), out = new Response(child.stdout).text();
  const path = node.path("state/healthz/history.json");
  let runs = 0;
  for (let tries = 0; tries < 150 && runs < 3; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    runs = JSON.parse(await Deno.readTextFile(path).catch(() => '{"runs":0}')).runs;
  }
  child.kill("SIGTERM");
  assertEquals((await child.status).code, 0, await said);
  await out;
  assert(runs >= 3, await said);
  assertMatch(await said, /m\.test: 3 addresses, \* \* \* \* \* \*\n[\s\S]*Stopping \(SIGTERM\)/);
});

/** Runs a command with more in its environment. */
async function runWith(node: TestNode, env: Record<string, string>, ...args: string[]) {
  const [command, ...rest] = denoCommand(SCRIPT, [`--config=${node.config}`, ...args]);
  const { code, stdout, stderr } = await new Deno.Command(command, { args: rest, env }).output();
  return { code, said: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

Deno.test("healthz: the token comes from systemd's credential or a file, and is never shown", async () => {
  await using nodes = Nodes.start(ADDRESSES);
  await using node = await make(nodes);
  const token = "t0p-s3cr3t", zone = "0".repeat(32), fake = new FakeCloudflare(zone, token);
  await using api = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, fake.handle);
  const url = `http://127.0.0.1:${api.addr.port}/client/v4`;
  const dns = `provider = "cloudflare"\nzone_id = "${zone}"\napi = "${url}"`;
  const text = toml(nodes.port, node.dir).replace(/provider = "hook"\n.*\n/, () => `${dns}\n`);
  await node.configure(text);
  const env = { CREDENTIALS_DIRECTORY: `${node.dir}/credentials`, MIRROR_DATA: node.path() };

  const without = await runWith(node, env, "check", "-v");
  assertEquals(without.code, 1);
  assertMatch(
    without.said,
    /healthz\.dns needs a secret, and there is none.*credential healthz-secret/s,
  );
  assertEquals(fake.requests, []);

  await Deno.mkdir(env.CREDENTIALS_DIRECTORY);
  await Deno.writeTextFile(`${env.CREDENTIALS_DIRECTORY}/healthz-secret`, `${token}\n`);
  const good = await runWith(node, env, "check", "-v", "--json");
  assertEquals(good.code, 0, good.said);
  assertEquals(fake.show("m.test").length, 3);

  await Deno.writeTextFile(`${node.dir}/token`, "wr0ng-t0ken");
  await node.configure(text.replace("zone_id", 'secret_file = "token"\nzone_id'));
  const bad = await runWith(node, env, "check", "-v", "--json");
  assertEquals(bad.code, 1);
  assertMatch(bad.said, /Authentication error/);
  for (const { said } of [without, good, bad]) assert(!/t0p-s3cr3t|wr0ng-t0ken/.test(said), said);
  const state = await Deno.readTextFile(node.path("state/healthz/history.json"));
  assert(!/t0p-s3cr3t|wr0ng-t0ken/.test(state));
});

Deno.test("healthz: two checkers agree through each other's nodes.json, if they are told to", async () => {
  await using nodes = Nodes.start(ADDRESSES);
  await using one = await TestNode.make(""), two = await TestNode.make("");
  const both = [one, two];
  for (const [i, node] of both.entries()) {
    const peer = both[1 - i].path("state/healthz/nodes.json");
    await node.configure(
      toml(nodes.port, node.dir, "rise = 1\n").replace(
        "[healthz.notify]",
        `[healthz.quorum]\npeers = ["${peer}"]\nneed = 2\n[healthz.notify]`,
      ).replace(/mail = .*\n/, ""),
    );
  }
  const addresses = async (node: TestNode) => {
    const given = await lines(`${node.dir}/wrote`);
    return given.at(-1).records.map((r: { value: string }) => r.value).sort();
  };
  // The first one is alone: it makes the first set, and calls for the other.
  const alone = await one.run(SCRIPT, "check");
  assertEquals(alone.code, 1);
  assertMatch(alone.stderr, /Only 1 of 2 checkers can be heard, 2 have to agree/);
  for (const node of [two, one, two, one]) await node.run(SCRIPT, "check");
  assertEquals(await addresses(one), ADDRESSES);
  await nodes.down("127.0.0.2");
  // The first one sees it twice and waits; once the second one sees it as well, it is done.
  for (let i = 0; i < 3; i++) assertEquals((await one.run(SCRIPT, "check")).code, 0);
  assertEquals(await addresses(one), ADDRESSES);
  for (let i = 0; i < 2; i++) await two.run(SCRIPT, "check");
  assertEquals(await addresses(two), ["127.0.0.1", "::1"]);
  await one.run(SCRIPT, "check");
  assertEquals(await addresses(one), ["127.0.0.1", "::1"]);
});

Deno.test("healthz: a second instance is busy", async () => {
  await using nodes = Nodes.start(ADDRESSES);
  await using node = await make(nodes);
  await Deno.mkdir(node.path("state/healthz"), { recursive: true });
  using _lock = await takeLock(node.path("state/healthz/lock"), "healthz");
  const { code, stderr } = await node.run(SCRIPT, "check");
  assertEquals(code, 75);
  assertMatch(stderr, /healthz is at work already: process \d+ since/);
  assertEquals((await node.run(SCRIPT, "check", "--dry-run")).code, 0);
});

Deno.test("healthz drain and undrain: --json prints what was done", async () => {
  await using nodes = Nodes.start(ADDRESSES);
  await using node = await make(nodes);
  for (const [word, drained] of [["drain", true], ["undrain", false]] as const) {
    const { stdout } = await node.run(SCRIPT, word, "a", "--json");
    assertEquals(JSON.parse(stdout), { dryRun: false, node: "a", drained });
  }
});

Deno.test("healthz run: a second one is busy at once: two would reach rise and fall in half the time", async () => {
  await using nodes = Nodes.start(ADDRESSES);
  await using node = await make(nodes);
  using _lock = await takeLock(node.path("state/healthz/run.lock"), "healthz run");
  const second = node.start(SCRIPT, "run");
  const late = setTimeout(() => second.kill("SIGTERM"), 10_000);
  const { code, stderr } = await second.output();
  clearTimeout(late);
  assertEquals(code, 75);
  assertMatch(new TextDecoder().decode(stderr), /healthz run is at work already/);
  assertEquals((await node.run(SCRIPT, "check")).code, 0);
});

Deno.test("healthz: wrong use says what is right", async () => {
  await using node = await TestNode.make(
    `[[repo]]\nname = "a"\nprofile = "arch"\nupstream = ["/u"]\n`,
  );
  const table: [string[], RegExp][] = [
    [[], /healthz "" is not known; allowed is check\|run/],
    [["look"], /healthz "look" is not known/],
    [["drain"], /healthz drain needs one NODE/],
    [["check", "x"], /healthz check takes no more words/],
    [["check"], /has no \[healthz\] table/],
  ];
  const never = await TestNode.make("");
  await never.configure(toml(1, never.dir, 'schedule = "99 * * * *"'));
  const refused = await never.run(SCRIPT, "check");
  assertEquals(refused.code, 2);
  assertMatch(refused.stderr, /schedule = "99 \* \* \* \*" of healthz is not allowed/);
  await never[Symbol.asyncDispose]();
  for (const [args, message] of table) {
    const { code, stderr } = await node.run(SCRIPT, ...args);
    assertEquals(code, 2);
    assertMatch(stderr, message);
  }
});
