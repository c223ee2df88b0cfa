import { assertEquals, assertMatch } from "@std/assert";
import { decide } from "../../../scripts/healthz/decide.ts";
import { newHistory, newMemory, type Peer } from "../../../scripts/healthz/history.ts";
import { healthz } from "./helpers.ts";

const A = "192.0.2.1", B = "192.0.2.2", C = "192.0.2.3", A6 = "2001:db8::1", B6 = "2001:db8::2";

/** Three nodes; a, b have both families. */
const NODES = [
  { name: "a", addresses: [A, A6] },
  { name: "b", addresses: [B, B6] },
  { name: "c", addresses: [C] },
];

/** `+3`: three good probes in a row, `-3`: bad ones. */
type Streaks = Record<string, number>;

interface Case {
  /** What the row says. */
  name: string;
  streaks: Streaks;
  published: string[];
  config?: Record<string, unknown>;
  drained?: string[];
  foreign?: string[];
  blind?: { 4: boolean; 6: boolean };
  peers?: Record<string, Peer>;
  /** Changes as `+192.0.2.1`, and codes of alarms. */
  expected: string[];
}

const ALL_UP: Streaks = { [A]: 5, [B]: 5, [C]: 5, [A6]: 5, [B6]: 5 };
const ALL = [A, B, C, A6, B6];
const peer = (states: Peer["states"], at = 1000): Peer => ({ at, states });
const QUORUM = { quorum: { peers: ["/x", "/y"], need: 2 } };

function run({ streaks, published, config, drained, foreign, blind, peers }: Case) {
  const table = healthz({ rise: 2, fall: 3, max_changes: 9, node: NODES, ...config });
  const history = { ...newHistory(), runs: 100, published };
  for (const [address, n] of Object.entries(streaks)) {
    const state = n >= 2 ? "up" as const : n <= -3 ? "down" as const : "unknown" as const;
    const good = Math.max(n, 0), bad = Math.max(-n, 0);
    history.memory[address] = { ...newMemory(0), state, good, bad };
  }
  return decide(
    {
      ...history,
      drained: drained ?? [],
      foreign: foreign ?? [],
      blind: blind ?? history.blind,
      peers: peers ?? {},
    },
    table,
    1000,
  );
}

const spare = (...weights: number[]) => ({
  node: weights.map((weight, i) => ({ name: "abc"[i], addresses: [[A, B, C][i]], weight })),
});

