/** What a person is told of a run, and of the state that the last one left. */
import type { NodesState } from "../../formats/nodes.ts";
import { formatTime } from "../../formats/units.ts";
import type { Log } from "../lib/cli.ts";
import type { Report } from "./cycle.ts";
import { whyBad } from "./decide.ts";

/** Tells of a run: what is bad, what happened, what lasts. */
export function show({ history, plan, events }: Report, { nodes, alarms }: NodesState, log: Log) {
  for (const { name, addresses, drained } of nodes) {
    for (const { address, state, published, checks } of addresses) {
      const memory = history.memory[address];
      const words = [state, published ? "in DNS" : "not in DNS", ...(drained ? ["drained"] : [])];
      const line = `${name} ${address}: ${words.join(", ")}`;
      if (memory?.bad) log.warn(`${line}; ${whyBad(memory)}`);
      else log.detail([line, ...checks.map((c) => `${c.check}: ${c.reason}`)].join("; "));
    }
  }
  // A new alarm is among those that last.
  for (const { title, text } of events.filter((e) => !e.title.endsWith(": alarm"))) {
    log.info(`${title}: ${text}`);
  }
  for (const { message, since } of alarms) {
    log.error(`alarm since ${formatTime(since)}: ${message}`);
  }
  if (plan.length === 0) log.detail("nothing to change");
}

/** The state as a person reads it. Pure. */
export function statusText({ name, at, nodes, alarms }: NodesState): string {
  const lines = nodes.flatMap((node) =>
    node.addresses.map((a) => {
      const drained = node.drained ? ", drained" : "";
      const bad = a.checks.filter((c) => !c.ok).map((c) => `  ${c.check}: ${c.reason}`);
      return [
        `${node.name.padEnd(16)} ${a.address.padEnd(39)} ${a.state.padEnd(7)} ` +
        `since ${formatTime(a.since)} ${a.published ? "in DNS" : "not in DNS"}${drained}`,
        ...bad,
      ].join("\n");
    })
  );
  const said = alarms.map((a) => `alarm since ${formatTime(a.since)}: ${a.message}`);
  return [`${name} at ${formatTime(at)}`, ...lines, ...said].join("\n");
}
