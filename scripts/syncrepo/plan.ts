/**
 * The plan of a run: one look at the whole upstream (`rsync --dry-run`) says what is new, what replaces
 * something, and what goes. The transfers afterwards name exactly those files, so the upstream lists its
 * tree once a run, and what is deleted is what was planned.
 */
import { join } from "@std/path/posix";
import { MAX_CHANGES } from "../../formats/changes.ts";
import { toBytes, toText } from "../../formats/names.ts";
import { count } from "../../formats/units.ts";
import type { Run } from "../lib/run.ts";
import type { Profile } from "../profiles/profile.ts";
import { AttemptError } from "./attempt_error.ts";
import {
  explainExit,
  type Item,
  newToken,
  patience,
  readItem,
  readStats,
  rsync,
  type Source,
  type Stats,
} from "./rsync.ts";
import type { RunLog } from "./runlog.ts";

export interface Plan {
  /** New regular files and folders: into the tree at once. `list` is a NUL-separated file of paths. */
  direct: { list: string; items: number; files: number; bytes: number };
  /**
   * What clients would notice: databases, links, all that replaces something, and all below a folder
   * that replaces something else. By raw path, in rsync's order.
   */
  staged: Map<string, Item>;
  stagedBytes: number;
  /** Paths that are a folder on one side and something else on the other. */
  typeChanges: Set<string>;
  /** What the upstream does not have any more; folders after their content. */
  deletions: Item[];
  /** Of these, files and links. */
  deleted: number;
  /** Files and links in our tree now. */
  local: number;
  added: number;
  changed: number;
  /** Raw paths for the indexer. */
  changes: string[] | "everything";
  upstream: Stats;
}

/** True if there is nothing to transfer or delete. */
export const isEmpty = (plan: Plan) =>
  plan.direct.items === 0 && plan.staged.size === 0 && plan.deletions.length === 0;

/** What stands at a path of our tree: nothing, a folder, or anything else. */
export type Look = (rawPath: string) => "nothing" | "dir" | "other";

/** Looks into the tree at `root`. */
export const lookInto = (root: string): Look => (rawPath) => {
  const path = toText(rawPath);
  if (path === undefined) return "nothing";
  try {
    return Deno.lstatSync(join(root, path)).isDirectory ? "dir" : "other";
  } catch {
    return "nothing";
  }
};

/** Collects items into a plan; the one place that decides what is staged. */
export class Planner {
  readonly plan: Plan;
  private newDir: string | undefined;

  constructor(
    list: string,
    private readonly profile: Pick<Profile, "held">,
    private readonly look: Look,
    private readonly addDirect: (rawPath: string) => void,
  ) {
    this.plan = {
      direct: { list, items: 0, files: 0, bytes: 0 },
      staged: new Map(),
      stagedBytes: 0,
      typeChanges: new Set(),
      deletions: [],
      deleted: 0,
      local: 0,
      added: 0,
      changed: 0,
      changes: [],
      upstream: { files: 0, regular: 0, links: 0, bytes: 0 },
    };
  }

  add(item: Item) {
    const { plan } = this;
    if (item.path === "" || item.path === ".") return;
    this.note(item);
    if (item.kind === "delete") {
      plan.deletions.push(item);
      if (!item.dir) plan.deleted++;
      return;
    }
    if (item.kind !== "dir") item.created ? plan.added++ : plan.changed++;
    if (this.isStaged(item)) {
      plan.staged.set(item.path, item);
      plan.stagedBytes += item.kind === "file" && item.content ? item.bytes : 0;
      return;
    }
    this.addDirect(item.path);
    plan.direct.items++;
    // So that rsync sees both names of a hard link in one transfer.
    if (item.hardLinkOf !== undefined) this.addDirect(item.hardLinkOf);
    if (item.kind === "dir") return;
    plan.direct.files++;
    plan.direct.bytes += item.content && item.hardLinkOf === undefined ? item.bytes : 0;
  }

