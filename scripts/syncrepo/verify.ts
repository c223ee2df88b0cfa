/**
 * The proof that what will be served is complete: every file that a database names is there, with its
 * size. It looks at the tree as it will be after the switch: staged files first, then the tree.
 */
import { basename, dirname, join, normalize } from "@std/path/posix";
import { fromText, toDisplay, toText } from "../../formats/names.ts";
import { Failure } from "../lib/cli.ts";
import { exists } from "../lib/files.ts";
import type { Run } from "../lib/run.ts";
import type { Database, Named, Profile } from "../profiles/profile.ts";

/** The tree after the switch. */
export interface Overlay {
  tree: string;
  /** Where staged files lie, and which paths (text) are staged. */
  stagedIn: string;
  staged: Set<string>;
}

/** A file at the end of a path, links followed: its size and the real path; `undefined` where there is none. */
export function find(
  overlay: Overlay,
  path: string,
): { bytes: number; realPath: string } | undefined {
  for (let hops = 0; hops < 16; hops++) {
    // What a database names is hostile input: a path that leaves the tree leads nowhere.
    path = normalize(path);
    if (path.startsWith("../") || path === "..") return undefined;
    const at = join(overlay.staged.has(path) ? overlay.stagedIn : overlay.tree, path);
    try {
      const info = Deno.lstatSync(at);
      if (info.isFile) return { bytes: info.size, realPath: path };
      if (!info.isSymlink) return undefined;
      path = join(dirname(path), Deno.readLinkSync(at));
    } catch {
      return undefined;
    }
  }
  return undefined;
}

/** Something that a database names and the tree lacks. */
export interface Gap {
  database: string;
  path: string;
  problem: string;
}

/** What is wrong with one named file, or `undefined`. */
export function gapOf(overlay: Overlay, database: string, named: Named): Gap | undefined {
  const there = find(overlay, named.path);
  if (!there) {
    return named.optional ? undefined : { database, path: named.path, problem: "is missing" };
  }
  if (named.bytes !== undefined && there.bytes !== named.bytes) {
    const problem = `has ${there.bytes} bytes, not ${named.bytes}`;
    return { database, path: named.path, problem };
  }
  return undefined;
}

/** Of databases that say the same in different packings, the one that is quickest to read. */
export function onePacking(paths: string[], databases: Database[]): [string, Database][] {
  const best = new Map<string, { path: string; rank: number; database: Database }>();
  for (const path of paths) {
    const database = databases.find((d) => d.match.test(path));
    if (!database) continue;
    const { key, rank } = database.sameAs?.(path) ?? { key: path, rank: 0 };
    const other = best.get(key);
    if (!other || rank < other.rank) best.set(key, { path, rank, database });
  }
  return [...best.values()].map(({ path, database }) => [path, database]);
}

/** The databases of a tree, as relative paths; `others` are paths of other repositories inside it. */
export async function findDatabases(
  tree: string,
  profile: Profile,
  run: Run,
  others: string[] = [],
): Promise<string[]> {
  const { below, prune } = profile.databasesIn;
  const roots = [];
  for (const dir of below) {
    if (await exists(join(tree, dir))) roots.push(dir === "." ? "." : `./${dir}`);
  }
  if (roots.length === 0) return [];
  const skip = [".~tmp~", ...prune].flatMap((name, i) => [...(i ? ["-o"] : []), "-name", name]);
  const found: string[] = [];
  const result = await run({
    command: "find",
    args: [
      ...roots,
      ...others.flatMap((path) => ["-path", `./${path.replace(/\/$/, "")}`, "-prune", "-o"]),
      ...["-type", "d", "(", ...skip, ")", "-prune", "-o", "-type", "f", "-print"],
    ],
    cwd: tree,
  }, {
    onLine: (line) => {
      const path = line.replace(/^(?:\.\/)+/, "");
      if (profile.databases.some((d) => d.match.test(path))) found.push(path);
    },
  });
  if (result.code !== 0) throw new Failure(`Cannot look through ${tree}: ${result.stderr.trim()}`);
  return found;
}

/** What a check found out. */
export interface Verification {
  databases: number;
  /** Files that were compared. */
  files: number;
  gaps: Gap[];
  /** Real and named paths, of those in `touched`, that some database names: they must stay. */
  needed: Set<string>;
}

/**
 * Checks `databases` against the overlay. With `touched` (raw paths that are replaced or deleted), only
 * names that lead to one of them are compared in databases that are not staged themselves, but with `all`
 * every name is.
 */
export async function verify(
  { overlay, databases, profile, touched, all, run, signal }: {
    overlay: Overlay;
    databases: string[];
    profile: Profile;
    touched?: Set<string>;
    all?: boolean;
    run: Run;
    signal?: AbortSignal;
  },
): Promise<Verification> {
  const result: Verification = { databases: 0, files: 0, gaps: [], needed: new Set() };
  const touchedNames = touched && new Set([...touched].map((path) => basename(path)));
  for (const [path, database] of onePacking(databases, profile.databases)) {
    const isStaged = overlay.staged.has(path);
    const file = join(isStaged ? overlay.stagedIn : overlay.tree, path);
    const take = (named: Named) => {
      const isTouched = touchedNames?.has(fromText(basename(named.path)));
      if (touched && !all && !isStaged && !isTouched) return;
      result.files++;
      const gap = gapOf(overlay, path, named);
      if (gap) result.gaps.push(gap);
      if (isTouched) need(result.needed, overlay, named.path);
    };
    const parser = database.parser(path);
    const [command, ...args] = [...database.read(path), file];
    const end = await run({ command, args }, {
      signal,
      onLine: (line) => parser(line).forEach(take),
    });
    parser(undefined).forEach(take);
    result.databases++;
    if (end.code !== 0) {
      const why = end.stderr.trim().split("\n")[0];
      result.gaps.push({ database: path, path, problem: `cannot be read: ${why}` });
    }
  }
  return result;
}

/** A named path, the links on its way, and the file at its end. */
function need(needed: Set<string>, overlay: Overlay, path: string) {
  for (const p of [path, find(overlay, path)?.realPath ?? path]) {
    needed.add(fromText(p));
    needed.add(fromText(p + ".sig"));
  }
}

/** Some gaps in words. */
export function describeGaps(gaps: Gap[]): string {
  const shown = gaps.slice(0, 3)
    .map((g) => toDisplay(`${g.path} ${g.problem} (${g.database})`)).join("; ");
  return gaps.length > 3 ? `${shown}; and ${gaps.length - 3} more` : shown;
}

/** The text form of raw paths; what is not UTF-8 is never staged or named. */
export const asTexts = (raw: Iterable<string>) =>
  new Set([...raw].map(toText).filter((p) => p !== undefined));
