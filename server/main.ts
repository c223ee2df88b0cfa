#!/usr/bin/env -S deno run --allow-net --allow-read --allow-write=/run/mirrorkit --allow-env --allow-sys=statfs
/**
 * The embedded server alone: serves the storage over HTTP, read-only.
 *
 *     deno task serve [--hostname ADDRESS] [--port PORT]
 *
 * With `--socket PATH`, or `socket` below `[server]`, it listens for nginx (server/nginx/). In another folder
 * than /run/mirrorkit it needs `--allow-write` for that folder as well.
 */
import {
  command,
  type CommandSpec,
  EXIT,
  Failure,
  type Log,
  UsageError,
} from "../scripts/lib/cli.ts";
import { type Config, loadConfig } from "../scripts/lib/config.ts";
import { startServer } from "./listen.ts";

const SPEC: CommandSpec = {
  name: "serve",
  summary: "serve the mirror over HTTP, until SIGINT or SIGTERM",
  operands: "",
  options: {
    hostname: { value: "ADDRESS", help: "address to listen on (default: server.hostname)" },
    port: { value: "PORT", help: "port, 0 for a free one (default: server.port)" },
    socket: {
      value: "PATH",
      help: "a unix socket in place of address and port (default: server.socket)",
    },
  },
  examples: [
    ["deno task serve --port 8080", "serve what mirror.toml names at http://127.0.0.1:8080/"],
    [
      "deno task serve --port 0 --json",
      'print {"url":"http://127.0.0.1:40123/",…} once it listens',
    ],
  ],
};

function readPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65535) return Number(text);
  throw new UsageError(`--port ${JSON.stringify(text)} is not allowed; allowed is 0 to 65535.`);
}

/** Resolves at the first SIGINT or SIGTERM. */
function signalled(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const listener = () => {
        // A second signal does what it does by default: it ends the process at once.
        Deno.removeSignalListener(signal, listener);
        resolve(signal);
      };
      Deno.addSignalListener(signal, listener);
    }
  });
}

async function warnOfStorage(config: Config, log: Log) {
  const found = await Deno.stat(`${config.data}/static`).catch(() => undefined);
  if (found && !found.isDirectory) {
    throw new Failure(
      `Cannot serve ${config.data}/static: it is not a directory.`,
      "Move it away.",
    );
  }
  if (!found) {
    log.warn(`warning: there is no ${config.data}/static yet: run the task sync:init`);
  }
}

/** The command. */
export function main(args: string[]): Promise<number> {
  return command(SPEC, args, async ({ values, switches, log }) => {
    const port = readPort(values.port);
    const config = await loadConfig({ values });
    await warnOfStorage(config, log);
    const server = startServer(config, {
      hostname: values.hostname,
      port,
      socket: values.socket ??
        (values.hostname === undefined && port === undefined ? config.server.socket : undefined),
      report: (message) => log.error(message),
    });
    const { url, hostname } = server;
    if (switches.has("json")) console.log(JSON.stringify({ url, hostname, port: server.port }));
    log.info(`${config.site.name}: serving ${config.data} at ${url}`);
    log.info(`stopping on ${await signalled()}`);
    if (!await server.shutdown()) log.warn("warning: requests that took too long were cut");
    return EXIT.done;
  });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
