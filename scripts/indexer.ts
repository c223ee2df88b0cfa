#!/usr/bin/env -S deno run --v8-flags=--max-semi-space-size=8 --allow-run=find --allow-read --allow-write --allow-env --allow-sys
/**
 * Writes the listings of repositories: index.html and index.json of every directory, each with a .gz
 * sibling where it is large.
 *
 *     indexer                  what the change lists of the last syncs name, or what a scan finds
 *     indexer archlinux        only this repository
 *     indexer --full           make every listing anew; what is the same stays untouched
 *     indexer --check          compare every listing with the tree, write nothing
 *
 * Exit code 1 where something could not be listed, or a check found a difference.
 */
import { type Arguments, command, type CommandSpec, EXIT, explain, Failure } from "./lib/cli.ts";
import { loadConfig, pathsOfOthers, pickRepos } from "./lib/config.ts";
import { openStorage, repoFiles } from "./lib/storage.ts";
import { count, formatDuration } from "../formats/units.ts";
import { index, type Outcome } from "./indexer/run.ts";

const SPEC: CommandSpec = {
  name: "indexer",
  summary: "write the listings of what changed",
  operands: "[repo…]",
  options: {
    full: { help: "make every listing anew and compare it" },
    check: { help: "compare every listing with the tree, write nothing" },
  },
  examples: [
    ["deno task index", "every repository: what the last syncs changed"],
    ["deno task index --check archlinux", "say whether its listings are what they should be"],
  ],
};

/** Runs the command; gives its exit code. */
export function main(args: string[]): Promise<number> {
  return command(SPEC, args, run);
}

async function run(args: Arguments): Promise<number> {
  const { switches, operands, log } = args;
  const config = await loadConfig(args);
  const repos = pickRepos(config, operands);
  const outcomes: Outcome[] = [];
  let worst: number = EXIT.done;
  // A repository at "/" shows the totals of those inside it, so it comes last.
  for (const repo of repos.toSorted((a, b) => b.path.length - a.path.length)) {
    try {
      const outcome = await index({
        repo,
        files: repoFiles(config.data, repo),
        others: pathsOfOthers(config, repo),
        how: switches.has("check") ? "check" : switches.has("full") ? "full" : undefined,
        log,
      });
      outcomes.push(outcome);
      say(outcome, args);
      if (outcome.problems.length + outcome.differences.length > 0) worst = EXIT.failed;
    } catch (error) {
      const failure = await explained(error, config.data, switches.has("check"));
      explain(log, failure);
      if (worst !== EXIT.failed) worst = failure.exitCode;
    }
  }
  if (switches.has("json")) console.log(JSON.stringify(outcomes, null, 1));
  return worst;
}

/** A failure from an error. Storage that can't be used is looked for only now, as the look takes time. */
async function explained(error: unknown, data: string, readOnly: boolean): Promise<Failure> {
  if (error instanceof Failure) return error;
  if (!readOnly) await openStorage(data);
  throw error;
}

/** Past this many lines of one kind, only their number is told. */
const MANY = 20;

function say(outcome: Outcome, { log, switches }: Arguments) {
  const { repo, mode, dirs, rendered, written, removed, seconds } = outcome;
  const tell = (lines: string[], noun: string, write: (text: string) => void) => {
    for (const line of lines.slice(0, MANY)) write(line);
    if (lines.length > MANY) write(`… and ${count(lines.length - MANY, noun)} more`);
  };
  tell(outcome.problems, "problem", (line) => log.warn(`${repo}: ${line}`));
  if (mode === "check") {
    if (!switches.has("json")) {
      tell(outcome.differences, "difference", (l) => console.log(`${repo}: ${l}`));
    }
    log.info(
      `${repo}: ${count(outcome.differences.length, "difference")} in ${count(dirs, "listing")}`,
    );
    return;
  }
  log.info(
    `${repo}: ${count(written, "file")} written, ${count(removed, "listing")} removed; looked at ` +
      `${count(rendered, "directory").replace(/directorys$/, "directories")} of ${dirs} (${mode}, ${
        seconds < 10 ? `${seconds.toFixed(2)} s` : formatDuration(seconds)
      })`,
  );
}

if (import.meta.main) Deno.exit(await main(Deno.args));
