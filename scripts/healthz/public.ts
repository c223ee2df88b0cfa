/** What is remembered as `/nodes.json` shows it. Pure. */
import {
  type AddressState,
  BOUNDS,
  type DayUptime,
  type NodesState,
  type NodeState,
} from "../../formats/nodes.ts";
import { familyOf } from "../lib/address.ts";
import type { Healthz, HealthzNode } from "../lib/healthz.ts";
import { type History, isDrained, newMemory } from "./history.ts";

/** The public state. */
export function toPublic(
  history: History,
  config: Healthz,
  checker: string,
  intervalSeconds: number,
): NodesState {
  const alarms = Object.entries(history.alarms).map(([code, a]) => ({ code, ...a }));
  return {
    v: 1,
    name: config.name,
    checker,
    at: history.at,
    intervalSeconds,
    alarms: alarms.slice(0, BOUNDS.alarms),
    // Who only watches knows what it would publish, not what the name points to.
    nodes: config.node.map((node) =>
      toNode(config.dns ? history : { ...history, published: [] }, node)
    ),
  };
}

function toNode(history: History, node: HealthzNode): NodeState {
  const memories = node.addresses.map((a) => history.memory[a] ?? newMemory(history.at));
  const addresses = node.addresses.map((address, i): AddressState => {
    const { state, since, lastSync, checks } = memories[i];
    const family = familyOf(address);
    const published = history.published.includes(address);
    return { address, family, state, since, published, lastSync, checks };
  });
  const up = addresses.filter((a) => a.state === "up");
  const isDown = addresses.every((a) => a.state === "down");
  const times = (list: AddressState[]) => list.map((a) => a.since);
  return {
    name: node.name,
    state: up.length ? "up" : isDown ? "down" : "unknown",
    since: up.length ? Math.min(...times(up)) : Math.max(...times(addresses)),
    drained: isDrained(history, { node, address: "", family: 4 }),
    weight: node.weight,
    addresses,
    days: sumDays(memories.map((m) => m.days)),
  };
}

/** Days of several addresses as those of their node. */
function sumDays(lists: DayUptime[][]): DayUptime[] {
  const byDay = new Map<string, DayUptime>();
  for (const { day, probes, good } of lists.flat()) {
    const sum = byDay.get(day) ?? { day, probes: 0, good: 0 };
    byDay.set(day, { day, probes: sum.probes + probes, good: sum.good + good });
  }
  return [...byDay.values()].sort((a, b) => a.day < b.day ? -1 : 1).slice(-BOUNDS.days);
}
