/** A real `rsync --daemon` on a free loopback port, as the upstream. */
import { join } from "@std/path/posix";
import { Failure } from "../lib/cli.ts";
import { tied } from "../lib/run.ts";

/** `preferred` if nobody listens there, else a free port of 127.0.0.1. */
export function freePort(preferred = 0): number {
  try {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: preferred });
    return listener.addr.port;
  } catch (error) {
    if (preferred === 0 || !(error instanceof Deno.errors.AddrInUse)) throw error;
    return freePort();
  }
}

/** A daemon at work. */
export interface RsyncDaemon {
  /** `rsync://127.0.0.1:PORT/` */
  url: string;
  port: number;
  stop(): Promise<void>;
}

/** Starts a daemon that offers directories as modules; its files go to `dir`. Waits until it answers. */
export async function startRsyncDaemon(
  dir: string,
  modules: Record<string, string>,
  extra = "",
): Promise<RsyncDaemon> {
  const port = freePort();
  const config = join(dir, `rsyncd-${port}.conf`);
  const sections = Object.entries(modules).map(([name, path]) =>
    `[${name}]\npath = ${path}\nread only = yes\nuse chroot = no\nuid = ${Deno.uid()}\ngid = ${Deno.gid()}\n`
  );
  await Deno.writeTextFile(
    config,
    `log file = ${join(dir, `rsyncd-${port}.log`)}\n${extra}\n${sections.join("\n")}`,
  );
  const { command, args } = tied({
    command: "rsync",
    args: [
      "--daemon",
      "--no-detach",
      "--address=127.0.0.1",
      `--port=${port}`,
      `--config=${config}`,
    ],
  });
  const process = new Deno.Command(command, { args, stdin: "null", stdout: "null", stderr: "null" })
    .spawn();
  const stop = async () => {
    try {
      process.kill("SIGTERM");
    } catch { /* it has ended already */ }
    await process.status;
  };
  for (let tries = 0; tries < 100; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return { url: `rsync://127.0.0.1:${port}/`, port, stop };
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  await stop();
  throw new Failure(
    "The rsync daemon of the demo did not start.",
    "Is rsync installed? deno task setup",
  );
}
