/**
 * The gate of a repository, from syncrepo's side. An initial sync fills a folder inside the tree's scratch
 * space, which no server shows, so a partial tree is nowhere to be seen; when it is complete, its entries
 * are renamed into place. Meanwhile the repository's folder has mode 700, so that FTP does not even list
 * it, and opening that is one chmod(2). (At "/" others' folders stand in it, so there the names appear one
 * after the other, within a millisecond.)
 *
 * A tree that was there before mirrorkit took over is closed in the same way until it is proven complete.
 * Mount points belong at the repository's folder, not below it: rename(2) does not cross file systems.
 */
import { join } from "@std/path/posix";
import { Failure } from "../lib/cli.ts";
import { type Config, pathsOfOthers, type Repo } from "../lib/config.ts";
import { exists, writeWhole } from "../lib/files.ts";
import { offerModule, withdrawModule } from "../lib/gate.ts";
import { type RepoFiles, repoFiles } from "../lib/storage.ts";

const SCRATCH = ".~tmp~";

/** The files of a repository as an initial sync has them. */
export function closedFiles(files: RepoFiles): RepoFiles {
  const tree = join(files.work, "=initial");
  return { ...files, static: tree, work: join(tree, SCRATCH) };
}

/** Where the tree of a repository is now, whether its gate is open or not. */
export async function currentTree(config: Config, repo: Repo): Promise<string> {
  const files = repoFiles(config.data, repo), closed = closedFiles(files).static;
  return !await exists(files.ready) && await exists(closed) ? closed : files.static;
}

/** Closes the gate. What an earlier run fetched, or stood there before, is gone on with. */
export async function closeGate(config: Config, repo: Repo): Promise<void> {
  const files = repoFiles(config.data, repo), closed = closedFiles(files);
  await withdrawModule(config, repo);
  await Deno.mkdir(closed.static, { recursive: true });
  if (repo.path !== "/") await Deno.chmod(files.static, 0o700);
  await moveEntries(files.static, closed.static, pathsOfOthers(config, repo));
}

/** Opens it: the tree is complete, and all servers offer it from now on. */
export async function openGate(config: Config, repo: Repo, now: number): Promise<void> {
  const files = repoFiles(config.data, repo), closed = closedFiles(files);
  await moveEntries(closed.static, files.static, pathsOfOthers(config, repo));
  await Deno.remove(files.work, { recursive: true });
  if (repo.path !== "/") await Deno.chmod(files.static, 0o755);
  await writeWhole(files.ready, `${now}\n`);
  await offerModule(config, repo);
}

/** What has to be there before anything that names it. */
const rank = ({ name, isDirectory }: Deno.DirEntry) => name === "pool" ? 0 : isDirectory ? 1 : 2;

/** Renames what stands in one folder into another; scratch space and others' paths stay where they are. */
async function moveEntries(from: string, to: string, others: string[]): Promise<void> {
  const entries = await Array.fromAsync(Deno.readDir(from));
  for (const entry of entries.sort((a, b) => rank(a) - rank(b))) {
    const path = `${entry.name}/`;
    if (entry.name === SCRATCH || others.includes(path)) continue;
    const source = join(from, entry.name), target = join(to, entry.name);
    const below = others.filter((other) => other.startsWith(path));
    if (below.length && entry.isDirectory) {
      await Deno.mkdir(target, { recursive: true });
      await moveEntries(source, target, below.map((other) => other.slice(path.length)));
    } else {
      await Deno.rename(source, target).catch((error) => explain(error, source));
    }
  }
}

function explain(error: Error & { code?: string }, path: string): never {
  if (error.code !== "EXDEV" && error.code !== "EBUSY") throw error;
  throw new Failure(
    `${path} cannot be moved: a file system is mounted there.`,
    "Mount it at the repository's own folder, not below.",
  );
}
