/** One run for one repository: lock, status before and after, log, and the change list for the indexer. */
import { newStatus, type RepoStatus } from "../../formats/status.ts";
import { formatDuration } from "../../formats/units.ts";
import { EXIT, Failure, type Log } from "../lib/cli.ts";
import type { Config, Repo } from "../lib/config.ts";
import { takeLock } from "../lib/lock.ts";
import type { Run } from "../lib/run.ts";
import { fixMinute, nextRun } from "../lib/schedule.ts";
import {
  addChanges,
  isReady,
  loadStatus,
  type RepoFiles,
  repoFiles,
  saveStatus,
} from "../lib/storage.ts";
import type { Result } from "./attempt.ts";
import { AttemptError } from "./attempt_error.ts";
import { openGate } from "./gate.ts";
import { RunLog } from "./runlog.ts";
import { profileOf, withoutUser } from "./source.ts";
import { anyUpstream } from "./upstreams.ts";

/** What a person asked for. */
export interface Wish {
  force: boolean;
  allowDelete?: number;
}

/** What a run touches of the world. */
export interface World {
  run: Run;
  log: Log;
  signal: AbortSignal;
  fetcher?: typeof fetch;
  now?: () => number;
  random?: () => number;
  sleep?: (seconds: number, signal: AbortSignal) => Promise<void>;
}

const epochNow = () => Math.floor(Date.now() / 1000);

/**
 * Syncs one repository and gives its new status. Throws {@linkcode Failure} when it could not be done;
 * the status says so as well. A second instance gets exit code 75.
 */
export async function syncRepo(
  config: Config,
  repo: Repo,
  wish: Wish,
  world: World,
): Promise<RepoStatus> {
  const now = world.now ?? epochNow;
  const files = repoFiles(config.data, repo);
  using _lock = await takeLock(files.lock, `A sync of ${repo.name}`);
  const ready = await isReady(files);
  const before = await loadStatus(files) ?? newStatus(repo.name, repo.path, repo.profile);
  const schedule = fixMinute(
    repo.schedule ?? profileOf(repo).schedule,
    config.site.name,
    repo.name,
  );
  const started = now();
  const status: RepoStatus = {
    ...before,
    path: repo.path,
    profile: repo.profile,
    outcome: "running",
    lastAttempt: started,
  };
  await saveStatus(files, status);
  // Killed before: nobody told the indexer what had changed by then.
  if (before.outcome === "running") await addChanges(files, "everything");
  using runLog = await RunLog.start(files.log, repo.name, new Date(started * 1000));
  const finish = async (more: Partial<RepoStatus>) => {
    Object.assign(status, {
      durationSeconds: now() - started,
      nextRun: nextRun(schedule, new Date()),
    }, more);
    await saveStatus(files, status);
    runLog.write(`${status.outcome} after ${formatDuration(status.durationSeconds!)}`);
    return status;
  };
  const changes = new Changes();
  try {
    const inner = { ...world, now, ready, runLog, before, onChanges: changes.add };
    const { result, upstream } = await anyUpstream(config, repo, wish, inner)
      // Also after a failure: part of it may have arrived.
      .finally(() => changes.announce(files));
    if (!ready) {
      await openGate(config, repo, started);
      // All of it is new, also what earlier runs fetched.
      await addChanges(files, "everything");
    }
    return await finish(success(status, result, upstream, now()));
  } catch (error) {
    const failure = asFailure(repo, error, world.signal);
    runLog.write(`error: ${failure.message}`);
    const lastError = { at: now(), message: failure.message, hint: failure.hint ?? null };
    // As after a kill, if the indexer could not be told: the next run tells it to look at everything.
    const outcome = changes.lost ? "running" : "failed";
    await finish({ outcome, lastError }).catch((e) => {
      world.log.error(`The status of ${repo.name} could not be written: ${e.message}`);
    });
    throw failure;
  }
}

/** What changed in the tree in this run, for the indexer. */
class Changes {
  private paths = new Set<string>();
  private everything = false;
  /** True while something changed that the indexer was not told. */
  lost = false;

  readonly add = (paths: string[] | "everything") => {
    this.lost = true;
    if (paths === "everything") this.everything = true;
    else for (const path of paths) this.paths.add(path);
  };

  async announce(files: RepoFiles) {
    if (!this.lost) return;
    await addChanges(files, this.everything ? "everything" : this.paths);
    this.lost = false;
  }
}

/** What a success changes in the status. */
function success(
  status: RepoStatus,
  result: Result,
  upstream: string,
  at: number,
): Partial<RepoStatus> {
  const { plan, outcome } = result;
  const common = {
    outcome,
    lastSuccess: at,
    lastError: null,
    upstream: withoutUser(upstream),
    upstreamTime: result.upstreamTime ?? status.upstreamTime,
    lagSeconds: result.lagSeconds,
    kept: result.kept,
    ...(plan ? { size: { bytes: plan.upstream.bytes, files: plan.upstream.regular } } : {}),
  };
  return outcome === "unchanged" ? common : {
    ...common,
    lastChange: at,
    bytes: plan!.direct.bytes + plan!.stagedBytes,
    added: plan!.added,
    changed: plan!.changed,
    deleted: result.deleted,
  };
}

/** An error as a foreseen failure; a bug stays a bug. */
function asFailure(repo: Repo, error: unknown, signal: AbortSignal): Failure {
  if (signal.aborted) {
    const why = signal.reason instanceof Error ? signal.reason.message : String(signal.reason);
    return new Failure(
      `${repo.name}: ${why}; what was fetched is kept, the next run goes on from there`,
    );
  }
  if (error instanceof AttemptError) {
    return new Failure(`${repo.name}: ${error.message}`, error.hint);
  }
  if (error instanceof Failure) return error;
  const { code, message } = error as { code?: string; message: string };
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new Failure(
      `${repo.name}: the disk is full (${message})`,
      "Free some space and run it again.",
    );
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return new Failure(`${repo.name}: ${message}`, "Run as the owner of the storage.");
  }
  throw error;
}

/** The exit code of a run over several repositories. */
export function exitCode(failures: Failure[]): number {
  if (failures.length === 0) return EXIT.done;
  return failures.every((f) => f.exitCode === EXIT.busy) ? EXIT.busy : EXIT.failed;
}
