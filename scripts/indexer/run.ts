/** Bringing the listings of one repository up to date: which way, in what order, and what to tell. */
import type { Repo } from "../lib/config.ts";
import { EXIT, Failure, type Log } from "../lib/cli.ts";
import { isLocked, takeLock } from "../lib/lock.ts";
import { dropChanges, type RepoFiles, takeChanges } from "../lib/storage.ts";
import { Comparison } from "./check.ts";
import { Publication } from "./publish.ts";
import { isDirectory } from "./read.ts";
import { Scan, type Sink, type Subject } from "./scan.ts";
import {
  allDirs,
  dirLine,
  type DirState,
  readState,
  removeState,
  type State,
  writeState,
} from "./state.ts";
import { Table } from "./table.ts";
import { Detour } from "./look.ts";
import { Update } from "./update.ts";
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
  const who = `The indexer of ${repo.name}`;
  // A check writes nothing, not even a lock: a monitoring user may run it.
  if (how === "check" && await isLocked(files.indexLock)) {
    throw new Failure(
      `${who} is at work; a check now would see half of it.`,
      "Try again.",
      EXIT.busy,
    );
  }
  using _lock = how === "check" ? undefined : await takeLock(files.indexLock, who);
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
  const { files, how, log } = task, subject = subjectOf(task);
  const changes = await takeChanges(files);
  const read = () => readState(files.index, circumstances(subject));
  if (!isDirectory(subject.indexes)) Deno.mkdirSync(subject.indexes, { recursive: true });
  let outcome: Omit<Outcome, "seconds">;
  if (how === "full") outcome = await byScan(task, subject, () => undefined);
  else if (changes === undefined || changes === "everything") {
    outcome = await byScan(task, subject, read);
  } else {
    try {
      outcome = await byChanges(task, subject, read(), changes);
    } catch (error) {
      if (!(error instanceof Detour)) throw error;
      log.detail(`${task.repo.name}: looking at everything: ${error.message}`);
      // The update has entered changes into the state that it read: it has to be read anew.
      outcome = await byScan(task, subject, error.instead === "scan" ? read : () => undefined);
    }
  }
  if (changes !== undefined) await dropChanges(files);
  return outcome;
}

async function byChanges(
  task: Task,
  subject: Subject,
  state: State | undefined,
  changes: Set<string>,
) {
  if (!state) throw new Detour("full", "what the listings were made of is not known");
  using publication = new Publication(task.files.indexWork, { small: true });
  const update = new Update(subject, state, publication);
  await update.run(changes);
  await publish(
    task,
    subject,
    publication,
    state.dirs.edited || state.lookups.edited ? state : undefined,
  );
  const { problems, touched, entries } = update;
  const done = { dirs: state.dirs.size, rendered: touched, entries, problems };
  return report(task, "changes", done, publication.result);
}

async function byScan(task: Task, subject: Subject, read: () => State | undefined) {
  using publication = new Publication(task.files.indexWork);
  const { scan, old } = await look(subject, read, publication);
  const state = scan.changed ? stateOf(scan) : undefined;
  await publish(task, subject, publication, state);
  const { dirs, rendered, entries, problems } = scan;
  const done = { dirs: dirs.size, rendered, entries, problems };
  return report(task, old ? "scan" : "full", done, publication.result);
}

function stateOf({ dirs, lookups }: Scan): State {
  const lines = [...dirs].map(([path, state]) => dirLine(path, state));
  return { dirs: Table.of(lines), lookups: Table.of([...new Set(lookups)]) };
}

/** Publishes what was prepared and the state that goes with it. */
async function publish(
  { files }: Task,
  subject: Subject,
  publication: Publication,
  state: State | undefined,
): Promise<void> {
  if (!publication.empty) {
    await publication.settle();
    // Should we die from here on, the next run finds no state and compares everything.
    removeState(files.index);
    publication.publish();
  }
  if (state) writeState(files.index, state, circumstances(subject));
}

async function check(task: Task): Promise<Omit<Outcome, "seconds">> {
  const subject = subjectOf(task), comparison = new Comparison(subject.indexes);
  if (!isDirectory(subject.indexes)) {
    throw new Failure(`There is no listing of ${task.repo.name} yet.`, "Run the indexer first.");
  }
  const { scan } = await look(subject, () => undefined, comparison);
  const done = { dirs: scan.dirs.size, rendered: scan.rendered, entries: scan.entries };
  return {
    ...report(task, "check", { ...done, problems: scan.problems }, { written: 0, removed: 0 }),
    differences: comparison.differences,
  };
}

/** Walks the repository and says to `sink` what its listings should be. */
async function look(subject: Subject, read: () => State | undefined, sink: Sink & Broom) {
  let old: Map<string, DirState> | undefined, scan: Scan | undefined;
  const complaints = await walk(subject.static, [...subject.closed], () => {
    const state = read();
    old = state && allDirs(state);
    if (!old) sink.warm?.();
    return scan = new Scan(subject, old, sink);
  });
  if (!scan) throw new Error("the walk did not begin");
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
  await scan.finish();
  const { dirs, unreadable } = scan;
  if (old) sweepKnown(subject, new Set([...old.keys()].filter((dir) => !dirs.has(dir))), sink);
  else await sweepAll(subject, dirs, unreadable, sink);
  return { scan, old };
}

function report(
  { repo }: Task,
  mode: Outcome["mode"],
  done: Pick<Outcome, "dirs" | "rendered" | "entries" | "problems">,
  { written, removed }: { written: number; removed: number },
): Omit<Outcome, "seconds"> {
  return {
    repo: repo.name,
    mode,
    ...done,
    written,
    removed,
    differences: [],
  };
}
