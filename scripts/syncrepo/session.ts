/** One run for one repository: lock, cheap check, then the upstreams in order, again after a pause. */
import { join } from "@std/path/posix";
import { newStatus, type RepoStatus } from "../../formats/status.ts";
import { count, formatDuration } from "../../formats/units.ts";
import { EXIT, Failure, type Log } from "../lib/cli.ts";
import { type Config, pathsOfOthers, type Repo } from "../lib/config.ts";
import { readText, writeWhole } from "../lib/files.ts";
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
import { profiles } from "../profiles/mod.ts";
import type { Profile } from "../profiles/profile.ts";
import { type Attempt, attempt, type Result } from "./attempt.ts";
import { AttemptError } from "./attempt_error.ts";
import type { Source } from "./rsync.ts";
import { RunLog } from "./runlog.ts";
import { fetchCheck } from "./upstream.ts";

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

/** Sleeps, or wakes up early when the signal comes. */
function pause(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, seconds * 1000);
    signal.addEventListener("abort", done);
  });
}

/** Seconds to wait before round `n` (from 1): exponential, at most 15 minutes, with full jitter. */
export function backoff(n: number, baseSeconds: number, random: () => number): number {
  return random() * Math.min(900, baseSeconds * 2 ** (n - 1));
}

/** The profile of a repository, with the marker that its configuration names. */
export function profileOf(repo: Repo): Profile {
  const profile: Profile = profiles[repo.profile];
  if (!repo.check) return profile;
  const name = /^https?:/.test(repo.check)
    ? new URL(repo.check).pathname.split("/").pop() || "index"
    : repo.check;
  if (profile.check?.split("/").pop() === name) return profile;
  return { ...profile, check: name, markers: [...profile.markers.filter((m) => m !== name), name] };
}

/** An upstream as rsync is told of it. */
export function sourceOf(config: Config, repo: Repo, profile: Profile, upstream: string): Source {
  const others = pathsOfOthers(config, repo);
  const parents = others.flatMap((path) => {
    const segments = path.split("/").slice(0, -2);
    return segments.map((_, i) => "/" + segments.slice(0, i + 1).join("/") + "/");
  });
  return {
    upstream,
    exclude: [
      ...profile.markers.map((m) => "/" + m),
      ...(profile.trace ? [`/${profile.trace}/${config.site.name}`] : []),
      ...profile.exclude,
      ...repo.exclude,
      ...others.map((path) => "/" + path),
    ],
    protect: [...new Set(parents)],
    ioTimeoutSeconds: Math.ceil(repo.io_timeout),
    bwlimit: repo.bwlimit,
    passwordFile: repo.password_file,
    tempDir: join(repoFiles(config.data, repo).work, "=tmp"),
  };
}

/** An upstream for people and files: without user and password. */
export const withoutUser = (upstream: string) => upstream.replace(/^([a-z-]+:\/\/)[^@/]*@/, "$1");

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
    if (!ready) await writeWhole(files.ready, `${started}\n`);
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

type Inner = World & {
  now: () => number;
  ready: boolean;
  runLog: RunLog;
  before: RepoStatus;
  onChanges: Attempt["onChanges"];
};

/** The cheap check over HTTP, then the upstreams, round after round, inside the time limit. */
async function anyUpstream(
  config: Config,
  repo: Repo,
  wish: Wish,
  world: Inner,
): Promise<{ result: Result; upstream: string }> {
  const { log, now, ready } = world;
  const profile = profileOf(repo);
  const files = repoFiles(config.data, repo);
  const limit = ready ? AbortSignal.timeout(repo.time_limit * 1000) : undefined;
  const signal = limit ? AbortSignal.any([world.signal, limit]) : world.signal;
  const unchanged = ready && !wish.force &&
    await urlSaysUnchanged(repo, profile, files.static, world);
  const others = pathsOfOthers(config, repo);
  const deadline = now() + repo.time_limit;
  if (ready) await refuseLostTree(repo, files, world.before);
  await Deno.mkdir(files.static, { recursive: true });
  let last: AttemptError | undefined;
  try {
    for (let round = 0;; round++) {
      let retry = false;
      for (const upstream of repo.upstream) {
        const shown = withoutUser(upstream);
        world.runLog.write(`${new Date().toISOString()} from ${shown}`);
        const source = sourceOf(config, repo, profile, upstream);
        const a: Attempt = {
          ...world,
          repo,
          profile,
          files,
          source,
          others,
          signal,
          host: config.site.name,
          force: wish.force,
          allowDelete: wish.allowDelete,
          unclean: ["running", "failed"].includes(world.before.outcome),
          urlSaysUnchanged: unchanged,
        };
        try {
          return { result: await attempt(a), upstream };
        } catch (error) {
          if (signal.aborted || !(error instanceof AttemptError)) throw error;
          log.warn(`${repo.name}: ${shown}: ${error.message}`);
          world.runLog.write(`failed: ${error.message}`);
          retry ||= error.retry;
          // A reason that will stay, with what to do about it, says more than a broken connection.
          if (!last || last.retry || !error.retry) last = error;
        }
      }
      const seconds = backoff(round + 1, repo.retry_delay, world.random ?? Math.random);
      if (!retry || round >= repo.retries || now() + seconds > deadline) throw last!;
      log.info(`${repo.name}: trying again in ${formatDuration(seconds)}`);
      await (world.sleep ?? pause)(seconds, signal);
      signal.throwIfAborted();
    }
  } catch (error) {
    if (!world.signal.aborted && limit?.aborted) {
      throw new AttemptError(`stopped at its time limit of ${formatDuration(repo.time_limit)}`, {
        retry: true,
        hint: "What was fetched is kept; the next run goes on. Raise time_limit if this is usual.",
      });
    }
    throw error;
  }
}

/** A tree that was complete and is empty now is a disk that is not mounted: nothing is fetched beside it. */
async function refuseLostTree(repo: Repo, files: RepoFiles, before: RepoStatus) {
  if (!before.size?.files) return;
  const entries = await Array.fromAsync(Deno.readDir(files.static)).catch(() => []);
  if (entries.some((e) => e.name !== ".~tmp~")) return;
  throw new Failure(
    `${repo.name}: ${files.static} is empty, but ${
      count(before.size.files, "file")
    } were synced to it`,
    `Is its disk mounted? If it is to be fetched anew, remove ${files.ready} first.`,
  );
}

/** Whether the check URL answers with the marker that we serve. Unknown is reported, and is not "changed". */
async function urlSaysUnchanged(
  repo: Repo,
  profile: Profile,
  tree: string,
  { fetcher, log, signal }: Inner,
): Promise<boolean> {
  if (!repo.check || !/^https?:/.test(repo.check)) return false;
  try {
    const theirs = await fetchCheck(repo.check, { fetcher, signal });
    return theirs === await readText(join(tree, profile.check!));
  } catch (error) {
    log.warn(
      `${repo.name}: unknown whether anything changed: ${repo.check}: ${
        (error as Error).message
      }; ` +
        `asking the upstream itself`,
    );
    return false;
  }
}

/** The exit code of a run over several repositories. */
export function exitCode(failures: Failure[]): number {
  if (failures.length === 0) return EXIT.done;
  return failures.every((f) => f.exitCode === EXIT.busy) ? EXIT.busy : EXIT.failed;
}
