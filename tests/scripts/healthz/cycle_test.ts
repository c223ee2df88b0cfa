/** Whole runs with fakes: what is written, told and remembered. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { readNodes } from "../../../formats/nodes.ts";
import { Failure } from "../../../scripts/lib/cli.ts";
import { cycle, type Parts } from "../../../scripts/healthz/cycle.ts";
import {
  type History,
  newHistory,
  newMemory,
  readHistory,
  step,
} from "../../../scripts/healthz/history.ts";
import { deliver, settle, webhook, webhookBody } from "../../../scripts/healthz/notices.ts";
import { letter } from "../../../scripts/healthz/channels.ts";
import { toPublic } from "../../../scripts/healthz/public.ts";
import {
  type Held,
  makePlan,
  type Plan,
  readService,
  recordsFor,
} from "../../../scripts/healthz/records.ts";
import type { Wire } from "../../../scripts/healthz/wire_types.ts";
import { healthz } from "./helpers.ts";

const START = 1_790_000_000;
const A = "192.0.2.1", B = "192.0.2.2", A6 = "2001:db8::1";

/** A world of fakes: who is dead, what DNS holds, what was written. */
function world(more: Record<string, unknown> = {}) {
  const dead = new Set<string>();
  const state = {
    now: START,
    network: true,
    failing: "",
    wrote: [] as Plan[],
    dns: [] as string[],
  };
  const foreign: string[] = [];
  const config = healthz({
    references: ["198.51.100.1:53", "[2001:db8:ffff::1]:53"],
    node: [{ name: "a", addresses: [A, A6] }, { name: "b", addresses: [B] }],
    dns: { provider: "hook", command: ["x"], alpn: ["h2"] },
    ...more,
  });
  const wire: Wire = {
    get: ({ address }) => {
      if (!state.network || dead.has(address)) return Promise.reject(new Error("no route"));
      const body = new TextEncoder().encode(`${state.now}`);
      return Promise.resolve({ status: 200, body, isCut: false });
    },
    open: () => state.network ? Promise.resolve() : Promise.reject(new Error("no route")),
  };
  const parts: Parts = {
    config,
    wire,
    readPeer: () => Promise.reject(new Error("none")),
    now: () => state.now,
    provider: {
      read: (): Promise<Held | undefined> => {
        if (!config.dns) return Promise.resolve(undefined);
        if (state.failing === "read") throw new Failure("the server refuses");
        const records = (list: string[]) => recordsFor(list, undefined);
        const ours = recordsFor(state.dns, config.dns.alpn);
        return Promise.resolve({ ours, foreign: records(foreign), isOtherTtl: false });
      },
      write: (plan) => {
        if (state.failing === "write") throw new Failure("the server refuses");
        state.wrote.push(plan);
        state.dns = plan.desired.filter((r) => r.type !== "HTTPS").map((r) => r.value);
        return Promise.resolve();
      },
    },
  };
  let history: History = newHistory();
  /** Runs `n` times, a minute apart; gives the titles of all events. */
  async function run(n = 1, isDry = false): Promise<string[]> {
    const told: string[] = [];
    for (let i = 0; i < n; i++) {
      const report = await cycle(parts, history, isDry);
      told.push(...report.events.map((e) => `${e.title}: ${e.text}`));
      if (!isDry) history = readHistory(JSON.stringify(report.history))!;
      state.now += 60;
    }
    return told;
  }
  return { dead, state, foreign, config, parts, run, history: () => history };
}

Deno.test("cycle: a node dies, leaves once, is told once, comes back; HTTPS hints follow", async () => {
  const { dead, state, run, history, config } = world();
  assertEquals((await run()).length, 3);
  assertEquals(state.dns.sort(), [A, B, A6]);
  assertEquals(await run(5), []);
  dead.add(B);
  assertEquals(await run(2), []);
  assertEquals(await run(), [
    `mirror.test: b leaves: - ${B}: 3 bad probes in a row: http: no route`,
  ]);
  assertEquals(await run(20), []);
  assertEquals(state.dns.sort(), [A, A6]);
  assertEquals(state.wrote.at(-1)!.desired.at(-1), {
    type: "HTTPS",
    value: `1 . alpn=h2 ipv4hint=${A} ipv6hint=${A6}`,
  });
  const shown = toPublic(history(), config, "here", 60);
  assertEquals(readNodes(JSON.stringify(shown)), shown);
  assertEquals(shown.nodes.map((n) => n.state), ["up", "down"]);
  assertEquals(shown.nodes[1].days.map((d) => [d.probes, d.good]), [[29, 6]]);
  dead.clear();
  assertEquals(await run(5), [`mirror.test: b joins: + ${B}: 2 good probes in a row`]);
});

