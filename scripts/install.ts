#!/usr/bin/env -S deno run --allow-run --allow-read --allow-write --allow-env --allow-sys=uid
/**
 * Places mirrorkit on a machine with systemd: the code, the units, a user and the storage's folders.
 * Nothing is enabled or started, and a configuration that is there is never touched.
 *
 *     install [--prefix DIR] [--root DIR] [--uninstall] [--dry-run]
 */
import { dirname, fromFileUrl, join } from "@std/path/posix";
import { command, type CommandSpec, EXIT, Failure, type Log } from "./lib/cli.ts";
import { PERMISSIONS } from "./lib/children.ts";
import { exists } from "./lib/files.ts";
import { codeFiles, type Place, places, render } from "./install/layout.ts";

const SPEC: CommandSpec = {
  name: "install",
  summary: "place the code and the systemd units on this machine",
  operands: "",
  options: {
    prefix: { value: "DIR", help: "where code and units go (default: /usr/local)" },
    root: { value: "DIR", help: "put everything below DIR, for packagers; nothing is run" },
    uninstall: { help: "remove what was placed; configuration and storage stay" },
    "dry-run": { help: "print what would be placed or removed" },
  },
  examples: [
    ["deno task install", "then: systemctl enable --now mirrorkit mirrorkit-sync@NAME.timer"],
    ["deno task install --root build --prefix /usr", "a tree for a package"],
    ["deno task install --uninstall", "remove it again; /etc/mirrorkit and /srv/mirror stay"],
  ],
};

const SOURCE = fromFileUrl(new URL("..", import.meta.url)).replace(/\/$/, "");

/** The command; gives its exit code. */
export function main(args: string[]): Promise<number> {
  return command(SPEC, args, async ({ values, switches, log }) => {
    const prefix = values.prefix ?? "/usr/local", root = values.root ?? "";
    const all = places(prefix, await codeFiles(SOURCE));
    const dry = switches.has("dry-run"), remove = switches.has("uninstall");
    const json = switches.has("json");
    const say = (line: string) => json || console.log(line);
    if (json) console.log(JSON.stringify(all.map((p) => root + p.to)));
    if (!dry && !root && Deno.uid() !== 0) {
      throw new Failure(
        "Only root can install to this machine.",
        "Look first with --dry-run, or use --root DIR.",
      );
    }
    if (!remove && !await exists(join(SOURCE, "web/dist"))) {
      throw new Failure("The page is not built yet.", "deno task build");
    }
    for (const place of all) {
      if (dry) say(`${remove ? "-" : "+"} ${root}${place.to}`);
      else if (remove) await take(root, place);
      else await put(root, prefix, place, log);
    }
    if (dry) return EXIT.done;
    if (remove) {
      await Deno.remove(`${root}${prefix}/lib/mirrorkit`, { recursive: true }).catch(() => {});
    }
    if (!root) await settle(remove, log);
    return EXIT.done;
  });
}

async function put(root: string, prefix: string, place: Place, log: Log) {
  const to = root + place.to;
  if (place.keep && await exists(to)) return log.info(`kept as it is: ${to}`);
  await Deno.mkdir(dirname(to), { recursive: true });
  // Beside and renamed: a running server keeps the old file.
  const beside = `${to}.${Deno.pid}.new`;
  if (place.text) {
    const text = await Deno.readTextFile(join(SOURCE, place.from));
    const sandbox = await Deno.readTextFile(join(SOURCE, "systemd/sandbox.conf"));
    await Deno.writeTextFile(beside, render(text, { prefix, sandbox, permissions: PERMISSIONS }));
  } else {
    await Deno.copyFile(place.from === "deno" ? Deno.execPath() : join(SOURCE, place.from), beside);
  }
  await Deno.chmod(beside, place.mode);
  await Deno.rename(beside, to);
}

async function take(root: string, place: Place) {
  if (place.keep) return;
  await Deno.remove(root + place.to).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

/** Makes the user and the folders, and has systemd read its units again. */
async function settle(removed: boolean, log: Log) {
  const steps = [
    ...(removed ? [] : [["systemd-sysusers", "mirrorkit.conf"], [
      "systemd-tmpfiles",
      "--create",
      "mirrorkit.conf",
    ]]),
    ["systemctl", "daemon-reload"],
  ];
  for (const [program, ...args] of steps) {
    const { success, stderr } = await new Deno.Command(program, { args }).output().catch(() => {
      throw new Failure(
        `${program} is missing: this machine does not run systemd.`,
        "Use --root DIR.",
      );
    });
    if (!success) {
      log.warn(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr).trim()}`);
    }
  }
  log.info(
    removed
      ? "Removed. /etc/mirrorkit, /srv/mirror and the user mirrorkit stay."
      : "Placed. Next: fill in /etc/mirrorkit/mirror.toml, then for each of its repositories\n" +
        "  systemctl enable --now mirrorkit-sync@NAME.timer\nand the server: systemctl enable --now mirrorkit",
  );
}

if (import.meta.main) Deno.exit(await main(Deno.args));
