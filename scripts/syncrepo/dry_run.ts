/** `--dry-run`: the plan from the first upstream that gives one, printed; nothing is touched. */
import { join } from "@std/path/posix";
import { fromBytes, toDisplay, toHref, toTextLossy } from "../../formats/names.ts";
import { count, formatBytes } from "../../formats/units.ts";
import { Failure } from "../lib/cli.ts";
import { type Config, pathsOfOthers, type Repo } from "../lib/config.ts";
import { exists } from "../lib/files.ts";
import { AttemptError } from "./attempt_error.ts";
import { currentTree } from "./gate.ts";
import { makePlan, type Plan, refusal } from "./plan.ts";
import type { Wish, World } from "./session.ts";
import { profileOf, sourceOf, withoutUser } from "./source.ts";

/** Makes and prints the plan; gives it for `--json`. Throws {@linkcode Failure} where it would be refused. */
export async function dryRun(
  config: Config,
  repo: Repo,
  wish: Wish,
  { run, log, signal }: World,
  print: boolean,
): Promise<unknown> {
  const profile = profileOf(repo);
  const scratch = await Deno.makeTempDir({ prefix: "mirrorkit-" });
  try {
    let tree = await currentTree(config, repo);
    if (!await exists(tree)) await Deno.mkdir(tree = join(scratch, "empty"));
    let last: AttemptError | undefined;
    for (const upstream of repo.upstream) {
      try {
        const source = sourceOf(config, repo, profile, upstream, scratch);
        const plan = await makePlan({
          source,
          tree,
          list: join(scratch, "list"),
          profile,
          run,
          signal,
        });
        if (print) await show(plan, repo, upstream);
        const refused = refusal(plan, repo.max_delete, wish.allowDelete);
        if (refused) {
          throw new Failure(
            `${repo.name}: ${refused}`,
            `--allow-delete ${plan.deleted} allows it.`,
          );
        }
        return forMachines(plan, repo, upstream, pathsOfOthers(config, repo));
      } catch (error) {
        if (!(error instanceof AttemptError)) throw error;
        log.warn(`${repo.name}: ${withoutUser(upstream)}: ${error.message}`);
        last = error;
      }
    }
    throw new Failure(`${repo.name}: ${last!.message}`, last!.hint);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

async function show(plan: Plan, repo: Repo, upstream: string) {
  const line = (mark: string, path: string) =>
    console.log(`${mark} ${toDisplay(toTextLossy(path))}`);
  for (const path of await directPaths(plan)) line("+", path);
  for (const [path, item] of plan.staged) line(item.created ? "+" : "~", path);
  for (const item of plan.deletions) line("-", item.path + (item.dir ? "/" : ""));
  console.log(
    `${repo.name}: ${count(plan.added, "file")} new (+), ${plan.changed} changed (~), ` +
      `${plan.deleted} to delete (-) of ${plan.local}, ` +
      `${formatBytes(plan.direct.bytes + plan.stagedBytes)} to fetch from ${withoutUser(upstream)}`,
  );
}

/** Raw paths of the list of new files. */
async function directPaths(plan: Plan): Promise<string[]> {
  const bytes = await Deno.readFile(plan.direct.list);
  return fromBytes(bytes).split("\0").slice(0, -1).map((p) => p.slice(2));
}

async function forMachines(plan: Plan, repo: Repo, upstream: string, others: string[]) {
  return {
    repo: repo.name,
    upstream: withoutUser(upstream),
    added: plan.added,
    changed: plan.changed,
    deleted: plan.deleted,
    local: plan.local,
    bytes: plan.direct.bytes + plan.stagedBytes,
    leftOut: others,
    // Percent-encoded, as in change lists: names may hold any byte.
    new: (await directPaths(plan)).map(toHref),
    staged: [...plan.staged.keys()].map(toHref),
    delete: plan.deletions.map((i) => toHref(i.path + (i.dir ? "/" : ""))),
  };
}
