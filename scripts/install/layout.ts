/** Where each file of mirrorkit goes on a machine, and how the units are completed. Pure but for the walk. */
import { join } from "@std/path/posix";
import { OFFLINE } from "../lib/children.ts";

/** One file to place. */
export interface Place {
  /** Relative to the source, or `deno` for the running binary. */
  from: string;
  /** Absolute, before `--root`. */
  to: string;
  mode: number;
  /** It has lines to be completed by {@linkcode render}. */
  text?: true;
  /** It belongs to the operator: placed once, never replaced or removed. */
  keep?: true;
}

const UNITS = [
  "mirrorkit-sync@.service",
  "mirrorkit-sync@.timer",
  "mirrorkit-index@.service",
  "mirrorkit-healthz.service",
  "mirrorkit-healthz.timer",
  "mirrorkit-bwlimit.service",
  "mirrorkit.service",
  "mirrorkit-statcat-hub.service",
  "mirrorkit-statcat-spoke.service",
  "mirrorkit-statcat-logs.service",
  "mirrorkit-statcat-logs.timer",
];

/** All places for a prefix and the files of the code (relative to the source). */
export function places(prefix: string, code: string[]): Place[] {
  const lib = `${prefix}/lib/mirrorkit`;
  return [
    { from: "deno", to: `${lib}/deno`, mode: 0o755 },
    ...code.map((path) => ({ from: path, to: `${lib}/${path}`, mode: 0o644 })),
    ...UNITS.map((name): Place => ({
      from: `systemd/${name}`,
      to: `${prefix}/lib/systemd/system/${name}`,
      mode: 0o644,
      text: true,
    })),
    {
      from: "systemd/mirrorkit.sysusers",
      to: `${prefix}/lib/sysusers.d/mirrorkit.conf`,
      mode: 0o644,
    },
    {
      from: "systemd/mirrorkit.tmpfiles",
      to: `${prefix}/lib/tmpfiles.d/mirrorkit.conf`,
      mode: 0o644,
    },
    { from: "mirror.toml.example", to: "/etc/mirrorkit/mirror.toml", mode: 0o644, keep: true },
  ];
}

/** Packages that only building and testing need. */
const NOT_AT_RUN_TIME = /^(?:esbuild|@esbuild|playwright|@types|axe-core|pixelmatch|pngjs)/;

/** The files of the code that run on a mirror, links of node_modules followed. */
export async function codeFiles(source: string): Promise<string[]> {
  const files = ["deno.json", "deno.lock", "README.md", "LICENSE", "mirror.toml.example"];
  const walk = async (dir: string) => {
    for await (const { name } of Deno.readDir(join(source, dir))) {
      if (
        name === ".bin" || name === ".deno" ||
        dir.includes("node_modules") && NOT_AT_RUN_TIME.test(name)
      ) continue;
      const path = `${dir}/${name}`;
      if ((await Deno.stat(join(source, path))).isDirectory) await walk(path);
      else files.push(path);
    }
  };
  for (const dir of ["formats", "scripts", "server", "web/dist", "node_modules"]) {
    await walk(dir).catch(ignoreMissing);
  }
  return files.sort();
}

const ignoreMissing = (error: unknown) => {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
};

/** A unit with its `@…@` places filled in. Throws on one that is not known. */
export function render(
  unit: string,
  { prefix, sandbox, permissions }: {
    prefix: string;
    sandbox: string;
    permissions: Record<string, string[]>;
  },
): string {
  const rules = sandbox.split("\n").filter((line) => line && !line.startsWith("#")).join("\n");
  const values: Record<string, string> = {
    LIB: `${prefix}/lib/mirrorkit`,
    DENO: OFFLINE.join(" "),
    SANDBOX: rules,
  };
  return unit.replace(/@(LIB|DENO|SANDBOX|PERMISSIONS:([\w./ ]+))@/g, (whole, name, script) => {
    const value = script ? permissions[script]?.join(" ") : values[name];
    if (value === undefined) {
      throw new Error(`Cannot complete a unit: nothing is known of ${whole}`);
    }
    return value;
  });
}
