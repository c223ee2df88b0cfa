/**
 * The indexer against the cost of looking at the files at all, which is what GNU find needs for the same
 * tree, and against `tree -J`, which a user would pick. Whole processes, Deno's start included.
 */
import { dirname, join } from "@std/path/posix";
import { formatBytes } from "../formats/units.ts";
import { denoCommand } from "../scripts/lib/children.ts";
import { addChanges, repoFiles } from "../scripts/lib/storage.ts";
import { type Cost, measure, median, table } from "./measure.ts";
import { type Shape, tree } from "./trees.ts";

const ROUNDS = 5;
/** What the project promises, as ratios to find, and for memory. */
const PROMISED: Record<Shape, Record<string, number>> = {
  arch: { cold: 4, scan: 1.5, changes: 0.8 },
  debian: { cold: 5, scan: 1.5, changes: 0.15 },
};
const PROMISED_BYTES = 250e6;

/** Measures both trees; with `--quick`, a tenth of each. */
export async function main(args: string[]): Promise<number> {
  for (const shape of ["arch", "debian"] as const) {
    await bench(shape, args.includes("--quick") ? 0.1 : 1);
  }
  return 0;
}

async function bench(shape: Shape, share: number) {
  const root = tree(shape, share), data = dirname(dirname(root));
  const config = join(data, "mirror.toml");
  Deno.writeTextFileSync(
    config,
    `[site]\nname = "bench"\n[[repo]]\nname = "${shape}"\nprofile = "generic"\nupstream = ["/nowhere/"]\n`,
  );
  const files = repoFiles(data, { name: shape, path: `/${shape}/` });
  // As the scheduler and the units run it.
  const [command, ...args] = denoCommand("scripts/indexer.ts", [
    "-q",
    "--config",
    config,
    "--data",
    data,
  ]);
  const indexer = () => measure(command, args);
  const find = () => measure("find", [root, "-printf", "%y\\t%s\\t%T@\\t%P\\t%l\\0"]);
  const updates = shape === "arch" ? archUpdates(root) : debianUpdates(root);
  const cases: Record<string, () => Promise<Cost>> = {
    find,
    cold: async () => {
      putAway(data);
      return await indexer();
    },
    scan: indexer,
    changes: async () => {
      await addChanges(files, updates());
      return await indexer();
    },
    // The tree is put back as it was: this is not measured.
    back: async () => {
      await addChanges(files, updates());
      return await indexer();
    },
    "tree -J": () => measure("tree", ["-J", "-a", "-s", "-D", root]),
  };
  await find();
  const costs: Record<string, Cost[]> = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, run] of Object.entries(cases)) (costs[name] ??= []).push(await run());
  }
  delete costs.back;
  emptyTrash(data);
  report(shape, share, costs);
}

/**
 * Moves listings and state out of the way. They are removed after the last round: ext4 without a journal
 * makes new files very slowly while it holds back the inodes of many that were just removed.
 */
function putAway(data: string) {
  for (const room of ["indexes", "state"]) {
    const trash = Deno.makeTempDirSync({ dir: data, prefix: "trash-" });
    try {
      Deno.renameSync(join(data, room), join(trash, room));
    } catch { /* the first round */ }
  }
}

function emptyTrash(data: string) {
  for (const { name } of [...Deno.readDirSync(data)]) {
    if (name.startsWith("trash-")) Deno.removeSync(join(data, name), { recursive: true });
  }
}

function report(shape: Shape, share: number, costs: Record<string, Cost[]>) {
  const floor = median(costs.find.map((c) => c.seconds));
  const rows = Object.entries(costs).map(([name, runs]) => {
    const seconds = median(runs.map((c) => c.seconds)), ratio = seconds / floor;
    const peak = Math.max(...runs.map((c) => c.peakBytes)), promised = PROMISED[shape][name];
    const kept = ratio <= promised && peak <= PROMISED_BYTES;
    // Of a tenth, most of the time is Deno's start: what is promised of the whole says nothing there.
    const verdict = share < 1 ? "for the whole" : kept ? "kept" : "MISSED";
    return [
      name,
      `${seconds.toFixed(3)} s`,
      `${ratio.toFixed(2)} × find`,
      promised ? `≤ ${promised} ${verdict}` : "",
      formatBytes(peak),
    ];
  });
  const title = `${shape}${share === 1 ? "" : ` (share ${share})`}`;
  console.log(table([[title, "median", "ratio", "promised", "peak memory"], ...rows]) + "\n");
}

/** Swaps names between `x` and `x.new`: what a new version of a package does to a repository. */
function rename(root: string, path: string): string[] {
  const next = path.endsWith(".new") ? path.slice(0, -4) : path + ".new";
  const from = join(root, path), to = join(root, next);
  if (Deno.lstatSync(from).isSymlink) {
    Deno.symlinkSync("../../../pool/packages/" + next.split("/").at(-1), to);
    Deno.removeSync(from);
  } else Deno.renameSync(from, to);
  return [path, next];
}

const some = (dir: string, n: number) =>
  [...Deno.readDirSync(dir)].map((e) => e.name).filter((name) => !name.endsWith(".sig")).sort()
    .filter((_, i, all) => i % Math.ceil(all.length / n) === 0).slice(0, n);

/** 100 paths in 10 folders: 24 packages get a new name with their links, and four files a new size. */
function archUpdates(root: string): () => string[] {
  const repos = ["core", "extra", "multilib", "extra-testing"].map((r) => `${r}/os/x86_64`);
  // A bench that was stopped half way has left the new names.
  for (const dir of ["pool/packages", ...repos]) {
    for (const { name } of [...Deno.readDirSync(join(root, dir))]) {
      if (name.endsWith(".new")) rename(root, `${dir}/${name}`);
    }
  }
  const links = repos.flatMap((repo) => some(join(root, repo), 6).map((name) => ({ repo, name })));
  const single = [
    "lastupdate",
    ...["2026.09.01", "2026.10.01", "2026.11.01"].map((m) => `iso/${m}/archlinux-${m}-x86_64.iso`),
  ];
  let suffix = "";
  return () => {
    const changed = links.flatMap(({ repo, name }) => [
      ...rename(root, `pool/packages/${name}${suffix}`),
      ...rename(root, `${repo}/${name}${suffix}`),
    ]);
    for (const path of single) resize(join(root, path), suffix ? -1 : 1);
    suffix = suffix ? "" : ".new";
    return [...changed, ...single];
  };
}

/** 100 files in 10 folders. */
function debianUpdates(root: string): () => string[] {
  const pool = join(root, "pool/main");
  const prefixes = some(pool, 10);
  const paths = prefixes.flatMap((prefix) => {
    const source = some(join(pool, prefix), 1)[0];
    return some(join(pool, prefix, source), 15).slice(0, 10).map((name) =>
      `pool/main/${prefix}/${source}/${name}`
    );
  });
  let by = 1;
  return () => {
    for (const path of paths) resize(join(root, path), by);
    by = -by;
    return paths;
  };
}

function resize(path: string, by: number) {
  const { size, mtime } = Deno.statSync(path);
  Deno.truncateSync(path, size + by);
  Deno.utimeSync(path, mtime!, mtime!);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
