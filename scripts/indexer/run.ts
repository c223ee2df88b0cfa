/** Bringing the listings of one repository up to date: which way, in what order, and what to tell. */
import type { Repo } from "../lib/config.ts";
import { Failure, type Log } from "../lib/cli.ts";
import { takeLock } from "../lib/lock.ts";
import { dropChanges, type RepoFiles, takeChanges } from "../lib/storage.ts";
import { Comparison } from "./check.ts";
import { isDirectory, Publication } from "./publish.ts";
import { Scan, type Sink, type Subject } from "./scan.ts";
import { readState, removeState, type State, writeState } from "./state.ts";
import { type Broom, sweepAll, sweepKnown } from "./sweep.ts";
import { walk } from "./walk.ts";

/** What is to be done. */
export interface Task {
  repo: Pick<Repo, "name" | "path">;
  files: RepoFiles;
  /** Directories of other repositories inside this one, as `archlinux/`. */
  others: string[];
  /** Rebuild and compare everything, or compare without writing. */
  how?: "full" | "check";
  log: Log;
}

/** What was done. `full` looked at everything and compared every listing, `scan` only what changed. */
export interface Outcome {
  repo: string;
  mode: "full" | "scan" | "changes" | "check";
  /** Directories in the repository, and how many of them had their listing made anew. */
  dirs: number;
  rendered: number;
  /** Entries in those. */
  entries: number;
  written: number;
  removed: number;
  /** What could not be done as it should, as text. */
  problems: string[];
  /** Only of a check. */
  differences: string[];
  seconds: number;
}

const subjectOf = ({ repo, files, others }: Task): Subject => ({
  path: repo.path,
  static: files.static,
  indexes: files.indexes,
  closed: new Set(others.map((path) => path.replace(/\/$/, ""))),
});

/** Indexes one repository. Throws a {@linkcode Failure} where that can't be done at all. */
export async function index(task: Task): Promise<Outcome> {
  const started = performance.now(), { repo, files, how } = task;
  using _lock = await takeLock(files.indexLock, `The indexer of ${repo.name}`);
  if (!isDirectory(files.static) && !isLinkToDirectory(files.static)) {
    throw new Failure(
      `Nothing to index for ${repo.name}: ${files.static} does not exist.`,
      `Fetch it first with: deno task sync:init ${repo.name}`,
    );
  }
  const outcome = how === "check" ? await check(task) : await update(task);
  return { ...outcome, seconds: Math.round(performance.now() - started) / 1000 };
}

function isLinkToDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

const circumstances = (subject: Subject) => ({
  closed: [...subject.closed],
  indexes: subject.indexes,
});

async function update(task: Task): Promise<Omit<Outcome, "seconds">> {
  const { files } = task, subject = subjectOf(task);
  const changes = await takeChanges(files);
  const old = task.how === "full" ? undefined : readState(files.index, circumstances(subject));
  if (!isDirectory(subject.indexes)) Deno.mkdirSync(subject.indexes, { recursive: true });
  using publication = new Publication(files.indexWork);
  const scan = await look(subject, old, publication);
  if (!publication.empty) {
    // Should we die from here on, the next run finds no state and compares everything.
    removeState(files.index);
    publication.publish();
  }
  if (!old || scan.changed) writeState(files.index, scan, circumstances(subject));
  if (changes !== undefined) await dropChanges(files);
  return report(task, old ? "scan" : "full", scan, publication.result);
}

async function check(task: Task): Promise<Omit<Outcome, "seconds">> {
  const subject = subjectOf(task), comparison = new Comparison(subject.indexes);
  if (!isDirectory(subject.indexes)) {
    throw new Failure(`There is no listing of ${task.repo.name} yet.`, "Run the indexer first.");
  }
  const scan = await look(subject, undefined, comparison);
  return {
    ...report(task, "check", scan, { written: 0, removed: 0 }),
    differences: comparison.differences,
  };
}

/** Walks the repository and says to `sink` what its listings should be. */
async function look(
  subject: Subject,
  old: State | undefined,
  sink: Sink & Broom,
): Promise<Scan> {
  const scan = new Scan(subject, old, sink);
  const complaints = await walk(subject.static, [...subject.closed], scan);
  if (complaints.other.length > 0) {
    throw new Failure(
      `Cannot look at all of ${subject.static}: ${complaints.other[0]}`,
      "The listings stay as they are. Look at the disk, then run the indexer again.",
    );
  }
  for (const path of complaints.denied) {
    scan.problems.push(`${path}: permission denied; what was known of it stays listed`);
  }
  if (scan.unreadable.includes("")) throw new Failure(`Cannot read ${subject.static}.`);
  scan.finish();
  if (old) {
    sweepKnown(subject, new Set([...old.dirs.keys()].filter((d) => !scan.dirs.has(d))), sink);
  } else {
    await sweepAll(subject, scan.dirs, scan.unreadable, sink);
  }
  return scan;
}

function report(
  { repo }: Task,
  mode: Outcome["mode"],
  { dirs, rendered, entries, problems }: Scan,
  { written, removed }: { written: number; removed: number },
): Omit<Outcome, "seconds"> {
  return {
    repo: repo.name,
    mode,
    dirs: dirs.size,
    rendered,
    entries,
    written,
    removed,
    problems,
    differences: [],
  };
}
