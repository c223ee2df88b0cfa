/**
 * One attempt to bring a repository up to date from one upstream: markers → plan → new files → staged
 * files → proof → switch → deletion → markers. Whatever happens in between, the tree that is served
 * stays complete, and the next attempt goes on from there.
 */
import { join } from "@std/path/posix";
import { toBytes, toText } from "../../formats/names.ts";
import type { Log } from "../lib/cli.ts";
import type { Repo } from "../lib/config.ts";
import { exists } from "../lib/files.ts";
import type { Run } from "../lib/run.ts";
import type { RepoFiles } from "../lib/storage.ts";
import type { Profile } from "../profiles/profile.ts";
import { AttemptError, MovedError } from "./attempt_error.ts";
import { checkedPlan, prove } from "./checks.ts";
import { leaveTrace, publishMarkers, readMarkers } from "./markers.ts";
import { isEmpty, lookInto, type Plan } from "./plan.ts";
import { deleteAll, inOrder, splitDeletions, switchOver } from "./publish.ts";
import type { Source } from "./rsync.ts";
import type { RunLog } from "./runlog.ts";
import { transfer } from "./transfer.ts";
import { isUpdating } from "./upstream.ts";
import { asTexts } from "./verify.ts";

/** How often a plan is made anew when the upstream moves under it. */
const ROUNDS = 3;

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

/** Where staged files wait for the switch. */
export const stagedIn = (a: Attempt) => join(a.files.work, "=staged");
/** Where fetched markers wait. */
export const markersIn = (a: Attempt) => join(a.files.work, "=markers");
/** Where what is replaced by another type is moved. */
export const aside = (a: Attempt) => join(a.files.work, "=aside");

/** Runs an attempt. Throws {@linkcode AttemptError} when this upstream can't serve us now. */
export async function attempt(a: Attempt): Promise<Result> {
  // Files that a killed rsync left half-written; what it can go on with lies in `.~tmp~` itself.
  await Deno.remove(a.source.tempDir, { recursive: true }).catch(() => {});
  await Deno.remove(aside(a), { recursive: true }).catch(() => {});
  await Deno.mkdir(a.source.tempDir, { recursive: true });
  const since = Date.now();
  let changed = false;
  const onChanges: Attempt["onChanges"] = (changes) => {
    changed = true;
    a.onChanges(changes);
  };
  const result = await comparedOrCarriedOut({ ...a, onChanges });
  if (changed && a.ready) {
    await new Promise((resolve) => setTimeout(resolve, restOfSecond(since, Date.now())));
  }
  await cleanUp(a);
  return result;
}

/**
 * Milliseconds until another second has begun than the one of `sinceMs`, 0 if that is over. Where no scratch
 * space stands, nginx uses an open file again within the second in which it was opened
 * (server/nginx/nginx.conf). So that must stand longer.
 */
export function restOfSecond(sinceMs: number, nowMs: number): number {
  // A tenth more: nginx looks at its clock once for all requests that have come.
  return Math.max(0, Math.floor(sinceMs / 1000) * 1000 + 1100 - nowMs);
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
  await flush(a);
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

/** The packages are on the disk before a database names them, whenever the power fails: syncfs(2). */
async function flush({ files, run }: Attempt) {
  const { code, stderr } = await run({ command: "sync", args: ["-f", files.static] });
  if (code === 0) return;
  throw new AttemptError(`cannot write to ${files.static}: ${stderr.trim()}`, {
    retry: false,
    hint: "What came is not safe on the disk, so nothing was published. Look at the disk.",
  });
}
