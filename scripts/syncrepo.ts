#!/usr/bin/env -S deno run --allow-run=setpriv,sh --allow-read --allow-write --allow-env --allow-net --allow-sys=hostname,uid,statfs
/**
 * Brings repositories up to date with their upstreams. What is served is complete at every moment: new
 * files come first, what names them is proven against the tree before it is switched, deletion is
 * planned and comes late, and the markers that say "up to date" come last.
 *
 *     syncrepo [repo…] [--init] [--force] [--dry-run] [--verify] [--allow-delete N]
 */
import { newStatus, type RepoStatus } from "../formats/status.ts";
import { count, formatBytes, formatDuration } from "../formats/units.ts";
import {
  type Arguments,
  command,
  type CommandSpec,
  explain,
  Failure,
  UsageError,
} from "./lib/cli.ts";
import { type Config, loadConfig, pickRepos, type Repo } from "./lib/config.ts";
import { run } from "./lib/run.ts";
import { checkSchedules } from "./lib/schedule.ts";
import { isReady, loadStatus, openStorage, refuseFile, repoFiles } from "./lib/storage.ts";
import { dryRun } from "./syncrepo/dry_run.ts";
import { Incomplete, proveRepo } from "./syncrepo/prove.ts";
import { exitCode, syncRepo, type Wish, type World } from "./syncrepo/session.ts";

const SPEC: CommandSpec = {
  name: "syncrepo",
  summary: "bring repositories up to date with their upstreams",
  operands: "[repo…]",
  options: {
    init: { help: "the first sync of those that were never complete; goes on where it stopped" },
    force: { help: "sync even if nothing seems changed, or the upstream is older than ours" },
    "dry-run": { help: "print what would be fetched and deleted, and touch nothing" },
    verify: { help: "prove that every file named by a served database is there; fetch nothing" },
    "allow-delete": {
      value: "N",
      help: "let this run delete up to N files, whatever max_delete says",
    },
  },
  examples: [
    ["deno task sync", "every repository of mirror.toml"],
    ["deno task sync archlinux --dry-run", "what would happen to one of them"],
    ["deno task sync debian --allow-delete 5000", "after a plan with many deletions was refused"],
    ["deno task sync --verify --json", "the proof, for a monitoring system"],
  ],
};

/** The command; gives its exit code. */
export function main(args: string[], world: Partial<World> = {}): Promise<number> {
  return command(SPEC, args, async (parsed) => {
    const wish = readWish(parsed);
    const config = await loadConfig(parsed);
    checkSchedules(config);
    const repos = pickRepos(config, parsed.operands);
    const mode = ["verify", "dry-run"].find((name) => parsed.switches.has(name));
    if (mode === undefined) await openStorage(config.data);
    for (const repo of repos) await refuseFile(repoFiles(config.data, repo).static);
    const stop = stopOnSignals();
    const inner: World = { run, log: parsed.log, signal: stop.signal, ...world };
    const results: unknown[] = [], failures: Failure[] = [];
    try {
      for (const repo of repos) {
        if (inner.signal.aborted) break;
        try {
          results.push(await one(mode, config, repo, wish, inner, parsed));
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
          explain(parsed.log, error);
          failures.push(error);
          results.push(
            error instanceof Incomplete ? error.proof : await failed(config, repo, error),
          );
        }
      }
    } finally {
      stop.done();
    }
    if (parsed.switches.has("json")) console.log(JSON.stringify(results));
    return exitCode(failures);
  });
}

async function one(
  mode: string | undefined,
  config: Config,
  repo: Repo,
  wish: Wish,
  world: World,
  { switches, log }: Arguments,
): Promise<unknown> {
  if (mode === "verify") return proveRepo(config, repo, world);
  if (mode === "dry-run") return dryRun(config, repo, wish, world, !switches.has("json"));
  const files = repoFiles(config.data, repo);
  if (switches.has("init") && await isReady(files)) {
    log.info(`${repo.name}: is complete already; --init leaves it alone`);
    return await loadStatus(files);
  }
  const status = await syncRepo(config, repo, wish, world);
  log.info(describe(status));
  return status;
}

/** What a monitoring system reads of a repository that failed. */
async function failed(config: Config, repo: Repo, failure: Failure) {
  const status = await loadStatus(repoFiles(config.data, repo)).catch(() => undefined);
  return {
    ...(status ?? newStatus(repo.name, repo.path, repo.profile)),
    error: failure.message,
    hint: failure.hint,
  };
}

function readWish({ switches, values }: Arguments): Wish {
  const text = values["allow-delete"];
  if (text !== undefined && !/^\d{1,9}$/.test(text)) {
    throw new UsageError(
      `--allow-delete ${JSON.stringify(text)} is not allowed; allowed is a number of files.`,
    );
  }
  return {
    force: switches.has("force"),
    allowDelete: text === undefined ? undefined : Number(text),
  };
}

/** `archlinux: synced in 12 s from …: 3 files new, 1 changed, 1 deleted, 1.2 MiB`. */
export function describe(s: RepoStatus): string {
  const took = s.durationSeconds === null ? "" : ` in ${formatDuration(s.durationSeconds)}`;
  const from = s.upstream ? ` from ${s.upstream}` : "";
  if (s.outcome === "unchanged") return `${s.repo}: nothing changed (checked${took}${from})`;
  if (s.outcome !== "synced") return `${s.repo}: ${s.outcome}`;
  const kept = s.kept ? `, ${s.kept} kept that a database still names` : "";
  return `${s.repo}: synced${took}${from}: ${count(s.added, "file")} new, ${s.changed} changed, ` +
    `${s.deleted} deleted${kept}, ${formatBytes(s.bytes)}`;
}

/** A signal that SIGTERM and SIGINT abort. */
function stopOnSignals() {
  const controller = new AbortController();
  const names: Deno.Signal[] = ["SIGTERM", "SIGINT"];
  const handlers = names.map((name) => () => controller.abort(new Error(`stopped by ${name}`)));
  names.forEach((name, i) => Deno.addSignalListener(name, handlers[i]));
  return {
    signal: controller.signal,
    done: () => names.forEach((name, i) => Deno.removeSignalListener(name, handlers[i])),
  };
}

if (import.meta.main) Deno.exit(await main(Deno.args));