  private isStaged(item: Item): boolean {
    // Deno can't name it, so we can't switch it; rsync replaces it by rename as well.
    if (toText(item.path) === undefined) return false;
    if (this.changesType(item)) return true;
    if (item.kind === "dir") return false;
    const isNews = item.created || item.content;
    return isNews && (item.kind === "link" || !item.created) ||
      this.profile.held.some((pattern) => pattern.test(item.path)) ||
      item.hardLinkOf !== undefined && this.plan.staged.has(item.hardLinkOf);
  }

  /** True for what replaces something of another type, and for all below such a folder. */
  private changesType(item: Item): boolean {
    const { typeChanges } = this.plan;
    for (const dir of typeChanges) if (item.path.startsWith(dir + "/")) return true;
    if (!item.created || this.newDir !== undefined && item.path.startsWith(this.newDir + "/")) {
      return false;
    }
    const here = this.look(item.path);
    if (here === "nothing") {
      if (item.kind === "dir") this.newDir = item.path;
      return false;
    }
    if (here !== (item.kind === "dir" ? "dir" : "other")) typeChanges.add(item.path);
    return true;
  }

  private note(item: Item) {
    const { plan } = this;
    if (plan.changes === "everything") return;
    if (plan.changes.length >= MAX_CHANGES) plan.changes = "everything";
    else plan.changes.push(item.path + (item.dir || item.kind === "dir" ? "/" : ""));
  }
}

/** Why a plan's deletions must not happen, or `undefined`. Pure. */
export function refusal(
  plan: Pick<Plan, "deleted" | "local">,
  limits: { percent: number; files: number },
  allowed: number | undefined,
): string | undefined {
  const { deleted, local } = plan;
  const most = Math.min(limits.files, Math.floor(local * limits.percent / 100));
  if (deleted <= Math.max(most, allowed ?? 0)) return undefined;
  const share = local > 0 ? ` (${Math.round(deleted / local * 100)} %)` : "";
  return `the upstream lacks ${count(deleted, "file")} of our ${
    local.toLocaleString("en-US")
  }${share}; ` +
    `max_delete allows ${most.toLocaleString("en-US")}, so nothing is deleted and nothing fetched`;
}

/**
 * Makes the plan for bringing the directory `tree` to what `source` has. Writes `list`. Throws
 * {@linkcode AttemptError} if the upstream can't be listed whole, or lists no file at all.
 */
export async function makePlan(
  { source, tree, list, profile, run, runLog, signal }: {
    source: Source;
    tree: string;
    list: string;
    profile: Profile;
    run: Run;
    /** Told what rsync leaves out: unsafe links, devices. */
    runLog?: Pick<RunLog, "write">;
    signal?: AbortSignal;
  },
): Promise<Plan> {
  using out = await Deno.open(list, { write: true, create: true, truncate: true });
  let buffer: Uint8Array[] = [], buffered = 0;
  const flush = () => {
    for (const bytes of buffer) {
      for (let at = 0; at < bytes.length;) at += out.writeSync(bytes.subarray(at));
    }
    buffer = [];
    buffered = 0;
  };
  const planner = new Planner(list, profile, lookInto(tree), (path) => {
    // "./" keeps rsync from reading a name that starts with # or ; as a comment.
    buffered += buffer.push(toBytes(`./${path}\0`));
    if (buffered > 1000) flush();
  });
  const { plan } = planner;
  const token = newToken();
  const program = rsync(source, tree + "/", token, "-r", "--dry-run", "--delete", "--stats");
  const result = await run(program, {
    ...patience(source),
    signal,
    onLine: (line) => {
      const item = readItem(line, token);
      if (item) planner.add(item);
      else if (/^(?:ignoring|skipping) /.test(line)) runLog?.write(line);
      else readStats(line, plan.upstream);
    },
  });
  if (result.code !== 0) {
    const { message, retry } = explainExit(result);
    throw new AttemptError(`the upstream could not be listed: ${message}`, { retry });
  }
  flush();
  if (plan.upstream.regular === 0) {
    throw new AttemptError("the upstream lists no file at all; nothing was touched", {
      retry: false,
    });
  }
  plan.local = plan.upstream.regular + plan.upstream.links - plan.added + plan.deleted;
  return plan;
}
