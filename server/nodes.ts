/** How the nodes of the mirror's name stand, as healthz left it: for `/nodes.json` and `/metrics`. */
import { type AddressState, type NodesState, readNodes } from "../formats/nodes.ts";
import { readText } from "../scripts/lib/files.ts";
import { nodesFile } from "../scripts/lib/storage.ts";
import { type Metric, single, type Value } from "./metrics.ts";

/** The state; `undefined` where healthz does not run, or has not yet. */
export async function loadNodes(data: string): Promise<NodesState | undefined> {
  const text = await readText(nodesFile(data));
  return text === undefined ? undefined : readNodes(text);
}

/** Metrics of an address: name, help, value. */
const OF_ADDRESS: [string, string, (a: AddressState) => Value][] = [
  [
    "up",
    "Whether the address is held for good (1) or bad (0).",
    (a) => a.state === "unknown" ? null : Number(a.state === "up"),
  ],
  ["published", "Whether the name points to the address.", (a) => Number(a.published)],
  ["last_sync_timestamp_seconds", "What its lastsync said.", (a) => a.lastSync],
];

/** The metrics; none where there is no state. */
export function nodesMetrics(state: NodesState | undefined): Metric[] {
  if (!state) return [];
  const addresses = state.nodes.flatMap(({ name, addresses }) =>
    addresses.map((a) => ({ a, labels: { node: name, address: a.address } }))
  );
  const gauge = (name: string, help: string, samples: Metric["samples"]): Metric => ({
    name: `mirrorkit_${name}`,
    help,
    type: "gauge",
    samples,
  });
  const checks = addresses.flatMap(({ a, labels }) =>
    a.checks.map((c) => ({ c, labels: { ...labels, check: c.check } }))
  );
  return [
    ...OF_ADDRESS.map(([name, help, value]) =>
      gauge(`node_${name}`, help, addresses.map(({ a, labels }) => [labels, value(a)]))
    ),
    gauge(
      "node_check_good",
      "How a check ended last.",
      checks.map(({ c, labels }) => [
        labels,
        Number(c.ok),
      ]),
    ),
    gauge(
      "node_check_duration_seconds",
      "How long a check took last.",
      checks.map((
        { c, labels },
      ) => [labels, c.durationMs / 1000]),
    ),
    gauge(
      "node_drained",
      "Whether its operator has taken it out.",
      state.nodes.map((n) => [
        { node: n.name },
        Number(n.drained),
      ]),
    ),
    gauge("healthz_alarm", "Alarms that last.", state.alarms.map((a) => [{ code: a.code }, 1])),
    single(
      "mirrorkit_healthz_last_run_timestamp_seconds",
      "When healthz looked last.",
      state.at,
    ),
  ];
}
