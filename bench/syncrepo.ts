/**
 * What a sync costs beyond rsync itself: the same steps done by bare rsync calls, as the mirror scripts
 * of today do them, against `syncrepo` with all its proofs, over a real rsync daemon on loopback.
 */
import { join } from "@std/path/posix";
import { lutimesSync } from "node:fs";
import { startRsyncDaemon } from "../scripts/demo/rsyncd.ts";
import { denoCommand } from "../scripts/lib/children.ts";
import { measure, median, table } from "./measure.ts";

const FLAGS = ["-rlptH", "--safe-links", "--delay-updates", "--timeout=600", "--no-motd"];
const MARKERS = ["--exclude=/lastupdate", "--exclude=/lastsync"];

/** An Arch-like tree of `n` packages, of which the last `updated` have a second version. */
async function makeTree(root: string, n: number, updated: number) {
  const pool = join(root, "pool/packages");
  await Deno.mkdir(pool, { recursive: true });
  const descs = await Deno.makeTempDir();
  const repos = ["core", "extra"];
  for (const repo of repos) {
    await Deno.mkdir(join(root, repo, "os/x86_64"), { recursive: true });
    await Deno.mkdir(join(descs, repo));
  }
  for (let i = 0; i < n; i++) {
    const repo = repos[i % 2], version = i >= n - updated ? 2 : 1;
    const name = `package${i}-${version}-1`, file = `${name}-x86_64.pkg.tar.zst`;
    Deno.writeFileSync(join(pool, file), new Uint8Array(4096).fill(i + version));
    Deno.writeFileSync(join(pool, file + ".sig"), new Uint8Array(119).fill(i));
    Deno.utimeSync(join(pool, file), 1_790_000_000, 1_790_000_000 + i);
    Deno.utimeSync(join(pool, file + ".sig"), 1_790_000_000, 1_790_000_000 + i);
    for (const f of [file, file + ".sig"]) {
      const link = join(root, repo, "os/x86_64", f);
      Deno.symlinkSync(`../../../pool/packages/${f}`, link);
      lutimesSync(link, 1_790_000_000, 1_790_000_000 + i);
    }
    Deno.mkdirSync(join(descs, repo, name));
    Deno.writeTextFileSync(
      join(descs, repo, name, "desc"),
      `%FILENAME%\n${file}\n\n%CSIZE%\n4096\n\n`,
    );
  }
  for (const repo of repos) {
    const db = join(root, repo, "os/x86_64", `${repo}.db.tar.gz`);
    const { success } = await new Deno.Command("tar", {
      args: ["-C", join(descs, repo), "-czf", db, "."],
    }).output();
    if (!success) throw new Error("tar failed");
    await Deno.symlink(`${repo}.db.tar.gz`, join(root, repo, "os/x86_64", `${repo}.db`));
  }
  for (const name of ["lastupdate", "lastsync"]) {
    await Deno.writeTextFile(join(root, name), `${1_790_000_000 + updated}\n`);
  }
  await Deno.remove(descs, { recursive: true });
}

/** Both sides of the comparison, each with a tree of its own. */
class Sides {
  constructor(private readonly dir: string, private readonly url: string) {}

  /** The steps of the official Arch script, one rsync each. */
  async bare(module: string): Promise<number> {
    const to = join(this.dir, "bare");
    await Deno.mkdir(to, { recursive: true });
    const from = `${this.url}${module}/`;
    const steps = [
      [...FLAGS, from + "pool", to],
      [...FLAGS, ...MARKERS, from, to],
      [...FLAGS, ...MARKERS, "--delete", from, to],
      ["-t", "--no-motd", from + "lastupdate", from + "lastsync", to],
    ];
    let seconds = 0;
    for (const args of steps) seconds += (await measure("rsync", args)).seconds;
    return seconds;
  }

  /** One bare rsync over everything: what finds out, without a cheap check, that nothing changed. */
  async bareOnce(module: string): Promise<number> {
    const args = [...FLAGS, "--delete", `${this.url}${module}/`, join(this.dir, "bare")];
    return (await measure("rsync", args)).seconds;
  }

  async ours(module: string, ...flags: string[]): Promise<number> {
    const config = join(this.dir, "mirror.toml");
    await Deno.writeTextFile(
      config,
      `[site]\nname = "bench.test"\n[[repo]]\nname = "arch"\nprofile = "arch"\nupstream = ["${this.url}${module}/"]\n`,
    );
    const [command, ...args] = denoCommand("scripts/syncrepo.ts", [
      ...[`--config=${config}`, `--data=${join(this.dir, "data")}`, "--quiet"],
      ...flags,
    ]);
    return (await measure(command, args)).seconds;
  }

  async clear() {
    for (const name of ["bare", "data"]) {
      await Deno.remove(join(this.dir, name), { recursive: true }).catch(() => {});
    }
  }
}

/** Runs the bench; gives its exit code. */
export async function main(args: string[]): Promise<number> {
  const quick = args.includes("--quick");
  const packages = quick ? 1500 : 15_000, rounds = quick ? 3 : 5;
  const dir = await Deno.makeTempDir({ prefix: "mirrorkit-bench-" });
  try {
    await makeTree(join(dir, "a"), packages, 0);
    await makeTree(join(dir, "b"), packages, 100);
    const daemon = await startRsyncDaemon(dir, { a: join(dir, "a"), b: join(dir, "b") });
    try {
      const rows = await compare(new Sides(dir, daemon.url), rounds);
      console.log(
        `${packages} packages with signatures and links, medians of ${rounds} interleaved rounds`,
      );
      console.log(table([["case", "bare rsync", "syncrepo", "ratio"], ...rows]));
    } finally {
      await daemon.stop();
    }
    return 0;
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function compare(sides: Sides, rounds: number): Promise<string[][]> {
  const cases: Record<string, [bare: number[], ours: number[]]> = {};
  const note = (name: string, bare: number, ours: number) => {
    cases[name] ??= [[], []];
    cases[name][0].push(bare);
    cases[name][1].push(ours);
  };
  for (let round = 0; round < rounds; round++) {
    await sides.clear();
    note("first sync", await sides.bare("a"), await sides.ours("a"));
    note(
      "nothing changed, looked at in full",
      await sides.bare("a"),
      await sides.ours("a", "--force"),
    );
    note(
      "nothing changed: cheap check / one full rsync",
      await sides.bareOnce("a"),
      await sides.ours("a"),
    );
    note("100 packages updated", await sides.bare("b"), await sides.ours("b"));
  }
  return Object.entries(cases).map(([name, [bare, ours]]) => {
    const b = median(bare), o = median(ours);
    return [name, `${b.toFixed(3)} s`, `${o.toFixed(3)} s`, (o / b).toFixed(2)];
  });
}
