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
    prefix: {
      value: "DIR",
      help: "where code and units go (default: /usr/local); the rest stays in /etc and /srv",
    },
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
    const steps = root ? [] : await stepsOf(prefix, remove);
    for (const step of dry ? steps : []) say(`$ ${step.join(" ")}`);
    if (dry) return EXIT.done;
    if (remove) {
      await Deno.remove(`${root}${prefix}/lib/mirrorkit`, { recursive: true }).catch(() => {});
    }
    for (const step of steps) await settle(step);
    if (!root) log.info(remove ? REMOVED : placed(prefix));
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

/** Commands that make the user and the folders, and have systemd read its units again, where it runs. */
export async function stepsOf(prefix: string, remove: boolean): Promise<string[][]> {
  const made = [
    ["systemd-sysusers", `${prefix}/lib/sysusers.d/mirrorkit.conf`],
    ["systemd-tmpfiles", "--create", `${prefix}/lib/tmpfiles.d/mirrorkit.conf`],
  ];
  // As sd_booted(3) asks.
  const booted = await exists("/run/systemd/system");
  return [...(remove ? [] : made), ...(booted ? [["systemctl", "daemon-reload"]] : [])];
}

/** Runs one of them. Throws {@linkcode Failure} where it fails. */
export async function settle([program, ...args]: string[]) {
  const { success, stderr } = await outputOf(program, args);
  if (success) return;
  throw new Failure(
    `${program} ${args.join(" ")} failed: ${new TextDecoder().decode(stderr).trim()}`,
    "The files are in place; run this command again once the reason is gone.",
  );
}

async function outputOf(program: string, args: string[]) {
  try {
    return await new Deno.Command(program, { args }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Failure(
      `${program} is missing: this machine does not run systemd.`,
      "Use --root DIR.",
    );
  }
}

const REMOVED = "Removed. /etc/mirrorkit, /srv/mirror and the user mirrorkit stay.";

function placed(prefix: string): string {
  // Where systemd looks by itself: systemd.unit(5).
  const known = prefix === "/usr" || prefix === "/usr/local";
  return "Placed. Next: fill in /etc/mirrorkit/mirror.toml" +
    (known ? "" : `, then systemctl link ${prefix}/lib/systemd/system/mirrorkit*`) +
    ", then for each of its repositories\n" +
    "  systemctl enable --now mirrorkit-sync@NAME.timer\n" +
    "and the server: systemctl enable --now mirrorkit";
}

if (import.meta.main) Deno.exit(await main(Deno.args));
