/**
 * One attempt to bring a repository up to date from one upstream: markers → plan → new files → staged
 * files → proof → switch → deletion → markers. Whatever happens in between, the tree that is served
 * stays complete, and the next attempt goes on from there.
 */
import { dirname, join } from "@std/path/posix";
import { statfs } from "node:fs/promises";
import { fromText, toBytes, toDisplay, toText, toTextLossy } from "../../formats/names.ts";
import { count, formatBytes, formatTime } from "../../formats/units.ts";
import type { Log } from "../lib/cli.ts";
import type { Repo } from "../lib/config.ts";
import { exists, readText } from "../lib/files.ts";
import type { Run } from "../lib/run.ts";
import type { RepoFiles } from "../lib/storage.ts";
import type { Profile } from "../profiles/profile.ts";
import { AttemptError, MovedError } from "./attempt_error.ts";
import { isEmpty, lookInto, makePlan, type Plan, refusal } from "./plan.ts";
import { asRaw, deleteAll, inOrder, publishText, splitDeletions, switchOver } from "./publish.ts";
import type { Source } from "./rsync.ts";
import type { RunLog } from "./runlog.ts";
import { transfer } from "./transfer.ts";
import { compareMarkers, fetchMarkers, isUpdating } from "./upstream.ts";
import { asTexts, describeGaps, findDatabases, type Overlay, verify } from "./verify.ts";

/** How often a plan is made anew when the upstream moves under it. */
const ROUNDS = 3;
/** Left free on the disk beyond what a run needs. */
const SPARE_BYTES = 64 * 1024 * 1024;

/** All that an attempt works with. */
export interface Attempt {
  repo: Repo;
  profile: Profile;
  files: RepoFiles;
  source: Source;
  /** Paths below this repository that belong to others. */
  others: string[];
  /** This mirror's name, for its trace file. */
  host: string;
  /** It is served already: the cheap check may end the attempt. */
  ready: boolean;
  force: boolean;
  allowDelete?: number;
  /** The check URL answered with our marker: only the other markers are fetched. */
  urlSaysUnchanged: boolean;
  /** A sync was killed before: partial files may lie about. */
  unclean: boolean;
  run: Run;
  log: Log;
  runLog: RunLog;
  now: () => number;
  signal?: AbortSignal;
  /** Told what may have changed in the tree, before it does. */
  onChanges: (changes: string[] | "everything") => void;
}

/** How an attempt ended. Times as in formats/status.ts. */
export interface Result {
  outcome: "synced" | "unchanged";
  plan?: Plan;
  deleted: number;
  kept: number;
  upstreamTime: number | null;
  lagSeconds: number | null;
}

const stagedIn = (a: Attempt) => join(a.files.work, "=staged");
const markersIn = (a: Attempt) => join(a.files.work, "=markers");
const aside = (a: Attempt) => join(a.files.work, "=aside");

/** Runs an attempt. Throws {@linkcode AttemptError} when this upstream can't serve us now. */
export async function attempt(a: Attempt): Promise<Result> {
  // Files that a killed rsync left half-written; what it can go on with lies in `.~tmp~` itself.
  await Deno.remove(a.source.tempDir, { recursive: true }).catch(() => {});
  await Deno.remove(aside(a), { recursive: true }).catch(() => {});
  await Deno.mkdir(a.source.tempDir, { recursive: true });
  const result = await comparedOrCarriedOut(a);
  await cleanUp(a);
  return result;
}

async function comparedOrCarriedOut(a: Attempt): Promise<Result> {
  const times = await readMarkers(a);
  if (times.unchanged && a.ready && !a.force) {
    await publishMarkers(a);
    return { outcome: "unchanged", deleted: 0, kept: 0, upstreamTime: times.ours, lagSeconds: 0 };
  }
  for (let round = 1;; round++) {
    try {
      return { ...await carryOut(a), upstreamTime: times.theirs, lagSeconds: 0 };
    } catch (error) {
      if (!(error instanceof MovedError) || round === ROUNDS) throw error;
      a.log.info(`${a.repo.name}: ${error.message}; looking again`);
    }
  }
}

/** Fetches the markers first: published last, they claim less than what the tree has, never more. */
async function readMarkers(a: Attempt) {
  const { profile, files } = a;
  // The plan leaves the markers out; here they are all that is wanted.
  const source = { ...a.source, exclude: [] };
  const wanted = profile.markers.filter((m) => !(a.urlSaysUnchanged && m === profile.check));
  await fetchMarkers(source, wanted, markersIn(a), a.run, a.signal);
  if (!profile.check) return { unchanged: false, theirs: null, ours: null };
  if (a.urlSaysUnchanged) {
    const ours = await readText(join(files.static, profile.check));
    const time = ours === undefined ? undefined : profile.time?.(profile.check, ours);
    return { unchanged: true, theirs: time ?? null, ours: time ?? null };
  }
  const theirs = await readText(join(markersIn(a), profile.check));
  const marks = await compareMarkers(profile, profile.check, theirs, files.static);
  if (marks.theirTime !== undefined && marks.ourTime !== undefined && !a.force) {
    refuseOlder(profile.check, marks.theirTime, marks.ourTime);
  }
  return {
    unchanged: marks.unchanged,
    theirs: marks.theirTime ?? null,
    ours: marks.ourTime ?? null,
  };
}

function refuseOlder(path: string, theirs: number, ours: number) {
  if (theirs >= ours) return;
  // Serials such as 2026112101 read as times far in the future: shown as they are.
  const show = (n: number) => n < 2e9 ? formatTime(n) : String(n);
  throw new AttemptError(
    `the upstream went back in time: its ${path} says ${show(theirs)}, ours ${show(ours)}`,
    { retry: false, hint: "If that is meant, accept it with --force." },
  );
}

