/** What has to hold before anything is switched: bounds for deletion, room on the disk, and the proof. */
import { join } from "@std/path/posix";
import { statfs } from "node:fs/promises";
import { toDisplay, toTextLossy } from "../../formats/names.ts";
import { count, formatBytes } from "../../formats/units.ts";
import { readText } from "../lib/files.ts";
import { type Attempt, stagedIn } from "./attempt.ts";
import { AttemptError, MovedError } from "./attempt_error.ts";
import { refuseOlder } from "./markers.ts";
import { makePlan, type Plan, refusal } from "./plan.ts";
import { asTexts, describeGaps, findDatabases, type Overlay, verify } from "./verify.ts";

/** Left free on the disk beyond what a run needs. */
const SPARE_BYTES = 64 * 1024 * 1024;

/** A plan that may be carried out: deletions within bounds, room on the disk. */
export async function checkedPlan(a: Attempt, tree: string, lists: string): Promise<Plan> {
  await Deno.mkdir(lists, { recursive: true });
  a.log.progress(`${a.repo.name}: listing ${a.source.upstream}`);
  const list = join(lists, "new.list");
  const plan = await makePlan({ ...a, tree, list });
  a.runLog.write(
    `plan: ${count(plan.added, "new file")}, ${count(plan.changed, "changed file")}, ` +
      `${count(plan.deleted, "file")} to delete of ${plan.local} here; ` +
      `upstream has ${count(plan.upstream.regular, "file")}, ${formatBytes(plan.upstream.bytes)}`,
  );
  const refused = refusal(plan, a.repo.max_delete, a.allowDelete);
  if (refused) {
    for (const item of plan.deletions) a.runLog.write(`would delete: ${item.path}`);
    const shown = plan.deletions.filter((i) => !i.dir).slice(0, 5)
      .map((i) => toDisplay(toTextLossy(i.path))).join(", ");
    throw new AttemptError(refused, {
      retry: false,
      hint: `It would delete ${shown}${plan.deleted > 5 ? " …" : ""} (all in ${a.runLog.path}). ` +
        `If that is meant: deno task sync ${a.repo.name} --allow-delete ${plan.deleted}`,
    });
  }
  await checkSpace(plan, tree);
  return plan;
}

async function checkSpace(plan: Plan, tree: string) {
  const disk = await statfs(tree);
  const free = Number(disk.bavail) * Number(disk.bsize);
  const needed = plan.direct.bytes + plan.stagedBytes;
  if (needed === 0 || needed + Math.min(SPARE_BYTES, needed) <= free) return;
  throw new AttemptError(
    `the disk is too full: ${formatBytes(needed)} to fetch, ${formatBytes(free)} free at ${tree}`,
    { retry: false, hint: `Free some space, or leave something out with exclude in mirror.toml.` },
  );
}

/**
 * Proves that after the switch every database finds its files. Returns the raw paths that must not be
 * deleted. What is missing may have moved upstream meanwhile: then the plan is made anew.
 */
export async function prove(a: Attempt, plan: Plan): Promise<Set<string>> {
  const { profile, repo } = a;
  if (repo.verify === "off" || profile.databases.length === 0) return new Set();
  const overlay: Overlay = {
    tree: a.files.static,
    stagedIn: stagedIn(a),
    staged: asTexts(plan.staged.keys()),
  };
  const touched = new Set(plan.deletions.map((i) => i.path));
  for (const [path, item] of plan.staged) {
    if (!item.created || plan.typeChanges.has(path)) touched.add(path);
  }
  const served = touched.size > 0 || !a.ready
    ? await findDatabases(a.files.static, profile, a.run, a.others)
    : [];
  const databases = new Set([...overlay.staged, ...served]);
  a.log.progress(`${repo.name}: proving that every database finds its files`);
  const result = await verify({
    ...a,
    overlay,
    databases: [...databases],
    // Before a repository is served for the first time, everything is compared.
    touched,
    all: !a.ready,
  });
  a.runLog.write(
    `proof: ${result.databases} databases, ${result.files} files, ${result.gaps.length} gaps`,
  );
  for (const gap of result.gaps) {
    a.runLog.write(`gap: ${gap.path} ${gap.problem} (${gap.database})`);
  }
  if (result.gaps.length > 0) {
    const words = describeGaps(result.gaps);
    if (repo.verify === "strict") throw new MovedError(`the upstream is not complete: ${words}`);
    a.log.warn(`${repo.name}: the upstream is not complete: ${words}`);
  }
  await refuseOlderStaged(a, overlay);
  return result.needed;
}

/** Files that state a time, as `Release`, may not be replaced by older ones. */
async function refuseOlderStaged(a: Attempt, overlay: Overlay) {
  const { profile } = a;
  if (!profile.timed || !profile.time || a.force) return;
  for (const path of overlay.staged) {
    if (!profile.timed.test(path)) continue;
    const theirs = await readText(join(overlay.stagedIn, path)).catch(() => undefined);
    const ours = await readText(join(overlay.tree, path)).catch(() => undefined);
    const a1 = theirs && profile.time(path, theirs), b1 = ours && profile.time(path, ours);
    if (a1 && b1) refuseOlder(path, a1, b1);
  }
}
