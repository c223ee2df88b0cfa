/**
 * The gate of a repository, from syncrepo's side. An initial sync fills a folder in scratch space beside the
 * repositories, which no server shows, and when it is complete that is renamed into place. So until then not
 * even the repository's name is to be seen, by FTP either.
 *
 * Where the repository's folder is there already (a disk is mounted there, or a tree stood there before
 * mirrorkit took over), the scratch space is its own: its entries are renamed into that, and back when they
 * are proven complete. Meanwhile the folder has mode 700, so that FTP lists nothing of it but its name, and
 * opening it is one chmod(2). (At "/" others' folders stand in it, so there the names appear one after the
 * other, within a millisecond.) Mount points belong at the repository's folder, not below it: rename(2) does
 * not cross file systems.
 */
import { dirname, join } from "@std/path/posix";
import { Failure } from "../lib/cli.ts";
import { type Config, pathsOfOthers, type Repo } from "../lib/config.ts";
import { exists, writeWhole } from "../lib/files.ts";
import { offerModule, withdrawModule } from "../lib/gate.ts";
import { type RepoFiles, repoFiles } from "../lib/storage.ts";

const SCRATCH = ".~tmp~";

/** A folder beside the repositories. With one at "/" there is none: that is its own scratch space. */
const beside = ({ data, repos }: Config, { name }: Repo) =>
  repos.some(({ path }) => path === "/") ? undefined : join(data, "static", SCRATCH, `=${name}`);

/** True if what is in the one can be renamed to the other, which may not be there yet. */
async function oneFileSystem(root: string, path: string): Promise<boolean> {
  while (path.length > root.length && !await exists(path)) path = dirname(path);
  const [a, b] = await Promise.all([root, path].map((place) => Deno.stat(place)));
  return a.dev === b.dev;
}

/** Where an initial sync fetches to. */
async function closedTree(config: Config, repo: Repo, files: RepoFiles): Promise<string> {
  const place = beside(config, repo), own = join(files.work, "=initial");
  const root = join(config.data, "static");
  if (place === undefined) return own;
  if (!await exists(root)) return place;
  if (!await oneFileSystem(root, files.static)) return own;
  return await exists(place) || !await exists(files.static) ? place : own;
}

/** The files of a repository as an initial sync has them. */
export async function closedFiles(config: Config, repo: Repo): Promise<RepoFiles> {
  const files = repoFiles(config.data, repo);
  const tree = await closedTree(config, repo, files);
  return { ...files, static: tree, work: join(tree, SCRATCH) };
}

/** Where the tree of a repository is now, whether its gate is open or not. */
export async function currentTree(config: Config, repo: Repo): Promise<string> {
  const files = repoFiles(config.data, repo);
  if (await exists(files.ready)) return files.static;
  const closed = (await closedFiles(config, repo)).static;
  return await exists(closed) ? closed : files.static;
}

/** Closes the gate, and gives the files behind it. What was fetched or stood there before is gone on with. */
export async function closeGate(config: Config, repo: Repo): Promise<RepoFiles> {
  const files = repoFiles(config.data, repo), closed = await closedFiles(config, repo);
  await withdrawModule(config, repo);
  await Deno.mkdir(closed.static, { recursive: true });
  if (!await exists(files.static)) return closed;
  if (repo.path !== "/") await Deno.chmod(files.static, 0o700);
  await moveEntries(files.static, closed.static, pathsOfOthers(config, repo));
  return closed;
}

/** Opens it: the tree is complete, and all servers offer it from now on. */
export async function openGate(config: Config, repo: Repo, now: number): Promise<void> {
  const files = repoFiles(config.data, repo), closed = await closedFiles(config, repo);
  if (await exists(files.static)) {
    await moveEntries(closed.static, files.static, pathsOfOthers(config, repo));
    await Deno.remove(files.work, { recursive: true }).catch(ignoreMissing);
  } else {
    await Deno.chmod(closed.static, 0o755);
    await Deno.mkdir(dirname(files.static), { recursive: true });
    await Deno.rename(closed.static, files.static);
  }
  await removeBeside(config, repo);
  if (repo.path !== "/") await Deno.chmod(files.static, 0o755);
  await writeWhole(files.ready, `${now}\n`);
  await offerModule(config, repo);
}

const ignoreMissing = (error: unknown) => {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
};

/** Also what was begun there before a disk was mounted at the repository's own place. */
async function removeBeside(config: Config, repo: Repo) {
  const place = beside(config, repo);
  if (place === undefined) return;
  await Deno.remove(place, { recursive: true }).catch(ignoreMissing);
  await Deno.remove(dirname(place)).catch((error) => {
    if (error.code !== "ENOTEMPTY") ignoreMissing(error);
  });
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