const CASES: Case[] = [
  { name: "all is well", streaks: ALL_UP, published: ALL, expected: [] },
  {
    name: "fall bad probes take an address out, its other family stays",
    streaks: { ...ALL_UP, [A]: -3 },
    published: ALL,
    expected: [`-${A}`],
  },
  { name: "one less does not", streaks: { ...ALL_UP, [A]: -2 }, published: ALL, expected: [] },
  {
    name: "rise good probes let it in",
    streaks: ALL_UP,
    published: [B, C, A6, B6],
    expected: [`+${A}`],
  },
  {
    name: "one less does not",
    streaks: { ...ALL_UP, [A]: 1 },
    published: [B, C, A6, B6],
    expected: [],
  },
  {
    name: "all of a family dead: all stay, and a person is called",
    streaks: { ...ALL_UP, [A6]: -9, [B6]: -9 },
    published: ALL,
    expected: ["floor6"],
  },
  {
    name: "everything dead: everything stays",
    streaks: { [A]: -9, [B]: -9, [C]: -9, [A6]: -9, [B6]: -9 },
    published: ALL,
    expected: ["floor4", "floor6"],
  },
  {
    name: "below the floor nothing leaves",
    streaks: { ...ALL_UP, [A]: -3, [B]: -3 },
    published: [A, B, C],
    config: { min_healthy: 2, node: spare(1, 1, 1).node },
    expected: ["floor4"],
  },
  {
    name: "… but who is good joins",
    streaks: { [A]: -3, [B]: -3, [C]: 4 },
    published: [A, B],
    config: { min_healthy: 2, node: spare(1, 1, 1).node },
    expected: [`+${C}`, "floor4"],
  },
  {
    name: "at most max_changes, those who join first",
    streaks: { ...ALL_UP, [B]: -5, [C]: 5 },
    published: [A, B, A6, B6],
    config: { max_changes: 1 },
    expected: [`+${C}`],
  },
  {
    name: "a drained node leaves at once with both addresses",
    streaks: ALL_UP,
    published: ALL,
    drained: ["a"],
    expected: [`-${A}`, `-${A6}`],
  },
  {
    name: "… unless the floor needs it",
    streaks: { ...ALL_UP, [B]: -3, [C]: -3 },
    published: [A, B, C],
    drained: ["a"],
    config: { node: spare(1, 1, 1).node },
    expected: ["floor4"],
  },
  {
    name: "… and counts as a change",
    streaks: ALL_UP,
    published: ALL,
    drained: ["a"],
    config: { max_changes: 1 },
    expected: [`-${A}`],
  },
  {
    name: "a node that mirror.toml names no more leaves",
    streaks: ALL_UP,
    published: [...ALL, "192.0.2.9"],
    expected: ["-192.0.2.9"],
  },
  {
    name: "a checker without network changes nothing",
    streaks: { ...ALL_UP, [A]: -9, [B6]: -9 },
    published: ALL,
    blind: { 4: true, 6: true },
    expected: ["references"],
  },
  {
    name: "… in that family alone",
    streaks: { ...ALL_UP, [A]: -9, [B6]: -9 },
    published: ALL,
    blind: { 4: true, 6: false },
    expected: [`-${B6}`, "references"],
  },
  {
    name: "the first set of a name: all that answer, at once",
    streaks: { [A]: 1, [B]: -1, [C]: 1 },
    published: [],
    config: { max_changes: 1, node: spare(1, 1, 1).node },
    expected: [`+${A}`, `+${C}`],
  },
  {
    name: "… and all where none answers",
    streaks: { [A]: -1, [B]: -1 },
    published: [],
    config: { node: spare(1, 1).node },
    expected: [`+${A}`, `+${B}`],
  },
  {
    name: "the state was lost: what stands in DNS is trusted",
    streaks: { [A]: -1, [B]: -1, [C]: 1 },
    published: [A, B, C],
    config: { node: spare(1, 1, 1).node },
    expected: [],
  },
  {
    name: "a spare stays out while enough others serve",
    streaks: { [A]: 5, [B]: 5 },
    published: [A],
    config: spare(1, 0),
    expected: [],
  },
  {
    name: "… joins when too few do, and the dead one leaves",
    streaks: { [A]: -5, [B]: 5 },
    published: [A],
    config: spare(1, 0),
    expected: [`+${B}`, `-${A}`],
  },
  {
    name: "… and leaves again",
    streaks: { [A]: 5, [B]: 5 },
    published: [A, B],
    config: spare(1, 0),
    expected: [`-${B}`],
  },
  {
    name: "the heaviest joins first",
    streaks: { [A]: 5, [B]: 5, [C]: 5 },
    published: [A],
    config: { ...spare(1, 2, 9), max_changes: 1 },
    expected: [`+${C}`],
  },
  {
    name: "an address that somebody else has put there is not ours to take out",
    streaks: { ...ALL_UP, [A]: -5 },
    published: ALL,
    foreign: [A],
    expected: [],
  },
  {
    name: "quorum: another checker agrees",
    streaks: { ...ALL_UP, [A]: -3 },
    published: ALL,
    config: QUORUM,
    peers: { "/x": peer({ [A]: "down" }), "/y": peer({ [A]: "up" }) },
    expected: [`-${A}`],
  },
  {
    name: "quorum: nobody else agrees",
    streaks: { ...ALL_UP, [A]: -3 },
    published: ALL,
    config: QUORUM,
    peers: { "/x": peer({ [A]: "up" }), "/y": peer({ [A]: "unknown" }) },
    expected: [],
  },
  {
    name: "quorum: others can't be heard, or speak of the past",
    streaks: { ...ALL_UP, [A]: -3 },
    published: ALL,
    config: QUORUM,
    peers: { "/x": peer({ [A]: "down" }, 100) },
    expected: ["quorum"],
  },
];

for (const row of CASES) {
  Deno.test(`decide: ${row.name}`, () => {
    const { changes, alarms, desired } = run(row);
    const signs = changes.map((c) => (c.kind === "add" ? "+" : "-") + c.address);
    assertEquals([...signs, ...Object.keys(alarms)], row.expected);
    const after = new Set(row.published);
    for (const { kind, address } of changes) after[kind === "add" ? "add" : "delete"](address);
    assertEquals(desired, [...after].sort());
  });
}

Deno.test("decide: a reason names the checks that failed", () => {
  const history = { ...newHistory(), runs: 9, published: [A, B] };
  const checks = [
    { check: "http", ok: false, reason: "status 404", durationMs: 1, at: 1 },
    { check: "ftp", ok: true, reason: "greets", durationMs: 1, at: 1 },
  ];
  history.memory[A] = { ...newMemory(0), state: "down", bad: 3, checks };
  history.memory[B] = { ...newMemory(0), state: "up", good: 3 };
  const [change] = decide(history, healthz(spare(1, 1)), 10).changes;
  assertMatch(change.reason, /^3 bad probes in a row: http: status 404$/);
});
