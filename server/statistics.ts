/** What statcat counted, as metrics: the hub's state and the traffic of this node's logs. */
import { statfs } from "node:fs/promises";
import type { HubState } from "../formats/hub.ts";
import type { Rates } from "../formats/stats.ts";
import { readTraffic, type TrafficState } from "../formats/traffic.ts";
import { readText } from "../scripts/lib/files.ts";
import { statcatFiles } from "../scripts/lib/statcat.ts";
import { type Metric, single } from "./metrics.ts";

const DIRECTIONS: [keyof Rates, string][] = [
  ["rxBytes", "receive_bytes"],
  ["txBytes", "transmit_bytes"],
  ["rxPackets", "receive_packets"],
  ["txPackets", "transmit_packets"],
];

/** The hub and what it heard. */
export function hubMetrics(hub: HubState | undefined): Metric[] {
  if (!hub) return [];
  const name = (rest: string) => `mirrorkit_statcat_${rest}`;
  const interfaces = hub.spokes.flatMap((spoke) =>
    spoke.interfaces.map((i) => ({ ...i, labels: { spoke: spoke.id, interface: i.name } }))
  );
  const perSpoke = (
    what: string,
    help: string,
    value: (s: HubState["spokes"][0]) => number,
  ): Metric => ({
    name: name(what),
    help,
    type: "gauge",
    samples: hub.spokes.map((s) => [{ spoke: s.id }, value(s)]),
  });
  return [
    ...DIRECTIONS.flatMap(([key, what]): Metric[] => [{
      name: name(`${what}_total`),
      help: "What passed the interface since it was first heard of.",
      type: "counter",
      samples: interfaces.map(({ labels, total }) => [labels, total[key]]),
    }, {
      name: name(`${what}_per_second`),
      help: "What passed the interface in the last second that was heard of.",
      type: "gauge",
      samples: interfaces.map(({ labels, rates }) => [labels, Math.round(rates[key])]),
    }]),
    perSpoke("spoke_connected", "Whether the spoke is connected.", (s) => Number(s.connected)),
    perSpoke("spoke_last_heard_timestamp_seconds", "When it was last heard.", (s) => s.heard),
    single(name("listeners"), "Clients of /sse.", hub.clients),
    single(
      name("listeners_refused_total"),
      "Clients of /sse that were one too many.",
      hub.clientsRefused,
      "counter",
    ),
    single(
      name("events_skipped_total"),
      "Events that clients of /sse were too slow for.",
      hub.eventsSkipped,
      "counter",
    ),
    {
      name: name("refused_total"),
      help: "Connections and messages of spokes that were refused.",
      type: "counter",
      samples: Object.entries(hub.refused).map(([reason, n]) => [{ reason }, n]),
    },
    single(name("start_time_seconds"), "When the hub started.", hub.startedAt),
    single(name("resident_memory_bytes"), "Resident memory of the hub.", hub.rssBytes),
  ];
}

/** What clients fetched, from the logs. */
export function trafficMetrics(traffic: TrafficState | undefined): Metric[] {
  if (!traffic) return [];
  const of = (key: "requests" | "bytes"): Metric["samples"] =>
    traffic.counts.map(({ repo, protocol, status, ...c }) => [{ repo, protocol, status }, c[key]]);
  return [
    {
      name: "mirrorkit_requests_total",
      help: "Requests by repository (none for other URLs), protocol and kind of answer.",
      type: "counter",
      samples: of("requests"),
    },
    {
      name: "mirrorkit_sent_bytes_total",
      help: "Bytes sent to clients, without headers.",
      type: "counter",
      samples: of("bytes"),
    },
    single(
      "mirrorkit_log_lines_unread_total",
      "Lines of the servers' logs that were not understood.",
      traffic.unread,
      "counter",
    ),
    single(
      "mirrorkit_logs_read_timestamp_seconds",
      "When the logs were last counted.",
      traffic.time,
    ),
  ];
}

/** The traffic of a storage's logs; `undefined` where nothing was counted. */
export async function loadTraffic(data: string): Promise<TrafficState | undefined> {
  return readTraffic(await readText(statcatFiles(data).traffic) ?? "");
}

/** The disk that the storage is on. Unknown where Deno may not ask (`--allow-sys=statfs`). */
export async function storageMetrics(data: string): Promise<Metric[]> {
  const disk = await statfs(data).catch(() => undefined);
  return [
    single(
      "mirrorkit_storage_free_bytes",
      "Free for the mirror's user.",
      disk && disk.bavail * disk.bsize,
    ),
    single(
      "mirrorkit_storage_size_bytes",
      "Size of the file system.",
      disk && disk.blocks * disk.bsize,
    ),
  ];
}
