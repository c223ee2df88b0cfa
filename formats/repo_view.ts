/** What the page says of a repository: from its state to words, for the server's HTML and the browser. */
import type { RepoHealth } from "./health.ts";
import type { Translate } from "./messages.ts";
import { duration, relative } from "./moments.ts";
import { type Badge, moment, type StateRow, UNKNOWN } from "./state_row.ts";
import { formatBytes } from "./units.ts";

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
        : t("repo.why.stale", { allowed: duration(staleAfterSeconds, t) }),
    );
  } else if (badge === "failed" && lastSuccess !== null) {
    said.push(t("repo.why.complete", { ago: relative(lastSuccess, now, t) }));
  }
  if (outcome === "running") said.push(t("repo.why.running"));
  return said.join(" ");
}

/** When it runs next: a time that has passed is due for a minute; after that, nobody knows. */
function next({ nextRun }: RepoHealth, now: number): number | null {
  return nextRun === null || nextRun < now - 60 ? null : Math.max(nextRun, now + 1);
}

/** A repository at `now` (epoch seconds). */
export function repoView(repo: RepoHealth, now: number, t: Translate): StateRow {
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
      { key: "repo.lag", text: lagSeconds === null ? UNKNOWN : duration(lagSeconds, t) },
      size
        ? {
          key: "repo.size",
          text: formatBytes(size.bytes),
          exact: t("files", { n: size.files }),
        }
        : { key: "repo.size", text: UNKNOWN },
      moment("repo.next", next(repo, now), now, t),
    ],
  };
}
