/**
 * The switch: staged files are renamed into the tree, group after group, and what the plan says is
 * deleted. Each step leaves a tree in which every database that is served finds its packages.
 */
import { dirname, join } from "@std/path/posix";
import { fromText, toBytes, toText } from "../../formats/names.ts";
import { Failure } from "../lib/cli.ts";
import { exists } from "../lib/files.ts";
import type { Run } from "../lib/run.ts";
import type { Item } from "./rsync.ts";

/** The order in which staged paths are switched: what is held in no group first, then group after group. */
export function inOrder(staged: Iterable<string>, held: RegExp[]): string[] {
  const groups: string[][] = [[], ...held.map(() => [])];
  for (const path of staged) groups[held.findIndex((pattern) => pattern.test(path)) + 1].push(path);
  return groups.flat();
}

/** Moves what stands at `path` of the wrong type away to `aside`, so that a rename can take its place. */
async function makeWay(tree: string, path: string, aside: string) {
  await Deno.mkdir(aside, { recursive: true });
  await Deno.rename(join(tree, path), join(aside, crypto.randomUUID())).catch(ignoreMissing);
}

const ignoreMissing = (error: unknown) => {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
};

/** Renames staged files into the tree. `typeChanges` are raw paths that hold something of another type. */
export async function switchOver(
  { tree, stagedIn, aside, order, items, typeChanges }: {
    tree: string;
    stagedIn: string;
    aside: string;
    order: string[];
    items: Map<string, Item>;
    typeChanges: Set<string>;
  },
): Promise<void> {
  for (const raw of order) {
    const path = toText(raw)!;
    const from = join(stagedIn, path), to = join(tree, path);
    // Below a folder that was renamed as a whole there is nothing left to do.
    if (!await exists(from)) continue;
    if (typeChanges.has(raw)) await makeWay(tree, path, aside);
    await Deno.mkdir(dirname(to), { recursive: true });
    if (items.get(raw)?.kind === "dir" && await exists(to)) continue;
    await Deno.rename(from, to);
    await relink(tree, items.get(raw)!, to, aside);
  }
}

/** Makes one inode of two names that are one upstream, where the other name came in another transfer. */
async function relink(tree: string, item: Item, to: string, aside: string) {
  const other = item.hardLinkOf === undefined ? undefined : toText(item.hardLinkOf);
  if (other === undefined) return;
  try {
    const a = await Deno.lstat(to), b = await Deno.lstat(join(tree, other));
    const same = b.isFile && a.size === b.size && a.mtime?.getTime() === b.mtime?.getTime();
    if (!same || a.ino === b.ino) return;
    await Deno.mkdir(aside, { recursive: true });
    const link = join(aside, crypto.randomUUID());
    await Deno.link(join(tree, other), link);
    await Deno.rename(link, to);
  } catch (error) {
    ignoreMissing(error);
  }
}

/** Which of the planned deletions happen; the rest is still named by a database, or holds what is. */
export function splitDeletions(
  deletions: Item[],
  needed: Set<string>,
  typeChanges: Set<string>,
): { go: Item[]; keep: Item[] } {
  const go: Item[] = [], keep: Item[] = [];
  for (const item of deletions) {
    // What lay below a folder that became something else went with it; its path may lead elsewhere now.
    if ([...typeChanges].some((dir) => item.path === dir || item.path.startsWith(dir + "/"))) {
      continue;
    }
    (needed.has(item.path) ? keep : go).push(item);
  }
  return { go, keep };
}

/** Deletes files and links, then folders that are empty now. Names that Deno can't say go to rm(1). */
export async function deleteAll(tree: string, items: Item[], run: Run): Promise<void> {
  const sayable = items.filter((i) => toText(i.path) !== undefined);
  const raw = items.filter((i) => toText(i.path) === undefined);
  const depthFirst = (a: Item, b: Item) => b.path.length - a.path.length;
  await removeRaw(tree, raw.filter((i) => !i.dir), run, "rm", "-f");
  for (const item of sayable) if (!item.dir) await removeOne(tree, item);
  // All below a folder that can't be said can't be said either, so those go first.
  const dirs = raw.filter((i) => i.dir).sort(depthFirst);
  await removeRaw(tree, dirs, run, "rmdir", "--ignore-fail-on-non-empty");
  for (const item of sayable.filter((i) => i.dir).sort(depthFirst)) await removeOne(tree, item);
}

async function removeOne(tree: string, item: Item) {
  await Deno.remove(join(tree, toText(item.path)!)).catch((error) => {
    // A folder that still holds something that is kept stays with it.
    if (item.dir && (error as { code?: string }).code === "ENOTEMPTY") return;
    ignoreMissing(error);
  });
}

async function removeRaw(tree: string, items: Item[], run: Run, command: string, flag: string) {
  if (items.length === 0) return;
  const input = toBytes(items.map((i) => `./${i.path}\0`).join(""));
  const result = await run({ command: "xargs", args: ["-0", command, flag, "--"], cwd: tree }, {
    input,
  });
  if (result.code !== 0) throw new Failure(`Cannot delete below ${tree}: ${result.stderr.trim()}`);
}

/** Publishes a small file of our own: written in `aside`, on the same file system, and renamed. */
export async function publishText(tree: string, path: string, text: string, aside: string) {
  await Deno.mkdir(aside, { recursive: true });
  await Deno.mkdir(dirname(join(tree, path)), { recursive: true });
  const beside = join(aside, crypto.randomUUID());
  await Deno.writeTextFile(beside, text, { mode: 0o644 });
  await Deno.rename(beside, join(tree, path));
}

/** Raw form of paths given as text. */
export const asRaw = (paths: Iterable<string>) => [...paths].map(fromText);
