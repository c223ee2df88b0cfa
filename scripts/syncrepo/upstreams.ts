/** The cheap check over HTTP, then the upstreams in order, round after round with growing pauses. */
import { join } from "@std/path/posix";
import type { RepoStatus } from "../../formats/status.ts";
import { count, formatDuration } from "../../formats/units.ts";
import { Failure } from "../lib/cli.ts";
import { type Config, pathsOfOthers, type Repo } from "../lib/config.ts";
import { readText } from "../lib/files.ts";
import { type RepoFiles, repoFiles } from "../lib/storage.ts";
import type { Profile } from "../profiles/profile.ts";
import { pause } from "../lib/pause.ts";
import { type Attempt, attempt, type Result } from "./attempt.ts";
import { AttemptError } from "./attempt_error.ts";
import { closeGate } from "./gate.ts";
import type { RunLog } from "./runlog.ts";
import type { Wish, World } from "./session.ts";
import { profileOf, sourceOf, withoutUser } from "./source.ts";
import { fetchCheck } from "./upstream.ts";

/** Seconds to wait before round `n` (from 1): exponential, at most 15 minutes, with full jitter. */
export function backoff(n: number, baseSeconds: number, random: () => number): number {
  return random() * Math.min(900, baseSeconds * 2 ** (n - 1));
}

/** What a run knows beyond the world. */
export type Inner = World & {
  now: () => number;
  ready: boolean;
  runLog: RunLog;
  before: RepoStatus;
  onChanges: Attempt["onChanges"];
};

/** The cheap check over HTTP, then the upstreams, round after round, inside the time limit. */
export async function anyUpstream(
  config: Config,
  repo: Repo,
  wish: Wish,
  world: Inner,
): Promise<Success> {
  const { ready, before } = world;
  const profile = profileOf(repo);
  const files = ready ? repoFiles(config.data, repo) : await closeGate(config, repo);
  if (ready) await refuseLostTree(repo, files, before);
  const limit = ready ? AbortSignal.timeout(repo.time_limit * 1000) : undefined;
  const base: Base = {
    ...world,
    ...wish,
    repo,
    profile,
    files,
    others: pathsOfOthers(config, repo),
    host: config.site.name,
    unclean: ["running", "failed"].includes(before.outcome),
    urlSaysUnchanged: ready && !wish.force &&
      await urlSaysUnchanged(repo, profile, files.static, world),
    signal: limit ? AbortSignal.any([world.signal, limit]) : world.signal,
  };
  try {
    return await rounds(config, base, world);
  } catch (error) {
    if (world.signal.aborted || !limit?.aborted) throw error;
    throw new AttemptError(`stopped at its time limit of ${formatDuration(repo.time_limit)}`, {
      retry: true,
      hint: "What was fetched is kept; the next run goes on. Raise time_limit if this is usual.",
    });
  }
}

/** A result, and the upstream that it came from. */
interface Success {
  result: Result;
  upstream: string;
}

/** What is the same for every upstream. */
type Base = Omit<Attempt, "source" | "signal"> & { signal: AbortSignal };

/** All upstreams, again after growing pauses as long as that may help and the time limit allows. */
async function rounds(config: Config, base: Base, world: Inner): Promise<Success> {
  const { repo, log, now, signal } = base;
  const deadline = now() + repo.time_limit;
  for (let round = 0;; round++) {
    const end = await oneRound(config, base);
    if ("result" in end) return end;
    const seconds = backoff(round + 1, repo.retry_delay, world.random ?? Math.random);
    if (!end.retry || round >= repo.retries || now() + seconds > deadline) throw end.error;
    const why = repo.upstream.length === 1 ? `${end.error.message}; ` : "";
    log.warn(`${repo.name}: ${why}trying again in ${formatDuration(seconds)}`);
    await (world.sleep ?? pause)(seconds, signal);
    signal.throwIfAborted();
  }
}

/** Each upstream once, in order, until one serves us; else the failure that says most. */
async function oneRound(
  config: Config,
  base: Base,
): Promise<Success | { error: AttemptError; retry: boolean }> {
  const { repo, profile, log, runLog, signal } = base;
  let worst: AttemptError | undefined, retry = false;
  for (const upstream of repo.upstream) {
    const shown = withoutUser(upstream);
    runLog.write(`${new Date().toISOString()} from ${shown}`);
    try {
      const tempDir = join(base.files.work, "=tmp");
      const source = sourceOf(config, repo, profile, upstream, tempDir);
      return { result: await attempt({ ...base, source }), upstream };
    } catch (error) {
      if (signal.aborted || !(error instanceof AttemptError)) throw error;
      // With one upstream, whoever gives up or tries again says it.
      if (repo.upstream.length > 1) log.warn(`${repo.name}: ${shown}: ${error.message}`);
      runLog.write(`failed: ${error.message}`);
      retry ||= error.retry;
      // A reason that will stay, with what to do about it, says more than a broken connection.
      if (!worst || worst.retry) worst = error;
    }
  }
  return { error: worst!, retry };
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
