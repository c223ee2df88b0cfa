/**
 * The trees that the benches look at, in the shape of real mirrors: the same names, sizes and times on
 * every machine, sparse files, kept between runs in bench/cache (which git ignores).
 */
import { dirname, fromFileUrl, join } from "@std/path/posix";

/** Arch: nearly everything in one folder, and links to it. Debian: a great many small folders. */
export type Shape = "arch" | "debian";

const CACHE = fromFileUrl(new URL("cache", import.meta.url));
/** Raise it when the trees change, so that a kept one is not taken for the new. */
const VERSION = 1;
/** 2026-11-20 00:00 UTC; files are up to four years older. */
const NEWEST = 1_795_132_800;

/** Numbers that look random and are the same on every run (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const SYLLABLES = "ba ce di fo gu ha ji ko lu me na pe qt ri so te vi wa xo zy".split(" ");

/** A package name that no other number gives. */
function packageName(n: number, random: (below: number) => number): string {
  const syllables = Array.from({ length: 2 + random(3) }, () => SYLLABLES[random(20)]).join("");
  return `${["", "", "lib", "python-", "perl-"][random(5)]}${syllables}${n}`;
}

function writeFile(path: string, bytes: number, mtime: number) {
  using file = Deno.createSync(path);
  file.truncateSync(bytes);
  file.utimeSync(mtime, mtime);
}

function makeArch(root: string, packages: number) {
  const random = randomFrom(1);
  const pool = join(root, "pool/packages");
  Deno.mkdirSync(pool, { recursive: true });
  const repos = ["core", "extra", "multilib", "extra-testing"].map((r) => `${r}/os/x86_64`);
  for (const repo of repos) Deno.mkdirSync(join(root, repo), { recursive: true });
  for (let n = 0; n < packages; n++) {
    const file = `${packageName(n, random)}-${random(30)}.${random(20)}.${random(9)}-${
      1 + random(4)
    }-${random(3) ? "x86_64" : "any"}.pkg.tar.zst`;
    const mtime = NEWEST - random(4 * 365 * 86400);
    const repo = repos[random(20) === 0 ? 0 : random(12) === 0 ? 2 : random(40) === 0 ? 3 : 1];
    for (const [name, bytes] of [[file, 2000 + random(9_000_000)], [file + ".sig", 310]] as const) {
      writeFile(join(pool, name), bytes, mtime);
      Deno.symlinkSync(`../../../pool/packages/${name}`, join(root, repo, name));
    }
  }
  for (const month of ["2026.09.01", "2026.10.01", "2026.11.01"]) {
    const iso = join(root, "iso", month);
    Deno.mkdirSync(join(iso, "arch/boot/x86_64"), { recursive: true });
    writeFile(join(iso, `archlinux-${month}-x86_64.iso`), 1_200_000_000, NEWEST - 86400);
    writeFile(join(iso, "arch/boot/x86_64/vmlinuz-linux"), 14_000_000, NEWEST - 86400);
  }
  writeFile(join(root, "lastupdate"), 11, NEWEST);
}

function makeDebian(root: string, folders: number) {
  const random = randomFrom(2);
  for (let n = 0; n < folders; n++) {
    const source = packageName(n, random);
    const component = random(12) === 0 ? "contrib" : random(20) === 0 ? "non-free" : "main";
    const prefix = source.startsWith("lib") ? source.slice(0, 4) : source[0];
    const folder = join(root, "pool", component, prefix, source);
    Deno.mkdirSync(folder, { recursive: true });
    for (let i = 0; i < 15; i++) {
      const version = `${random(9)}.${random(30)}-${1 + random(5)}`;
      const name = i === 0
        ? `${source}_${version}.dsc`
        : i === 1
        ? `${source}_${version}.debian.tar.xz`
        : `${source}-${SYLLABLES[i]}_${version}_${random(2) ? "amd64" : "all"}.deb`;
      writeFile(join(folder, name), 1000 + random(3_000_000), NEWEST - random(4 * 365 * 86400));
    }
  }
}

/** The root of a tree, made now if it is not kept from before. `share` is 1 for all of it, 0.1 for a tenth. */
export function tree(shape: Shape, share: number): string {
  const root = join(CACHE, `${shape}-${share}-v${VERSION}`, "static", shape);
  const done = join(dirname(dirname(root)), "done");
  try {
    Deno.statSync(done);
  } catch {
    console.error(`Making the ${shape} tree …`);
    try {
      Deno.removeSync(root, { recursive: true });
    } catch { /* there was none */ }
    if (shape === "arch") makeArch(root, 15_000 * share);
    else makeDebian(root, 35_000 * share);
    Deno.writeTextFileSync(done, "");
  }
  return root;
}
