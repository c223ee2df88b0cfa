/** The storage as the server sees it: read-only, and nothing of it that does not belong to a repository. */
import type { Config, Repo } from "../scripts/lib/config.ts";
import { repoAt } from "../scripts/lib/config.ts";
import { isLocked } from "../scripts/lib/lock.ts";
import { loadStatus, type RepoFiles, repoFiles } from "../scripts/lib/storage.ts";
import type { RepoStatus } from "../formats/status.ts";
import { isTemporary } from "./path.ts";

/** Something that stands in a repository, with links followed. */
export interface Place {
  /** Where it really is in the file system: no component of it is a link. */
  real: string;
  /** Its path as a URL path (text form), without a slash at its end. */
  path: string;
  info: Deno.FileInfo;
}

/** Why there is nothing: it is not there (or leads out of the repository), or may not be read. */
export type Nothing = "missing" | "forbidden";

/**
 * Turns errors that mean "there is nothing to serve" into values; all others are real trouble.
 *
 * Names are looked up without leaving the event loop, as nginx does it in its worker: that takes some
 * microseconds, where a hop to another thread and back takes forty. Only reading large files is left to
 * other threads.
 */
function nothingOr<T>(work: () => T): T | Nothing {
  try {
    return work();
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return "forbidden";
    const missing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory ||
      error instanceof Deno.errors.FilesystemLoop ||
      (error as { code?: string }).code === "ENAMETOOLONG";
    if (missing) return "missing";
    throw error;
  }
}

const sameFile = (a: Deno.FileInfo, b: Deno.FileInfo) => a.ino === b.ino && a.dev === b.dev;

/** The repositories of a configuration and their files. */
export class Store {
  /** Real paths of the repositories' roots: an operator may have put one on another disk by a link. */
  #roots = new Map<Repo, string>();

  constructor(readonly config: Config) {}

  repoAt(path: string): Repo | undefined {
    return repoAt(this.config.repos, path);
  }

  files(repo: Repo): RepoFiles {
    return repoFiles(this.config.data, repo);
  }

  /** True once the initial sync has completed; asked anew each time, so the gate opens by itself. */
  ready(repo: Repo): boolean {
    return nothingOr(() => Deno.lstatSync(this.files(repo).ready)) !== "missing";
  }

  /** The last status. One that says `running` though nobody holds the lock is that of a killed sync. */
  async status(repo: Repo): Promise<RepoStatus | undefined> {
    const files = this.files(repo);
    const [status, size] = await Promise.all([loadStatus(files), this.#listedSize(files)]);
    if (!status) return undefined;
    const outcome = status.outcome === "running" && !await isLocked(files.lock, 0)
      ? "interrupted"
      : status.outcome;
    return { ...status, outcome, size: size ?? status.size };
  }

  /** True while a scheduler is at work: without one, the next run of a status is a plan that nobody keeps. */
  scheduled(): Promise<boolean> {
    return isLocked(`${this.config.data}/state/scheduler.lock`, 0);
  }

  /** When the listing of a repository's root was written; any change below it changes that one. */
  indexedAt(repo: Repo): number | null {
    const info = nothingOr(() => Deno.statSync(`${this.files(repo).indexes}/index.json`));
    return typeof info === "string" ? null : Math.floor((info.mtime?.getTime() ?? 0) / 1000);
  }

  /** What the listing of a repository's root counts, which is what is served; from its first line. */
  async #listedSize(files: RepoFiles): Promise<RepoStatus["size"] | undefined> {
    try {
      using file = await Deno.open(`${files.indexes}/index.json`);
      const buffer = new Uint8Array(4096);
      const text = new TextDecoder().decode(buffer.subarray(0, await file.read(buffer) ?? 0));
      const { bytes, files: count } = JSON.parse(text.slice(0, text.indexOf("\n")) + "]}");
      return Number.isFinite(bytes) && Number.isFinite(count) ? { bytes, files: count } : undefined;
    } catch {
      return undefined;
    }
  }

  /** What stands at a URL path of a repository. */
  locate(repo: Repo, path: string): Place | Nothing {
    return nothingOr(() => {
      const files = this.files(repo);
      const below = path.slice(repo.path.length);
      const real = Deno.realPathSync(below ? `${files.static}/${below}` : files.static);
      let root = this.#roots.get(repo);
      if (root === undefined || real !== root && !real.startsWith(root + "/")) {
        root = Deno.realPathSync(files.static);
        this.#roots.set(repo, root);
      }
      if (real !== root && !real.startsWith(root + "/")) return "missing";
      const place = repo.path.slice(0, -1) + real.slice(root.length);
      // A link of the repository at "/" must not lead past the gate of another one.
      if (isTemporary(place) || this.repoAt(place + "/") !== repo) return "missing";
      return { real, path: place, info: Deno.lstatSync(real) };
    });
  }

  /**
   * Opens a located file. Between looking and opening, names may have been changed under us: what was
   * opened is given out only if it is what stood at its path before or stands there now, and the path is
   * still free of links. (Deno has no openat2(2) with RESOLVE_BENEATH; this is as near as one gets.)
   * `"missing"` means: look again.
   */
  open(place: Place): Deno.FsFile | Nothing {
    return nothingOr(() => {
      const file = Deno.openSync(place.real, { read: true });
      try {
        const opened = file.statSync(), now = Deno.lstatSync(place.real);
        const real = Deno.realPathSync(place.real);
        const same = sameFile(opened, place.info) || sameFile(opened, now);
        if (opened.isFile && same && real === place.real) return file;
      } catch (error) {
        file.close();
        throw error;
      }
      file.close();
      return "missing";
    });
  }

  /** A file of the indexer's, `index.json` or another, for a directory of a repository. */
  openListing(repo: Repo, directory: string, name: string): Deno.FsFile | Nothing {
    const below = (directory + "/").slice(repo.path.length);
    return nothingOr(() =>
      Deno.openSync(`${this.files(repo).indexes}/${below}${name}`, { read: true })
    );
  }
}
