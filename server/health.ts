/** How the node is: `/healthz`, `/status.json` and its part of `/metrics`, views of one collection. */
import { freshness } from "../formats/freshness.ts";
import type { NodeHealth, RepoHealth } from "../formats/health.ts";
import { newStatus, type RepoStatus } from "../formats/status.ts";
import type { Metric, Value } from "./metrics.ts";
import type { Store } from "./store.ts";

/** Messages are public, so the storage's place is taken out of them. */
function withoutPlace(status: RepoStatus, place: string): RepoStatus {
  const { lastError } = status;
  if (!lastError) return status;
  const hide = (text: string) => text.replaceAll(place, "$DATA");
  const { message, hint } = lastError;
  return {
    ...status,
    lastError: { ...lastError, message: hide(message), hint: hint === null ? null : hide(hint) },
  };
}

/** Collects the state of all repositories. */
export async function collectHealth(store: Store, now: number): Promise<NodeHealth> {
  const { config } = store, scheduled = await store.scheduled();
  const repos = await Promise.all(config.repos.map(async (repo): Promise<RepoHealth> => {
    const [found, ready] = await Promise.all([store.status(repo), store.ready(repo)]);
    const lastIndex = store.indexedAt(repo);
    const status = found && withoutPlace(found, config.data);
    const { v: _, ...known } = status ??
      { ...newStatus(repo.name, repo.path, repo.profile), outcome: null };
    return {
      ...known,
      ...freshness(status, ready, repo.stale_after, now),
      nextRun: scheduled ? known.nextRun : null,
      ready,
      staleAfterSeconds: repo.stale_after,
      lastIndex,
    };
  }));
  const healthy = repos.every((r) => r.state === "fresh");
  const { name, title, contact } = config.site;
  return { v: 1, site: { name, title, contact }, time: Math.floor(now), healthy, repos };
}

/** `/healthz` for people: a line a repository. */
export function healthText({ healthy, repos }: NodeHealth): string {
  const lines = repos.map((r) => `${r.repo}: ${r.state}: ${r.reason}\n`);
  return (healthy ? "ok\n" : "not ok\n") + lines.join("");
}

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
    (r) => r.lastSuccess,
  ],
  [
    "last_attempt_timestamp_seconds",
    "When a sync was last started.",
    (r) => r.lastAttempt || null,
  ],
  [
    "last_change_timestamp_seconds",
    "When a sync last changed something.",
    (r) => r.lastChange,
  ],
  [
    "last_index_timestamp_seconds",
    "When its listings were last written.",
    (r) => r.lastIndex,
  ],
  ["next_run_timestamp_seconds", "When the next sync is due.", (r) => r.nextRun],
  [
    "upstream_timestamp_seconds",
    "The upstream's own time mark of what is served.",
    (r) => r.upstreamTime,
  ],
  [
    "lag_seconds",
    "How far it was behind its upstream at the last comparison.",
    (r) => r.lagSeconds,
  ],
  ["last_sync_duration_seconds", "How long the last sync took.", (r) => r.durationSeconds],
  [
    "last_sync_transferred_bytes",
    "What the last sync that changed something transferred.",
    (r) => r.outcome && r.bytes,
  ],
  ["size_bytes", "Size of all files.", (r) => r.size?.bytes],
  ["files", "Number of files.", (r) => r.size?.files],
];

const OUTCOMES = ["running", "synced", "unchanged", "failed", "interrupted"] as const;

/** The metrics of all repositories. */
export function healthMetrics({ repos }: NodeHealth): Metric[] {
  const perRepo = REPO_METRICS.map(([name, help, value]): Metric => ({
    name: `mirrorkit_repo_${name}`,
    help,
    type: "gauge",
    samples: repos.map((r) => [{ repo: r.repo }, value(r)]),
  }));
  const outcomes = repos.filter((r) => r.outcome).flatMap((r) =>
    OUTCOMES.map((outcome): Metric["samples"][number] => [
      { repo: r.repo, outcome },
      Number(r.outcome === outcome),
    ])
  );
  return [...perRepo, {
    name: "mirrorkit_repo_last_sync_outcome",
    help: "How the last sync ended (1).",
    type: "gauge",
    samples: outcomes,
  }];
}