Deno.test("cycle: the checker's own network fails: nothing changes, nothing counts, one alarm", async () => {
  const { state, run, history } = world();
  await run(3);
  const before = structuredClone(history().memory);
  state.network = false;
  const [told, ...more] = await run(30);
  assertMatch(told, /^mirror\.test: alarm: No reference point is reached over IPv4 and IPv6:/);
  assertEquals(more, []);
  assertEquals(history().memory, before);
  assertEquals(state.dns.length, 3);
  state.network = true;
  assertEquals((await run(3)).map((t) => t.split(":")[1]), [" over"]);
});

Deno.test("cycle: all nodes die: the set stays, one alarm a family", async () => {
  const { dead, state, run } = world();
  await run(3);
  for (const address of [A, B, A6]) dead.add(address);
  const told = await run(30);
  assertEquals(told.length, 2, told.join("\n"));
  assertMatch(told[0], /IPv4: only 0 of 2 addresses can be relied on, at least 1 are needed/);
  assertEquals(state.dns.length, 3);
});

Deno.test("cycle: a DNS server that refuses: an alarm once, and again tried at every run", async () => {
  for (const failing of ["read", "write"]) {
    const { dead, state, run, history } = world();
    await run(3);
    dead.add(B);
    state.failing = failing;
    assertEquals(await run(10), ["mirror.test: alarm: the server refuses"]);
    assertEquals(history().published.includes(B), true);
    assertEquals(state.dns.includes(B), true);
    state.failing = "";
    const told = await run(3);
    assertEquals(told.map((t) => t.split(":")[1]), [" b leaves", " over"]);
    assertEquals(state.dns.includes(B), false);
  }
});

Deno.test("cycle: dry: nothing is written; idle: nothing is written; lost state: DNS is read", async () => {
  const { state, run, parts, dead } = world();
  await run(1, true);
  assertEquals(state.wrote, []);
  await run(9);
  assertEquals(state.wrote.length, 1);
  // A new history, while one node is dead: what is in DNS stays until it is known to be bad.
  dead.add(B);
  const { changes, history } = await cycle(parts, newHistory(), false);
  assertEquals([changes, history.published], [[], [A, B, A6]]);
});

Deno.test("cycle: without a DNS server it watches, and claims nothing else", async () => {
  const { run, history, config, dead } = world({ dns: undefined });
  assertEquals((await run())[0], `mirror.test: a would join: + ${A}: 1 good probe in a row`);
  dead.add(B);
  assertEquals((await run(3)).map((t) => t.split(":")[1]), [" b would leave"]);
  const { nodes } = toPublic(history(), config, "here", 60);
  assertEquals(nodes.map((n) => n.state), ["up", "down"]);
  assertEquals(nodes.flatMap((n) => n.addresses).some((a) => a.published), false);
});

Deno.test("cycle: a node's address that somebody else put there is left alone, and said so", async () => {
  const { dead, foreign, state, run } = world();
  state.dns = [A, A6];
  foreign.push(B);
  dead.add(B);
  const told = await run(6);
  assertEquals(told.length, 1);
  assertMatch(told[0], /192\.0\.2\.2: this address stands at the name already, but not as ours/);
  const touched = state.wrote.flatMap((p) => [...p.add, ...p.remove]).map((r) => r.type);
  assertEquals(new Set(touched), new Set(["HTTPS"]));
});

Deno.test("makePlan: no address at all is a bug that stops before DNS", () => {
  const held: Held = { ours: recordsFor([A], undefined), foreign: [], isOtherTtl: false };
  let said = "";
  try {
    makePlan(held, [], { ttl: 60, alpn: undefined });
  } catch (error) {
    said = (error as Error).message;
  }
  assertMatch(said, /without any address/);
});

Deno.test("readService: spellings of our HTTPS record, and those that are not ours", () => {
  const ours = `1 . alpn=h3,h2 ipv4hint=${A} ipv6hint=${A6}`;
  const spellings = [
    ours,
    `1 . alpn="h3,h2" ipv4hint="${A}" ipv6hint="2001:DB8:0::1"`,
    `1 . ipv6hint=${A6} ipv4hint=${A} alpn="h3,h2"`,
  ];
  for (const text of spellings) assertEquals(readService(text)?.value, ours);
  for (const text of ["0 other.test.", "2 . alpn=h2", "1 . port=8443", "1 x. alpn=h2", ""]) {
    assertEquals(readService(text), undefined);
  }
});

