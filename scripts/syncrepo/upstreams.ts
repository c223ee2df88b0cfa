/** The cheap check over HTTP, then the upstreams in order, round after round with growing pauses. */
import { join } from "@std/path/posix";
import type { RepoStatus } from "../../formats/status.ts";
import { count, formatDuration } from "../../formats/units.ts";
import { Failure } from "../lib/cli.ts";
import { type Config, pathsOfOthers, type Repo } from "../lib/config.ts";
import { readText } from "../lib/files.ts";
import { type RepoFiles, repoFiles } from "../lib/storage.ts";
import type { Profile } from "../profiles/profile.ts";
import { type Attempt, attempt, type Result } from "./attempt.ts";
import { AttemptError } from "./attempt_error.ts";
import type { RunLog } from "./runlog.ts";
import type { Wish, World } from "./session.ts";
import { profileOf, sourceOf, withoutUser } from "./source.ts";
import { fetchCheck } from "./upstream.ts";

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