/** The plan as steps. Throws {@linkcode MovedError} where the upstream changed meanwhile. */
async function carryOut(
  a: Attempt,
): Promise<Pick<Result, "outcome" | "plan" | "deleted" | "kept">> {
  const { files, profile } = a;
  const plan = await checkedPlan(a, files.static, files.plan);
  if (isEmpty(plan)) {
    if (!a.ready) await prove(a, plan);
    await publishMarkers(a);
    await leaveTrace(a);
    return { outcome: "unchanged", plan, deleted: 0, kept: 0 };
  }
  a.onChanges(plan.changes);
  await fetchNew(a, plan);
  await fetchStaged(a, plan);
  const needed = await prove(a, plan);
  if (profile.updating && await isUpdating(a.source, profile.updating, a.run, a.signal)) {
    throw new AttemptError("the upstream is being updated; its indexes are left for later", {
      retry: true,
    });
  }
  a.signal?.throwIfAborted();
  // The packages are on the disk before a database names them, whenever the power fails.
  await a.run({ command: "sync", args: ["-f", files.static] });
  const order = inOrder(plan.staged.keys(), profile.held);
  await switchOver({
    tree: files.static,
    stagedIn: stagedIn(a),
    aside: aside(a),
    order,
    items: plan.staged,
    typeChanges: plan.typeChanges,
  });
  const { go, keep } = splitDeletions(plan.deletions, needed, plan.typeChanges);
  for (const item of keep) a.runLog.write(`kept, still named by a database: ${item.path}`);
  for (const item of go) a.runLog.write(`deleted: ${item.path}${item.dir ? "/" : ""}`);
  await deleteAll(files.static, go, a.run);
  await publishMarkers(a);
  await leaveTrace(a);
  const deleted = go.filter((i) => !i.dir).length;
  return { outcome: "synced", plan, deleted, kept: keep.filter((i) => !i.dir).length };
}

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

async function fetchNew(a: Attempt, plan: Plan) {
  if ((await Deno.stat(plan.direct.list)).size === 0) return;
  await transfer({
    ...a,
    to: a.files.static,
    what: `${a.repo.name}: new files`,
    list: plan.direct.list,
    total: plan.direct,
  });
}

async function fetchStaged(a: Attempt, plan: Plan) {
  if (plan.staged.size === 0) return;
  const to = stagedIn(a);
  await Deno.mkdir(to, { recursive: true });
  await clearStale(to, plan);
  await transfer({
    ...a,
    to,
    what: `${a.repo.name}: what changed`,
    list: toBytes([...plan.staged.keys()].map((path) => `./${path}\0`).join("")),
    total: { bytes: plan.stagedBytes, files: plan.staged.size },
  });
  for (const path of asTexts(plan.staged.keys())) {
    if (!await exists(join(to, path))) throw new MovedError(`${path} vanished at the upstream`);
  }
}

/**
 * Makes way in what a stopped run staged, so that the transfer can go on with it: nothing of another
 * type is in the way, and a folder that will move as a whole holds nothing else.
 */
async function clearStale(stagedIn: string, plan: Plan) {
  for (const dir of asTexts(plan.typeChanges)) {
    await Deno.remove(join(stagedIn, dir), { recursive: true }).catch(() => {});
  }
  const look = lookInto(stagedIn);
  for (const [path, item] of plan.staged) {
    const there = look(path);
    if (there === "nothing" || there === (item.kind === "dir" ? "dir" : "other")) continue;
    await Deno.remove(join(stagedIn, toText(path)!), { recursive: true });
  }
}

/**
 * Proves that after the switch every database finds its files. Returns the raw paths that must not be
 * deleted. What is missing may have moved upstream meanwhile: then the plan is made anew.
 */
async function prove(a: Attempt, plan: Plan): Promise<Set<string>> {
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
    touched: a.ready ? touched : undefined,
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
  return a.ready ? result.needed : new Set();
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

/** Publishes the fetched markers, in order. One that is as before is left alone. */
export async function publishMarkers(a: Attempt) {
  for (const marker of a.profile.markers) {
    const from = join(markersIn(a), marker), to = join(a.files.static, marker);
    const text = await readText(from);
    if (text === undefined || text === await readText(to).catch(() => undefined)) continue;
    a.onChanges([fromText(marker)]);
    await Deno.mkdir(dirname(to), { recursive: true });
    await Deno.rename(from, to);
  }
}

/** Our own trace, as archvsync leaves it: who mirrors, when, from where. */
async function leaveTrace(a: Attempt) {
  if (!a.profile.trace) return;
  const path = join(a.profile.trace, a.host);
  const now = new Date(a.now() * 1000);
  const text = `${now.toUTCString()}\nDate: ${now.toUTCString()}\nCreator: mirrorkit\n` +
    `Running on host: ${a.host}\nUpstream-mirror: ${
      new URL(a.source.upstream, "file:").host || "local"
    }\n`;
  a.onChanges(asRaw([path]));
  await publishText(a.files.static, path, text, aside(a));
}

/** Leftovers of this run, and after a killed one those of its partial files anywhere in the tree. */
async function cleanUp(a: Attempt) {
  await Deno.remove(a.files.work, { recursive: true });
  if (!a.unclean) return;
  const others = a.others.flatMap((
    path,
  ) => ["-path", `./${path.replace(/\/$/, "")}`, "-prune", "-o"]);
  const rest = ["-type", "d", "-name", ".~tmp~", "-prune", "-exec", "rm", "-rf", "--", "{}", "+"];
  await a.run({ command: "find", args: [".", ...others, ...rest], cwd: a.files.static });
}
