/** `/status.json`: the node and its repositories as they are now. The server writes it, the page reads it. */
import type { BwlimitStatus } from "./bwlimit.ts";
import type { Freshness } from "./freshness.ts";
import type { RepoStatus } from "./status.ts";

/** One repository: its status, and how it is to be read now. */
export interface RepoHealth extends Omit<RepoStatus, "v" | "outcome"> {
  /** `null` where no sync has been recorded. */
  outcome: RepoStatus["outcome"] | null;
  state: Freshness;
  reason: string;
  ready: boolean;
  staleAfterSeconds: number;
  /** When its listings were last written. */
  lastIndex: number | null;
}

/** The node. */
export interface NodeHealth {
  v: 1;
  site: { name: string; title?: string; contact?: string };
  time: number;
  /** Every repository is ready and fresh. */
  healthy: boolean;
  repos: RepoHealth[];
  /** What bwlimit did, where it runs. */
  bwlimit?: BwlimitStatus;
}

/** The node from its JSON text; `undefined` where it is damaged or of another version. */
export function readHealth(text: string): NodeHealth | undefined {
  try {
    const health = JSON.parse(text) as NodeHealth;
    const good = health.v === 1 && Number.isFinite(health.time) && Array.isArray(health.repos) &&
      health.repos.every((r) => typeof r.repo === "string" && typeof r.path === "string");
    return good ? health : undefined;
  } catch {
    return undefined;
  }
}
