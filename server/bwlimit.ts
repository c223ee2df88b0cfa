/** What bwlimit did, as it left it: for `/status.json` and `/metrics`. No address is in it. */
import { type BwlimitStatus, readBwlimitStatus } from "../formats/bwlimit.ts";
import { readText } from "../scripts/lib/files.ts";
import { bwlimitFolder } from "../scripts/lib/storage.ts";
import { type Metric, single, type Value } from "./metrics.ts";

/** The status; `undefined` where bwlimit does not run here, or never has. */
export async function loadBwlimit(data: string): Promise<BwlimitStatus | undefined> {
  const text = await readText(`${bwlimitFolder(data)}/status.json`);
  return text === undefined ? undefined : readBwlimitStatus(text);
}

/** Metrics without labels: name, help, type, value. */
const PLAIN: [string, string, Metric["type"], (s: BwlimitStatus) => Value][] = [
  ["last_look_timestamp_seconds", "When the kernel was last looked at.", "gauge", (s) => s.time],
  ["look_duration_seconds", "How long the last look took.", "gauge", (s) => s.lookSeconds],
  [
    "enforcing",
    "Whether clients are refused, not only reported.",
    "gauge",
    (s) => Number(s.mode === "enforce"),
  ],
  ["watched", "Clients and networks that are counted one by one.", "gauge", (s) => s.watched],
  ["allowed", "Networks on the allow-list.", "gauge", (s) => s.allowed],
  [
    "destinations",
    "Clients that the kernel counts, when last looked at.",
    "gauge",
    (s) => s.destinations.counted,
  ],
  [
    "destinations_most",
    "Clients of a kind that it can count.",
    "gauge",
    (s) => s.destinations.most,
  ],
  [
    "uncounted_bytes",
    "Bytes that were not counted as that was too few.",
    "gauge",
    (s) => s.uncounted,
  ],
  ["answers_total", "Answers to refused clients since its start.", "counter", (s) => s.answers],
  [
    "sources_difference_ratio",
    "By how much kernel and flows differ.",
    "gauge",
    (s) => s.difference,
  ],
  ["alarms", "Things that an operator should look at.", "gauge", (s) => s.alarms.length],
  ["collector_packets_total", "Packets of exporters.", "counter", (s) => s.collector?.packets],
  ["collector_flows_total", "Flows that they told of.", "counter", (s) => s.collector?.flows],
  [
    "collector_bytes_total",
    "Bytes to clients that they told of.",
    "counter",
    (s) => s.collector?.bytes,
  ],
  [
    "collector_lost",
    "What was lost on the way, by sequence numbers.",
    "gauge",
    (s) => s.collector?.lost,
  ],
  [
    "collector_refused_total",
    "Packets that were not understood.",
    "counter",
    (s) => s.collector?.refused,
  ],
  [
    "collector_untold_total",
    "Data that came before its template.",
    "counter",
    (s) => s.collector?.untold,
  ],
];

/** The metrics; none where there is no status. */
export function bwlimitMetrics(status: BwlimitStatus | undefined): Metric[] {
  if (!status) return [];
  const labelled = (
    name: string,
    help: string,
    type: Metric["type"],
    label: string,
    values: object,
  ): Metric => ({
    name: `mirrorkit_bwlimit_${name}`,
    help,
    type,
    samples: Object.entries(values).map(([key, value]) => [{ [label]: key }, value]),
  });
  const { slowed, banned, blocked } = status;
  return [
    ...PLAIN.map(([name, help, type, value]) =>
      single(`mirrorkit_bwlimit_${name}`, help, value(status), type)
    ),
    labelled("clients", "Clients and networks by what is done to them.", "gauge", "state", {
      slowed,
      banned,
      blocked,
    }),
    labelled("actions_total", "What was done.", "counter", "did", status.actions),
    labelled("sent_bytes_total", "Bytes to clients.", "counter", "protocol", status.bytes),
  ];
}
