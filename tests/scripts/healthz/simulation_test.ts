/** A million random histories of probes, none of which may break what healthz promises. */
import { assertEquals, assertMatch } from "@std/assert";
import { decide } from "../../../scripts/healthz/decide.ts";
import { type History, newHistory, record, type Round } from "../../../scripts/healthz/history.ts";
import { endpoints, type Healthz } from "../../../scripts/lib/healthz.ts";
import { healthz } from "./helpers.ts";

const HISTORIES = 1_000_000;

/** Mulberry32: small, fast, and the same on every machine. */
function random(seed: number) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Some configurations: thresholds, floor, bound, weights, one or two families. */
function configurations(): Healthz[] {
  const list: Healthz[] = [];
  for (const [rise, fall] of [[1, 1], [2, 3], [3, 2]]) {
    for (const [min_healthy, max_changes] of [[1, 1], [2, 2], [3, 1], [1, 9]]) {
      for (const weights of [[1, 1, 1], [1, 0], [5, 2, 0]]) {
        const node = weights.map((weight, i) => ({
          name: `n${i}`,
          weight,
          addresses: i === 1 ? [`192.0.2.${i}`, `2001:db8::${i}`] : [`192.0.2.${i}`],
        }));
        list.push(healthz({ rise, fall, min_healthy, max_changes, node }));
      }
    }
  }
  return list;
}

/** Whether good addresses of a family went although fewer than the floor stay. */
function tooFew(history: History, config: Healthz, before: string[], desired: string[]) {
  for (const family of [4, 6]) {
    const all = endpoints(config).filter((e) => e.family === family);
    const floor = Math.min(config.min_healthy, all.length);
    const good = all.filter((e) =>
      desired.includes(e.address) && !history.drained.includes(e.node.name) &&
      history.memory[e.address].state !== "down"
    ).length;
    const hasLost = all.some((e) =>
      before.includes(e.address) && !desired.includes(e.address)
    );
    if (hasLost && good < floor) return `fewer than ${floor} good ones left`;
  }
}

/** One history: what it breaks, as text; `undefined` where it breaks nothing. */
function live(config: Healthz, next: () => number, decider = decide): string | undefined {
  const all = endpoints(config), rounds = 4 + Math.floor(next() * 6);
  const streaks = new Map<string, number>(), moved = new Map<string, number>();
  // Some networks are good, some bad, some flap.
  const odds = all.map(() => [0.02, 0.5, 0.95][Math.floor(next() * 3)]);
  let history: History = newHistory();
  if (next() < 0.5) history.published = all.filter(() => next() < 0.7).map((e) => e.address);
  for (let at = 1; at <= rounds; at++) {
    const isBlind = next() < 0.05;
    const round: Round = {
      at: at * 60,
      blind: { 4: isBlind, 6: isBlind },
      peers: {},
      probes: all.map(({ address }, i) => ({
        address,
        lastSync: null,
        checks: [{ check: "http", ok: next() >= odds[i], reason: "", durationMs: 0, at }],
      })),
    };
    if (next() < 0.05) history.drained = history.drained.length ? [] : ["n1"];
    history = record(history, round, config);
    if (!isBlind) {
      for (const { address, checks } of round.probes) {
        const streak = streaks.get(address) ?? 0;
        streaks.set(address, checks[0].ok ? Math.max(streak, 0) + 1 : Math.min(streak, 0) - 1);
      }
    }
    const before = history.published;
    const { desired, changes } = decider(history, config, round.at);
    const fail = (what: string) => `${what} in run ${at}: ${before} → ${desired}`;
    if (isBlind && changes.length) return fail("a change while blind");
    if (before.length && changes.length > config.max_changes) return fail("too many changes");
    if (before.length && !desired.length) return fail("empty");
    if (!before.length && !desired.length && !isBlind) return fail("still empty");
    for (const family of [".", ":"]) {
      const had = before.some((a) => a.includes(family));
      if (had && !desired.some((a) => a.includes(family))) return fail("an empty family");
    }
    for (const { kind, address, reason } of changes) {
      const streak = streaks.get(address) ?? 0;
      const isOperators = /drained|spare/.test(reason);
      if (kind === "remove" && !isOperators && streak > -config.fall) {
        return fail(`${address} left too soon`);
      }
      if (kind === "add" && before.length && streak < config.rise) {
        return fail(`${address} joined too soon`);
      }
      const last = moved.get(address);
      if (last !== undefined && reason !== "drained") {
        const least = kind === "add" ? config.rise : config.fall;
        if (at - last < least) return fail(`${address} flaps`);
      }
      // What an operator asks for is done at once.
      if (reason === "drained") moved.delete(address);
      else moved.set(address, at);
      history.memory[address].changed = history.runs;
    }
    const short = tooFew(history, config, before, desired);
    if (short) return fail(short);
    history = { ...history, published: desired };
  }
}

Deno.test(`simulation: ${HISTORIES} random histories: never empty, never too much, never too fast`, () => {
  const configs = configurations(), next = random(20261122);
  const broken: string[] = [];
  for (let i = 0; i < HISTORIES && broken.length < 3; i++) {
    const problem = live(configs[i % configs.length], next);
    if (problem) broken.push(`history ${i}: ${problem}`);
  }
  assertEquals(broken, []);
});

/** What the real one decides, with its set made from nothing but the probes of this run. */
const hasty: typeof decide = (history, config, now) => {
  const { alarms } = decide(history, config, now);
  const isGood = (address: string) => (history.memory[address]?.good ?? 0) > 0;
  const desired = endpoints(config).map((e) => e.address).filter(isGood);
  const change = (kind: "add" | "remove") => (address: string) => ({
    kind,
    address,
    node: null,
    reason: "",
  });
  const changes = [
    ...desired.filter((a) => !history.published.includes(a)).map(change("add")),
    ...history.published.filter((a) => !desired.includes(a)).map(change("remove")),
  ];
  return { desired, changes, alarms };
};

/** The real one, misled about one thing. */
const misled = (more: Partial<Healthz>): typeof decide => (history, config, now) =>
  decide(history, { ...config, ...more }, now);

Deno.test("simulation: a decision that breaks a promise is noticed", () => {
  const broken: [string, typeof decide, RegExp][] = [
    ["no thresholds, no floor", hasty, /left too soon/],
    ["falls too soon", misled({ fall: 1 }), /left too soon/],
    ["rises too soon", misled({ rise: 1 }), /joined too soon/],
    ["no bound", misled({ max_changes: 99 }), /too many changes/],
    ["no floor", misled({ min_healthy: 0 }), /fewer than/],
    [
      "sees nothing of its own network",
      (history, ...rest) => decide({ ...history, blind: { 4: false, 6: false } }, ...rest),
      /a change while blind/,
    ],
  ];
  const configs = configurations();
  for (const [what, decider, expected] of broken) {
    const next = random(1), seen = new Set<string>();
    for (let i = 0; i < 5000; i++) {
      const problem = live(configs[i % configs.length], next, decider);
      if (problem) seen.add(problem.replace(/ in run.*/, ""));
    }
    assertMatch([...seen].join("; "), expected, what);
  }
});
