/**
 * A small Arch-like repository made with real tools: packages are tar + zstd with a `.PKGINFO`, the
 * databases come from pacman's repo-add, so that a real pacman can install from it.
 */
import { join } from "@std/path/posix";
import { Failure } from "../lib/cli.ts";
import { writeWhole } from "../lib/files.ts";
import { run } from "../lib/run.ts";

/** A package as the demo knows it. */
interface Package {
  name: string;
  repo: "core" | "extra";
  description: string;
  /** Counts up with every update: the package's `pkgrel`. */
  release: number;
}

const PACKAGES: [string, Package["repo"], string][] = [
  ["hello-mirror", "core", "Says hello from your own mirror"],
  ["lighthouse", "core", "Shows ships where the harbour is"],
  ["rope", "core", "Holds things together"],
  ["anchor", "core", "Keeps a ship where it is"],
  ["compass", "extra", "Points north"],
  ["sextant", "extra", "Measures the height of stars"],
  ["chart", "extra", "Knows the coast"],
  ["bell", "extra", "Is heard in fog"],
];

async function must(command: string, args: string[], cwd: string, env?: Record<string, string>) {
  const result = await run({ command, args, cwd, env });
  if (result.code !== 0) throw new Failure(`${command} failed: ${result.stderr.trim()}`);
}

/** The repository below `root`. */
export class DemoUpstream {
  private readonly packages: Package[] = PACKAGES.map(([name, repo, description]) => ({
    name,
    repo,
    description,
    release: 1,
  }));

  constructor(readonly root: string, private readonly scratch: string) {}

  /** Makes all packages, databases, an image folder and the markers. */
  async create(): Promise<void> {
    for (const pkg of this.packages) await this.publish(pkg);
    await this.databases(this.packages);
    const iso = join(this.root, "iso/2026.11.01");
    await Deno.mkdir(iso, { recursive: true });
    const image = crypto.getRandomValues(new Uint8Array(65536));
    const bytes = new Uint8Array(4 * 1024 * 1024).map((_, i) => image[i % image.length]);
    await Deno.writeFile(join(iso, "demo-2026.11.01-x86_64.iso"), bytes);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const hex = [...hash].map((b) => b.toString(16).padStart(2, "0")).join("");
    await Deno.writeTextFile(join(iso, "sha256sums.txt"), `${hex}  demo-2026.11.01-x86_64.iso\n`);
    await Deno.symlink("2026.11.01", join(this.root, "iso/latest"));
    await this.mark();
  }

  /** A new release of one package, as a busy distribution makes them; gives its file name. */
  async update(n: number): Promise<string> {
    const pkg = this.packages[n % this.packages.length];
    const old = fileName(pkg);
    pkg.release++;
    await this.publish(pkg);
    await this.databases([pkg]);
    await Deno.remove(join(this.root, pkg.repo, "os/x86_64", old));
    await Deno.remove(join(this.root, "pool/packages", old));
    await this.mark();
    return fileName(pkg);
  }

  /** Says that the upstream was asked now, as tier-1 mirrors do every minute. */
  async mark(changed = true) {
    const now = `${Math.floor(Date.now() / 1000)}\n`;
    if (changed) await writeWhole(join(this.root, "lastupdate"), now);
    await writeWhole(join(this.root, "lastsync"), now);
  }

  private async publish(pkg: Package) {
    const dir = join(this.scratch, pkg.name);
    await Deno.mkdir(join(dir, "usr/share/doc", pkg.name), { recursive: true });
    const text = `${pkg.description}. Release ${pkg.release}.\n`.repeat(2000);
    await Deno.writeTextFile(join(dir, "usr/share/doc", pkg.name, "README"), text);
    const payload = crypto.getRandomValues(new Uint8Array(60_000));
    await Deno.writeFile(join(dir, "usr/share/doc", pkg.name, "noise"), payload);
    await Deno.writeTextFile(join(dir, ".PKGINFO"), pkgInfo(pkg, text.length + payload.length));
    const pool = join(this.root, "pool/packages"), links = join(this.root, pkg.repo, "os/x86_64");
    await Deno.mkdir(pool, { recursive: true });
    await Deno.mkdir(links, { recursive: true });
    const file = fileName(pkg);
    const args = ["--zstd", "--owner=0", "--group=0", "-cf", join(pool, file), ".PKGINFO", "usr"];
    await must("tar", args, dir);
    await Deno.symlink(`../../../pool/packages/${file}`, join(links, file));
  }

  private async databases(packages: Package[]) {
    for (const repo of ["core", "extra"] as const) {
      const files = packages.filter((p) => p.repo === repo).map(fileName);
      if (files.length === 0) continue;
      const dir = join(this.root, repo, "os/x86_64");
      await must("repo-add", ["-q", `${repo}.db.tar.gz`, ...files], dir);
      // repo-add keeps the databases before; a mirror has no use for them.
      for (const kind of ["db", "files"]) {
        for (const old of [`${repo}.${kind}.old`, `${repo}.${kind}.tar.gz.old`]) {
          await Deno.remove(join(dir, old)).catch(() => {});
        }
      }
    }
  }
}

const fileName = (p: Package) => `${p.name}-1.0-${p.release}-any.pkg.tar.zst`;

/** https://man.archlinux.org/man/BUILDINFO.5 and alpm-pkginfo: what repo-add and pacman need. */
const pkgInfo = (p: Package, size: number) =>
  `pkgname = ${p.name}\npkgbase = ${p.name}\npkgver = 1.0-${p.release}\npkgdesc = ${p.description}\n` +
  `url = https://example.org/\nbuilddate = ${
    Math.floor(Date.now() / 1000)
  }\npackager = mirrorkit demo\n` +
  `size = ${size}\narch = any\nlicense = MIT\n`;