Deno.test("deliver: what fails waits for the next run, in its order, and is dropped in time", async () => {
  const sent: string[] = [];
  let broken = true;
  const ways = {
    good: ({ title }: { title: string }) => Promise.resolve(void sent.push(`good ${title}`)),
    bad: ({ title }: { title: string }) =>
      broken ? Promise.reject(new Error("gone")) : Promise.resolve(void sent.push(`bad ${title}`)),
  };
  const warned: string[] = [];
  const warn = (text: string) => void warned.push(text);
  const events = ["1", "2"].map((title) => ({ title, text: "" }));
  let history = await deliver(newHistory(), events, ways, START, warn);
  assertEquals([sent, warned], [["good 1", "good 2"], ["Cannot tell by bad: gone"]]);
  broken = false;
  history = await deliver(history, [{ title: "3", text: "" }], ways, START + 60, warn);
  assertEquals(sent.slice(2), ["good 3", "bad 1", "bad 2", "bad 3"]);
  assertEquals(history.notices, []);
  broken = true;
  history = await deliver(history, events, ways, START, warn);
  history = await deliver(history, [], ways, START + 7200, warn);
  assertEquals(history.notices, []);
});

Deno.test("settle: an alarm that lasts is told once, whatever its words", () => {
  let history = newHistory();
  const tell = (alarms: Record<string, string>, now: number) => {
    const settled = settle(history, { name: "m" }, [], alarms, now);
    history = settled.history;
    return settled.events.map((e) => `${e.title} ${e.text}`);
  };
  assertEquals(tell({ a: "one" }, 1), ["m: alarm one"]);
  assertEquals(tell({ a: "two" }, 2), []);
  assertEquals(history.alarms.a, { since: 1, message: "two" });
  assertEquals(tell({}, 3), ["m: over It was: two"]);
});

Deno.test("messages: Slack reads text, ntfy its topic; a letter has one subject line", () => {
  const event = { title: "m: b leaves\nBcc: x@y", text: "why" };
  assertEquals(webhookBody(event, { sendmail: "" }).text, `${event.title}\nwhy`);
  assertEquals(webhookBody(event, { sendmail: "", topic: "t" }), {
    topic: "t",
    title: event.title,
    message: "why",
  });
  const mail = letter(event, "op@example.org", "here", new Date(0));
  assertMatch(mail, /^To: op@example\.org\nSubject: m: b leaves\?Bcc: x@y\nDate: Thu, 01 Jan 1970/);
});

Deno.test("uptime: a count for each UTC day, 90 of them", () => {
  let memory = newMemory(START);
  for (let i = 0; i < 100 * 4; i++) {
    memory = { ...memory, ...step(memory, i % 4 > 0, { rise: 2, fall: 3 }, START + i * 21_600) };
  }
  assertEquals(memory.days.length, 90);
  const [first, last] = [memory.days[0], memory.days.at(-1)!];
  assert(first.day < last.day);
  assertEquals(memory.days.slice(0, -1).every((d) => d.probes === 4 && d.good === 3), true);
});

Deno.test("webhook: JSON by POST; a failure names the host, never the URL, which is a secret", async () => {
  const got: unknown[] = [];
  let status = 200;
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      got.push([request.method, await request.json()]);
      return new Response("ok", { status });
    },
  );
  const url = `http://127.0.0.1:${server.addr.port}/services/s3cret`;
  const config = { sendmail: "", topic: "mirror" };
  await webhook(url, config)({ title: "a", text: "b" });
  assertEquals(got, [["POST", { topic: "mirror", title: "a", message: "b" }]]);
  status = 500;
  const failed = [
    await assertRejects(() => webhook(url, config)({ title: "a", text: "b" })),
    await assertRejects(() =>
      webhook("http://127.0.0.1:1/s3cret", config)({ title: "a", text: "b" })
    ),
  ];
  for (const error of failed) {
    assertMatch((error as Error).message, /^127\.0\.0\.1:\d+ (?:says 500|does not answer)/);
    assert(!(error as Error).message.includes("s3cret"));
  }
});

Deno.test("readHistory: a damaged one is none", () => {
  const good = JSON.stringify(newHistory());
  assertEquals(readHistory(good), newHistory());
  for (
    const text of ["", "{", "null", "[]", good.replace('"v":1', '"v":2'), good.replace("{}", "3")]
  ) {
    assertEquals([text, readHistory(text)?.v], [text, undefined]);
  }
});
