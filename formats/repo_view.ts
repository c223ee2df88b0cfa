/** What the page says of a repository: from its state to words, for the server's HTML and the browser. */
import type { RepoHealth } from "./health.ts";
import type { Key, Translate } from "./messages.ts";
import { relative } from "./moments.ts";
import { formatBytes, formatDuration, formatTime } from "./units.ts";

/** How a repository stands; each has its own shape, word and colour. */
export type Badge = "fresh" | "stale" | "failed" | "initial";

/** A cell: its text, and what a tooltip says exactly. */
export interface Cell {
  key: Key;
  text: string;
  exact?: string;
  /** ISO 8601 for `<time>`. */
  datetime?: string;
}

/** A repository in words. */
export interface RepoView {
  name: string;
  href: string;
  badge: Badge;
  state: string;
  /** Why it stands so; empty where there is nothing to explain. */
  reason: string;
  cells: Cell[];
}

function badgeOf({ ready, state, outcome }: RepoHealth): Badge {
  if (!ready) return "initial";
  if (outcome === "failed" || outcome === "interrupted") return "failed";
  return state === "fresh" ? "fresh" : "stale";
}

function reasonOf(repo: RepoHealth, badge: Badge, now: number, t: Translate): string {
  const { lastSuccess, lastError, outcome, staleAfterSeconds } = repo;
  const said: string[] = [];
  if (badge === "initial") said.push(t("repo.why.initial"));
  if (outcome === "interrupted") said.push(t("repo.why.interrupted"));
  // A repository that was never synced has an error only once an attempt has failed.
  else if (badge !== "fresh" && lastError && outcome === "failed") {
    said.push(t("repo.why.failed", { message: lastError.message.replace(/\.$/, "") }));
  }
  if (repo.ready && repo.state === "stale") {
    said.push(
      lastSuccess === null
        ? t("repo.why.unknown")
        : t("repo.why.stale", { allowed: formatDuration(staleAfterSeconds) }),
    );
  } else if (badge === "failed" && lastSuccess !== null) {
    said.push(t("repo.why.complete", { ago: relative(lastSuccess, now, t) }));
  }
  if (outcome === "running") said.push(t("repo.why.running"));
  return said.join(" ");
}

function moment(key: Key, at: number | null, now: number, t: Translate): Cell {
  if (at === null) return { key, text: "–" };
  return { key, text: relative(at, now, t), exact: formatTime(at), datetime: formatTime(at) };
}

/** A repository at `now` (epoch seconds). */
export function repoView(repo: RepoHealth, now: number, t: Translate): RepoView {
  const badge = badgeOf(repo), { size, lagSeconds } = repo;
  return {
    name: repo.repo,
    href: repo.path,
    badge,
    state: t(`repo.${badge}`),
    reason: reasonOf(repo, badge, now, t),
    cells: [
      moment("repo.synced", repo.lastSuccess, now, t),
      moment("repo.changed", repo.lastChange, now, t),
      { key: "repo.lag", text: lagSeconds === null ? "–" : formatDuration(lagSeconds) },
      size
        ? {
          key: "repo.size",
          text: formatBytes(size.bytes),
          exact: t("files", { n: size.files }),
        }
        : { key: "repo.size", text: "–" },
      moment("repo.next", repo.nextRun, now, t),
    ],
  };
}
