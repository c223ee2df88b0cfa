/** `state/<repo>.json`: what the last runs of `syncrepo` did, for the server, the page and monitoring. */

/**
 * How the last attempt ended; `running` while it lasts. In the file it stays `running` after a kill, until
 * the next run; who looks at the lock knows better and says `interrupted`.
 */
export type Outcome = "running" | "synced" | "unchanged" | "failed" | "interrupted";

/** Times are epoch seconds in UTC; `null` where there was none yet. */
export interface RepoStatus {
  v: 1;
  repo: string;
  /** Where it is served, with `/` at both ends. */
  path: string;
  profile: string;
  outcome: Outcome;
  lastAttempt: number;
  /** The last time our copy was known to be what the upstream had: synced, or checked and unchanged. */
  lastSuccess: number | null;
  /** The last time something was transferred or deleted. */
  lastChange: number | null;
  /** By its schedule; it comes true only where a scheduler is at work, which the server looks up. */
  nextRun: number | null;
  /** The upstream of the last success, without user and password. */
  upstream: string | null;
  durationSeconds: number | null;
  /** What the last run that changed something transferred. */
  bytes: number;
  added: number;
  changed: number;
  deleted: number;
  /** Deleted upstream, but still named by a database that we serve: kept until it is not. */
  kept: number;
  lastError: { at: number; message: string; hint: string | null } | null;
  /** The whole repository, as rsync counts: without markers, with the lengths of link targets. */
  size: { bytes: number; files: number } | null;
  /** The upstream's own time mark (`lastupdate`, `Release` date …) of what we serve. */
  upstreamTime: number | null;
  /** Seconds that what we serve was behind the upstream when that was last compared. */
  lagSeconds: number | null;
}

const NUMBERS: (keyof RepoStatus)[] = [
  "lastAttempt",
  "bytes",
  "added",
  "changed",
  "deleted",
  "kept",
];
const MAYBE_NUMBERS: (keyof RepoStatus)[] = [
  "lastSuccess",
  "lastChange",
  "nextRun",
  "durationSeconds",
  "upstreamTime",
  "lagSeconds",
];

/** A status from its JSON text; `undefined` where it is damaged or of another version. */
export function readStatus(text: string): RepoStatus | undefined {
  try {
    const s = JSON.parse(text) as RepoStatus;
    const good = s.v === 1 && typeof s.repo === "string" && typeof s.path === "string" &&
      ["running", "synced", "unchanged", "failed"].includes(s.outcome) &&
      NUMBERS.every((k) => Number.isFinite(s[k])) &&
      MAYBE_NUMBERS.every((k) => s[k] === null || Number.isFinite(s[k]));
    return good ? s : undefined;
  } catch {
    return undefined;
  }
}

/** The status of a repository that was never synced. */
export function newStatus(repo: string, path: string, profile: string): RepoStatus {
  return {
    v: 1,
    repo,
    path,
    profile,
    outcome: "failed",
    lastAttempt: 0,
    lastSuccess: null,
    lastChange: null,
    nextRun: null,
    upstream: null,
    durationSeconds: null,
    bytes: 0,
    added: 0,
    changed: 0,
    deleted: 0,
    kept: 0,
    lastError: null,
    size: null,
    upstreamTime: null,
    lagSeconds: null,
  };
}
