/** How the node is: `/healthz`, `/status.json` and `/metrics`, three views of one collection. */
import { type Freshness, freshness } from "../formats/freshness.ts";
import type { RepoStatus } from "../formats/status.ts";
import type { Store } from "./store.ts";

/** One repository as `/status.json` shows it. */
export interface RepoHealth {
  name: string;
  path: string;
  profile: string;
  state: Freshness;
  reason: string;
  ready: boolean;
  staleAfterSeconds: number;
  status: RepoStatus | null;
}

/** The node as `/status.json` shows it. */
export interface NodeHealth {
  v: 1;
  site: { name: string; title?: string; contact?: string };
  time: number;
  /** Every repository is ready and fresh. */
  healthy: boolean;
  repos: RepoHealth[];
}

/** Collects the state of all repositories. Messages are public, so the storage's place is taken out. */
export async function collectHealth(store: Store, now: number): Promise<NodeHealth> {
  const { config } = store;
  const hide = (text: string) => text.replaceAll(config.data, "$DATA");
  const repos = await Promise.all(config.repos.map(async (repo): Promise<RepoHealth> => {
    const [found, ready] = await Promise.all([store.status(repo), store.ready(repo)]);
    const error = found?.lastError;
    const status = found && error
      ? {
        ...found,
        lastError: { ...error, message: hide(error.message), hint: error.hint && hide(error.hint) },
      }
      : found;
    return {
      name: repo.name,
      path: repo.path,
      profile: repo.profile,
      ...freshness(status, ready, repo.stale_after, now),
      ready,
      staleAfterSeconds: repo.stale_after,
      status: status ?? null,
    };
  }));
  const healthy = repos.every((r) => r.state === "fresh");
  return { v: 1, site: config.site, time: Math.floor(now), healthy, repos };
}

/** `/healthz` for people: a line a repository. */
export function healthText({ healthy, repos }: NodeHealth): string {
  const lines = repos.map((r) => `${r.name}: ${r.state}: ${r.reason}\n`);
  return (healthy ? "ok\n" : "not ok\n") + lines.join("");
}

/** A label's value: `\`, `"` and newlines are escaped (Prometheus exposition formats, text format). */
const label = (text: string) => text.replace(/[\\"\n]/g, (c) => c === "\n" ? "\\n" : "\\" + c);

type Value = number | null | undefined;

/** Metrics of a repository: name, help, value; nothing is exposed where nothing is known. */
const REPO_METRICS: [string, string, (r: RepoHealth) => Value][] = [
  ["ready", "Whether the initial sync has completed.", (r) => Number(r.ready)],
  [
    "fresh",
    "Whether it is ready and not older than stale_after.",
    (r) => Number(r.state === "fresh"),
  ],
  ["stale_after_seconds", "Age past which it counts as stale.", (r) => r.staleAfterSeconds],
  [
    "last_success_timestamp_seconds",
    "When it last equalled its upstream.",
    (r) => r.status?.lastSuccess,
  ],
  [
    "last_attempt_timestamp_seconds",
    "When a sync was last started.",
    (r) => r.status?.lastAttempt || null,
  ],
  [
    "last_change_timestamp_seconds",
    "When a sync last changed something.",
    (r) => r.status?.lastChange,
  ],
  ["next_run_timestamp_seconds", "When the next sync is due.", (r) => r.status?.nextRun],
  [
    "upstream_timestamp_seconds",
    "The upstream's own time mark of what is served.",
    (r) => r.status?.upstreamTime,
  ],
  [
    "lag_seconds",
    "How far it was behind its upstream at the last comparison.",
    (r) => r.status?.lagSeconds,
  ],
  ["last_sync_duration_seconds", "How long the last sync took.", (r) => r.status?.durationSeconds],
  [
    "last_sync_transferred_bytes",
    "What the last sync that changed something transferred.",
    (r) => r.status?.bytes,
  ],
  ["size_bytes", "Size of all files.", (r) => r.status?.size?.bytes],
  ["files", "Number of files.", (r) => r.status?.size?.files],
];

const OUTCOMES = ["running", "synced", "unchanged", "failed"] as const;

/** One metric with its HELP and TYPE lines, or nothing where it has no sample. */
function family(name: string, help: string, samples: [string, Value][]): string {
  const known = samples.filter(([, value]) => value !== null && value !== undefined);
  if (known.length === 0) return "";
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n` +
    known.map(([labels, value]) => `${name}${labels} ${value}\n`).join("");
}

/** `/metrics` in Prometheus' text format 0.0.4. */
export function metricsText(
  { repos }: NodeHealth,
  process: { startedAt: number; rssBytes: number; heapBytes: number },
): string {
  const of = (r: RepoHealth) => `repo="${label(r.name)}"`;
  const perRepo = REPO_METRICS.map(([name, help, value]) =>
    family(`mirrorkit_repo_${name}`, help, repos.map((r) => [`{${of(r)}}`, value(r)]))
  );
  const outcomes = repos.filter((r) => r.status).flatMap((r) =>
    OUTCOMES.map((o): [string, Value] => [
      `{${of(r)},outcome="${o}"}`,
      Number(r.status!.outcome === o),
    ])
  );
  return perRepo.join("") +
    family("mirrorkit_repo_last_sync_outcome", "How the last sync ended (1).", outcomes) +
    family("process_start_time_seconds", "When this server started.", [["", process.startedAt]]) +
    family("process_resident_memory_bytes", "Resident memory of this server.", [[
      "",
      process.rssBytes,
    ]]) +
    family("mirrorkit_server_heap_bytes", "JavaScript heap in use.", [["", process.heapBytes]]);
}
