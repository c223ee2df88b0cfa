/** Whether a repository may be relied on, from its status and the clock: one rule for server and page. */
import type { RepoStatus } from "./status.ts";
import { formatDuration } from "./units.ts";

/** `fresh` is good; `stale` is served but old; `initial` is not served yet. */
export type Freshness = "fresh" | "stale" | "initial";

/**
 * How a repository stands at `now` (epoch seconds). A failed attempt alone does not make it stale: the
 * copy is whole, and only its age counts. An unknown status is stale, never fresh.
 */
export function freshness(
  status: RepoStatus | undefined,
  ready: boolean,
  staleAfterSeconds: number,
  now: number,
): { state: Freshness; reason: string } {
  if (!ready) {
    const why = status?.lastError ? `: ${status.lastError.message}` : "";
    return { state: "initial", reason: `the initial sync has not completed${why}` };
  }
  if (!status?.lastSuccess) {
    return { state: "stale", reason: "when it was last synced is not known" };
  }
  const age = now - status.lastSuccess;
  const ago = `last synced ${formatDuration(age)} ago`;
  if (age <= staleAfterSeconds) return { state: "fresh", reason: ago };
  const why = status.lastError ? `; the last attempt failed: ${status.lastError.message}` : "";
  return {
    state: "stale",
    reason: `${ago}, allowed are ${formatDuration(staleAfterSeconds)}${why}`,
  };
}
