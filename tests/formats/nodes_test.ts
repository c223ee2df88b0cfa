import { assertEquals } from "@std/assert";
import { isCurrent, type NodesState, readNodes, uptime } from "../../formats/nodes.ts";

const STATE: NodesState = {
  v: 1,
  name: "mirror.example.org",
  checker: "check.example.org",
  at: 1_790_000_000,
  intervalSeconds: 60,
  alarms: [{ code: "floor", message: "too few", since: 1_790_000_000 }],
  nodes: [{
    name: "seoul",
    state: "up",
    since: 1_789_000_000,
    drained: false,
    weight: 1,
    addresses: [{
      address: "192.0.2.7",
      family: 4,
      state: "up",
      since: 1_789_000_000,
      published: true,
      lastSync: 1_789_999_000,
      checks: [{ check: "http", ok: true, reason: "ok", durationMs: 12, at: 1_790_000_000 }],
    }],
    days: [{ day: "2026-11-21", probes: 1440, good: 1439 }, {
      day: "2026-11-22",
      probes: 10,
      good: 10,
    }],
  }],
};

/** A copy in which one value is replaced. */
function changed(path: string, value: unknown): string {
  const copy = structuredClone(STATE);
  const keys = path.split(".");
  let at = copy as unknown as Record<string, unknown>;
  for (const key of keys.slice(0, -1)) at = at[key] as Record<string, unknown>;
  at[keys.at(-1)!] = value;
  return JSON.stringify(copy);
}

Deno.test("readNodes: what was written is read; anything else is no state", () => {
  assertEquals(readNodes(JSON.stringify(STATE)), STATE);
  const damaged: [string, unknown][] = [
    ["v", 2],
    ["at", -1],
    ["nodes", {}],
    ["nodes", Array(201).fill(STATE.nodes[0])],
    ["nodes.0.state", "fine"],
    ["nodes.0.days.0.day", "<script>"],
    ["nodes.0.days", Array(91).fill(STATE.nodes[0].days[0])],
    ["nodes.0.addresses.0.family", 5],
    ["nodes.0.addresses.0.checks.0.reason", "x".repeat(201)],
    ["nodes.0.addresses.0.checks.0.durationMs", null],
    ["alarms.0.message", 1],
  ];
  for (const [path, value] of damaged) {
    assertEquals([path, readNodes(changed(path, value))], [path, undefined]);
  }
  for (const text of ["", "null", "[]", "{", " ".repeat(2 << 20)]) {
    assertEquals(readNodes(text), undefined);
  }
});

Deno.test("uptime: a share of all probes, unknown without any", () => {
  assertEquals(uptime([]), null);
  assertEquals(uptime([{ day: "2026-11-21", probes: 4, good: 3 }]), 0.75);
  assertEquals(uptime(STATE.nodes[0].days), 1449 / 1450);
});

Deno.test("isCurrent: three looks may be missing", () => {
  assertEquals(isCurrent(STATE, STATE.at + 240), true);
  assertEquals(isCurrent(STATE, STATE.at + 241), false);
});
