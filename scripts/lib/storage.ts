/** Where things stand below $DATA. Only this file knows the layout. */
import { join } from "@std/path/posix";
import { Failure } from "./cli.ts";
import { exists, readText, writeWhole } from "./files.ts";
import { waitForLock } from "./lock.ts";
import { readChanges, writeChanges } from "../../formats/changes.ts";
import { readStatus, type RepoStatus } from "../../formats/status.ts";

/** What is needed of a repository to find its files. */
export interface RepoPlace {
  name: string;
  /** Where it is served, with `/` at both ends. */
  path: string;
}

/** The paths of one repository. `static` and `indexes` end without a slash. */
export interface RepoFiles {
  static: string;
  indexes: string;
  status: string;
  changes: string;
  ready: string;
  lock: string;
  /**
   * Scratch space of `syncrepo`. It lies in the tree, so that renames from it never cross a file system
   * even where `static/` is a mount of its own, under rsync's name for partial files, which is never
   * listed or served.
   */
  work: string;
  /** Lists of the plan that is being carried out. */
  plan: string;
  log: string;
  /** What the indexer knows of its listings, its lock, and its scratch space. */
  index: string;
  indexLock: string;
  indexWork: string;
}

/** The paths of a repository in the storage `data`. */
export function repoFiles(data: string, repo: RepoPlace): RepoFiles {
  const state = (suffix: string) => join(data, "state", repo.name + suffix);
  return {
    static: join(data, "static", repo.path).replace(/\/$/, ""),
    indexes: join(data, "indexes", repo.path).replace(/\/$/, ""),
    status: state(".json"),
    changes: state(".changes"),
    ready: state(".ready"),
    lock: state(".lock"),
    work: join(data, "static", repo.path, ".~tmp~"),
    plan: state(".plan"),
    log: join(data, "state", "log"),
    index: state(".index"),
    indexLock: state(".index.lock"),
    indexWork: state(".index.work"),
  };
}

/** The folder of `healthz`: no repository's files have its name, as they all have an extension. */
export const healthzFolder = (data: string) => join(data, "state/healthz");

/** Where bwlimit keeps what it knows; `status.json` in it is for the server. */
export const bwlimitFolder = (data: string) => join(data, "state/bwlimit");

/** How the nodes of the mirror's name stand (formats/nodes.ts), where healthz runs. */
export const nodesFile = (data: string) => join(healthzFolder(data), "nodes.json");

/** Makes the storage's folders, or says in one message why it can't be used. */
export async function openStorage(
  data: string,
  rooms = ["static", "indexes", "state"],
): Promise<void> {
  for (const room of rooms) {
    const path = join(data, room);
    try {
      await Deno.mkdir(path, { recursive: true });
      if (!(await Deno.stat(path)).isDirectory) throw new Deno.errors.AlreadyExists();
      const probe = join(path, `.probe-${Deno.pid}`);
      await Deno.writeTextFile(probe, "");
      await Deno.remove(probe);
    } catch (error) {
      if (
        error instanceof Deno.errors.AlreadyExists || error instanceof Deno.errors.NotADirectory ||
        await isFile(path)
      ) {
        throw notDirectory(path);
      }
      if (
        error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable ||
        (error as { code?: string }).code === "EROFS"
      ) {
        throw new Failure(
          `Cannot write to ${path}: permission denied for user id ${Deno.uid()}.`,
          `Run as the owner of ${data}, or give it away with: chown -R USER ${data}`,
        );
      }
      if ((error as { code?: string }).code === "ENOSPC") {
        throw new Failure(`Cannot write to ${path}: the disk is full.`, `Free space on ${data}.`);
      }
      throw error;
    }
  }
}

/** Throws {@linkcode Failure} if something that is no directory stands where a tree should be. */
export async function refuseFile(path: string): Promise<void> {
  if (await isFile(path)) throw notDirectory(path);
}

const notDirectory = (path: string) =>
  new Failure(`Cannot use ${path}: it is not a directory.`, "Move it away.");

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then((s) => !s.isDirectory, () => false);
}

/** The status of a repository; `undefined` where there is none or it is damaged. */
export async function loadStatus(files: RepoFiles): Promise<RepoStatus | undefined> {
  const text = await readText(files.status);
  return text === undefined ? undefined : readStatus(text);
}

/** Publishes the status of a repository. */
export async function saveStatus(files: RepoFiles, status: RepoStatus): Promise<void> {
  await writeWhole(files.status, JSON.stringify(status, null, 1) + "\n");
}

/** True once the initial sync of a repository has completed. */
export function isReady(files: RepoFiles): Promise<boolean> {
  return exists(files.ready);
}

/** Adds raw paths (or `"everything"`) to the change list that waits for the indexer. */
export async function addChanges(
  files: RepoFiles,
  rawPaths: Iterable<string> | "everything",
): Promise<void> {
  const text = writeChanges(rawPaths);
  if (text === "") return;
  using _lock = await waitForLock(files.changes + ".lock");
  await Deno.writeTextFile(files.changes, text, { append: true });
}

/**
 * Takes the change list away from `syncrepo` for the indexer: its content, or `undefined` where nothing
 * is waiting. It is gone only once {@linkcode dropChanges} is called, so a crash in between repeats it.
 */
export async function takeChanges(
  files: RepoFiles,
): Promise<Set<string> | "everything" | undefined> {
  const taken = files.changes + ".taken";
  using _lock = await waitForLock(files.changes + ".lock");
  const old = await readText(taken), fresh = await readText(files.changes);
  if (old === undefined && fresh === undefined) return undefined;
  if (fresh !== undefined) {
    await writeWhole(taken, (old ?? "") + fresh);
    await Deno.remove(files.changes);
  }
  return readChanges((old ?? "") + (fresh ?? ""));
}

/** Forgets the change list that was taken: all of it is in the listings now. */
export async function dropChanges(files: RepoFiles): Promise<void> {
  await Deno.remove(files.changes + ".taken").catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
