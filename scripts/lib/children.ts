/** Our own commands as child processes: each with its own permissions, and none outlives its parent. */
import { fromFileUrl } from "@std/path/posix";
import { eachLine, tied } from "./run.ts";

/**
 * The permissions of each command, and what V8 is told; deno.json and the shebangs say the same
 * (tests/permissions_test.ts). A command's mode may have its own, as in `scripts/statcat.ts hub`.
 */
export const PERMISSIONS: Record<string, string[]> = {
  "scripts/syncrepo.ts": [
    "--allow-run=setpriv,sh",
    "--allow-read",
    "--allow-write",
    "--allow-env",
    "--allow-net",
    "--allow-sys=hostname,uid,statfs",
  ],
  "scripts/indexer.ts": [
    // A small young generation: less memory and, as listings soon become old, less copying. Measured on
    // the arch tree of the bench, cold: 244 MiB without, 195 MiB and 1.03 to 1.22 s with 4, 210 MiB and
    // 0.90 to 1.01 s with 8.
    "--v8-flags=--max-semi-space-size=8",
    "--allow-run=find",
    "--allow-read",
    "--allow-write",
    "--allow-env",
    "--allow-sys",
  ],
  "scripts/bwlimit.ts": [
    // Deno.listenDatagram.
    "--unstable-net",
    // What is left of 100,000 clients after a reboot is read with 8 MiB less.
    "--v8-flags=--max-semi-space-size=4",
    "--allow-run=setpriv,sh",
    "--allow-read",
    "--allow-write",
    "--allow-env",
    "--allow-net",
    "--allow-sys=networkInterfaces,uid",
  ],
  "scripts/configure.ts": ["--allow-run=setpriv", "--allow-read", "--allow-write", "--allow-env"],
  "scripts/healthz.ts": [
    "--allow-run=setpriv,sh",
    "--allow-read",
    "--allow-write",
    "--allow-env",
    "--allow-net",
    // Its checks of HTTPS ask for the roots of trust, which has no name of its own among these permissions.
    "--allow-sys",
  ],
  // The kernel's counters stand in /sys and /proc, which Deno opens for nothing less than everything.
  "scripts/statcat.ts": ["-A"],
  // It works for a millisecond a second, and compiles nothing for that: measured, a third less CPU.
  "scripts/statcat.ts spoke": ["--v8-flags=--lite-mode,--single-threaded", "-A"],
  "scripts/statcat.ts hub": ["--allow-net", "--allow-read", "--allow-write", "--allow-env"],
  "scripts/statcat.ts logs": ["--allow-read", "--allow-write", "--allow-env"],
  "server/main.ts": [
    "--allow-net",
    "--allow-read",
    "--allow-write=/run/mirrorkit",
    "--allow-env",
    "--allow-sys=statfs",
  ],
};

/** How a child ended, with what it printed on stdout. */
export interface Ended {
  code: number;
  stdout: string;
}

/** A running command of ours. */
export interface Child {
  /** Settles when it has ended. */
  ended: Promise<Ended>;
  /** Asks it to end (SIGTERM); after ten seconds it is killed. */
  stop(): Promise<Ended>;
}

/** How our commands run once their packages are there: nothing is fetched, checked or asked. */
export const OFFLINE = [
  "--quiet",
  "--no-check",
  "--no-prompt",
  "--cached-only",
  "--no-lock",
  "--node-modules-dir=manual",
];

/** The command line of a script of ours, with its permissions. */
export function denoCommand(script: string, args: string[]): [command: string, ...args: string[]] {
  const path = (name: string) => fromFileUrl(new URL(`../../${name}`, import.meta.url));
  const permissions = PERMISSIONS[`${script} ${args[0]}`] ?? PERMISSIONS[script] ?? ["-A"];
  const flags = [...OFFLINE, `--config=${path("deno.json")}`, ...permissions];
  return [Deno.execPath(), "run", ...flags, path(script), ...args];
}

/** Starts a command of ours. Its stderr is ours; each line of its stdout goes to `onLine`. */
export function startChild(
  script: keyof typeof PERMISSIONS,
  args: string[],
  onLine: (line: string) => void = () => {},
): Child {
  const [program, ...rest] = denoCommand(script, args);
  const { command, args: all } = tied({ command: program, args: rest });
  const process = new Deno.Command(command, { args: all, stdin: "null", stdout: "piped" }).spawn();
  let stdout = "";
  const read = eachLine(process.stdout, (line) => {
    stdout += line + "\n";
    onLine(line);
  });
  const ended = Promise.all([process.status, read]).then(([{ code }]) => ({ code, stdout }));
  return {
    ended,
    async stop() {
      const kill = (signal: Deno.Signal) => {
        try {
          process.kill(signal);
        } catch { /* it has ended already */ }
      };
      kill("SIGTERM");
      const killer = setTimeout(() => kill("SIGKILL"), 10_000);
      try {
        return await ended;
      } finally {
        clearTimeout(killer);
      }
    },
  };
}
