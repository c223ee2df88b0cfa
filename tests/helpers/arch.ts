/** An Arch-like upstream that is quick to make and to change: the databases are plain tar files. */
import { join } from "@std/path/posix";

/** A package in one of the repositories. */
export interface Pkg {
  repo: string;
  name: string;
  version: number;
  bytes: number;
}

const file = (p: Pkg) => `${p.name}-${p.version}-1-any.pkg.tar.zst`;

async function tar(cwd: string, out: string, names: string[]) {
  const args = ["-czf", out, "--owner=0", "--group=0", "--", ...names];
  const list = names.length ? args : ["-czf", out, "-T", "/dev/null"];
  const { success } = await new Deno.Command("tar", { args: list, cwd }).output();
  if (!success) throw new Error(`tar failed for ${out}`);
}

/** The upstream below `root`. */
export class ArchTree {
  readonly packages = new Map<string, Pkg>();
  /** Grows with each {@linkcode commit}; the markers state it. */
  clock = 1_790_000_000;

  constructor(readonly root: string) {}

  path(...parts: string[]) {
    return join(this.root, ...parts);
  }

  /** Adds or replaces a package: file and link; the database follows with {@linkcode commit}. */
  async put(repo: string, name: string, version = 1, bytes = 2000): Promise<Pkg> {
    const pkg = { repo, name, version, bytes };
    const pool = this.path("pool/packages"), links = this.path(repo, "os/x86_64");
    await Deno.mkdir(pool, { recursive: true });
    await Deno.mkdir(links, { recursive: true });
    const content = new Uint8Array(bytes);
    for (let at = 0; at < bytes; at += 65536) {
      crypto.getRandomValues(content.subarray(at, Math.min(bytes, at + 65536)));
    }
    await Deno.writeFile(join(pool, file(pkg)), content);
    await Deno.symlink(`../../../pool/packages/${file(pkg)}`, join(links, file(pkg)));
    this.packages.set(`${repo}/${name}`, pkg);
    return pkg;
  }

  /** Removes a package's file and link. */
  async drop(pkg: Pkg, fromDatabase = true) {
    await Deno.remove(this.path("pool/packages", file(pkg)));
    await Deno.remove(this.path(pkg.repo, "os/x86_64", file(pkg)));
    const key = `${pkg.repo}/${pkg.name}`;
    if (fromDatabase && this.packages.get(key) === pkg) this.packages.delete(key);
  }

  /** Writes the databases and markers, as an upstream does at the end of an update. */
  async commit() {
    const repos = new Set([...this.packages.values()].map((p) => p.repo));
    for (const repo of repos) await this.database(repo);
    await this.mark();
  }

  async mark(seconds = 60) {
    this.clock += seconds;
    await Deno.writeTextFile(this.path("lastupdate"), `${this.clock}\n`);
    await Deno.writeTextFile(this.path("lastsync"), `${this.clock}\n`);
  }

  private async database(repo: string) {
    const scratch = await Deno.makeTempDir();
    const dir = this.path(repo, "os/x86_64");
    const names = [];
    for (const pkg of this.packages.values()) {
      if (pkg.repo !== repo) continue;
      const name = `${pkg.name}-${pkg.version}-1`;
      names.push(name);
      await Deno.mkdir(join(scratch, name));
      await Deno.writeTextFile(
        join(scratch, name, "desc"),
        `%FILENAME%\n${
          file(pkg)
        }\n\n%NAME%\n${pkg.name}\n\n%VERSION%\n${pkg.version}-1\n\n%CSIZE%\n${pkg.bytes}\n\n`,
      );
    }
    const db = join(dir, `${repo}.db.tar.gz`);
    await tar(scratch, db + ".new", names);
    await Deno.rename(db + ".new", db);
    await Deno.symlink(`${repo}.db.tar.gz`, join(dir, `${repo}.db`)).catch(() => {});
    await Deno.remove(scratch, { recursive: true });
  }

  /** A first state: `n` packages over two repositories. */
  async fill(n = 12, bytes = 2000) {
    for (let i = 0; i < n; i++) await this.put(i % 3 ? "core" : "extra", `pkg${i}`, 1, bytes);
    await Deno.mkdir(this.path("iso/2026.11.01"), { recursive: true });
    await Deno.writeTextFile(this.path("iso/2026.11.01/note.txt"), "an image would be here\n");
    await this.commit();
  }

  /** A new version of some packages, in the order of a careful upstream; old files go last. */
  async update(names: string[], bytes?: number) {
    const olds = [];
    for (const key of names) {
      const old = this.packages.get(key)!;
      await this.put(old.repo, old.name, old.version + 1, bytes ?? old.bytes);
      olds.push(old);
    }
    await this.commit();
    for (const old of olds) await this.drop(old);
  }
}

/**
 * What is missing of what the databases of a served tree name; written apart from the code under test.
 * Empty is the promise that holds at every moment.
 */
export async function incomplete(tree: string): Promise<string[]> {
  const problems: string[] = [];
  const repos = await Array.fromAsync(Deno.readDir(tree)).catch(() => []);
  for (const { name: repo } of repos) {
    const dir = join(tree, repo, "os/x86_64");
    const db = join(dir, `${repo}.db.tar.gz`);
    if (!await Deno.lstat(db).then(() => true, () => false)) continue;
    const { stdout, success } = await new Deno.Command("bsdtar", { args: ["-xOf", db] }).output();
    if (!success) problems.push(`${db} cannot be read`);
    const named = new TextDecoder().decode(stdout).matchAll(
      /%FILENAME%\n(.*)\n[\s\S]*?%CSIZE%\n(\d+)\n/g,
    );
    for (const [, name, size] of named) {
      const bytes = await Deno.stat(join(dir, name)).then((s) => s.size, () => undefined);
      if (bytes !== Number(size)) problems.push(`${repo}: ${name} has ${bytes}, not ${size}`);
    }
  }
  return problems;
}

/** All below a directory: path, type, size or link target. Leaves out what matches `skip`. */
export async function snapshot(root: string, skip = /^$/): Promise<string[]> {
  const lines: string[] = [];
  const walk = async (dir: string) => {
    for await (const entry of Deno.readDir(join(root, dir))) {
      const path = join(dir, entry.name);
      if (skip.test(path)) continue;
      const at = join(root, path);
      if (entry.isSymlink) lines.push(`${path} -> ${await Deno.readLink(at)}`);
      else if (entry.isDirectory) {
        lines.push(`${path}/`);
        await walk(path);
      } else lines.push(`${path} ${(await Deno.lstat(at)).size}`);
    }
  };
  await walk("");
  return lines.sort();
}
