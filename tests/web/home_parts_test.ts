/** The home page's pure parts: what a chart draws and says, how often is asked, how nodes are told. */
import { assert, assertEquals } from "@std/assert";
import { translator } from "../../formats/messages.ts";
import { nodesView } from "../../formats/node_view.ts";
import type { NodesState } from "../../formats/nodes.ts";
import type { Series } from "../../formats/stats.ts";
import { axisEnd, pathOf, rowsOf, sum, summarize, thin } from "../../web/home/chart.ts";
import { pause } from "../../web/home/live.ts";
import { NOW } from "../server/fixture.ts";

const FRAME = { width: 40, height: 100, end: 10 };

Deno.test("sum: interfaces of a node together; a step that none has is unknown", () => {
  const series = (rxBytes: (number | null)[]): Series => ({
    spoke: "a",
    interface: "e",
    rxBytes,
    txBytes: [],
    rxPackets: [],
    txPackets: [],
  });
  assertEquals(sum([series([1, null, null]), series([2, 3, null])], "rxBytes"), [3, 3, null]);
  assertEquals(sum([], "rxBytes"), []);
});

Deno.test("summarize, rowsOf, thin: averages of what was measured, gaps left out", () => {
  assertEquals(summarize([null, 2, 4]), { mean: 3, peak: 4 });
  assertEquals(summarize([null, null]), null);
  assertEquals(rowsOf([1, 3, null], [2, 2, 2], 2), [
    { first: 0, sent: { mean: 2, peak: 3 }, received: { mean: 2, peak: 2 } },
    { first: 2, sent: null, received: { mean: 2, peak: 2 } },
  ]);
  assertEquals(thin([1, 3, null, null, 5], 2), [2, null, 5]);
});

Deno.test("axisEnd: the next 1, 2 or 5 of bits a second", () => {
  const cases: [bits: number, end: number][] = [
    [0, 1000],
    [1000, 1000],
    [1001, 2000],
    [2_100_000, 5_000_000],
    [960e6, 1e9],
  ];
  for (const [bits, end] of cases) assertEquals([bits, axisEnd(bits / 8) * 8], [bits, end]);
});

Deno.test("pathOf: a line from edge to edge, a gap a gap, one step alone a step wide", () => {
  assertEquals(pathOf([0, 10, 5, 5], FRAME), "M0 100L5 100L15 0L25 50L35 50L40 50");
  assertEquals(pathOf([5, null, 5, null], FRAME), "M0 50L5 50L10 50M20 50L25 50L30 50");
  assertEquals(pathOf([5, null], { ...FRAME, width: 20 }, true), "M0 100L0 50L5 50L10 50L10 100Z");
  assertEquals(pathOf([null], FRAME), "");
});

Deno.test("pause: regular while it works, soon and then later where it does not", () => {
  assertEquals([0, 1, 2, 3, 9].map((n) => pause(n, 60_000, 2000)), [
    60_000,
    2000,
    4000,
    8000,
    60_000,
  ]);
});

Deno.test("nodesView: up, down with what fails, taken out, spare; unknown where nobody looked", () => {
  const node = (name: string, more: Partial<NodesState["nodes"][number]>) => ({
    name,
    state: "up" as const,
    since: NOW - 3600 * 5,
    drained: false,
    weight: 1,
    addresses: [],
    days: [],
    ...more,
  });
  const address = {
    address: "192.0.2.1",
    family: 4 as const,
    state: "down" as const,
    since: NOW,
    published: false,
    lastSync: NOW - 600,
    checks: [{ check: "ftp", ok: false, reason: "refused", durationMs: 1, at: NOW }],
  };
  const days = [{ day: "2026-11-22", probes: 30_000, good: 29_999 }];
  const state: NodesState = {
    v: 1,
    name: "m.example",
    checker: "c",
    at: NOW - 30,
    intervalSeconds: 60,
    alarms: [],
    nodes: [
      node("a", { days }),
      node("b", { state: "down", addresses: [address] }),
      node("c", { drained: true }),
      node("d", { weight: 0 }),
    ],
  };
  const t = translator("en"), { nodes, old } = nodesView(state, NOW, t);
  assertEquals(old, "");
  assertEquals(nodes.map((n) => [n.badge, n.state, n.reason]), [
    ["fresh", "Up", ""],
    ["failed", "Down", "ftp at 192.0.2.1: refused."],
    ["stale", "Up · Taken out", ""],
    ["fresh", "Up · Spare", ""],
  ]);
  // One bad check of thirty thousand is not all of them.
  assertEquals(nodes[0].cells.map((c) => c.text), ["5 hours ago", "–", "99.99 %"]);
  const later = nodesView(state, NOW + 3600, t);
  assertEquals(later.nodes[1].badge, "initial");
  assert(later.old.includes("61 min ago"));
});
