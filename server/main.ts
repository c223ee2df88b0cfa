#!/usr/bin/env -S deno run --allow-net --allow-read --allow-env
/**
 * The embedded server alone: serves the storage over HTTP, read-only.
 *
 *     deno task serve [--hostname ADDRESS] [--port PORT]
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
import { type AppOptions, createApp } from "./app.ts";

const SPEC: CommandSpec = {
  name: "serve",
  summary: "serve the mirror over HTTP, until SIGINT or SIGTERM",
  operands: "",
  options: {
    hostname: { value: "ADDRESS", help: "address to listen on (default: server.hostname)" },
    port: { value: "PORT", help: "port, 0 for a free one (default: server.port)" },
  },
  examples: [
    ["deno task serve --port 8080", "serve what mirror.toml names at http://127.0.0.1:8080/"],
    [
      "deno task serve --port 0 --json",
      'print {"url":"http://127.0.0.1:40123/",…} once it listens',
    ],
  ],
};

/** What runs gets this long to finish after a signal. */
const GRACE_MS = 10_000;

/** A server that listens. */
export interface RunningServer {
  /** Its root, with `/` at the end. */
  url: string;
  hostname: string;
  port: number;
  /**
   * Stops listening and lets requests finish; gives up on those that have not after `graceMs` (0 cuts
   * them at once). True if all finished.
   */
  shutdown(graceMs?: number): Promise<boolean>;
}

/** Starts a server for a configuration. Throws {@linkcode Failure} where it cannot listen. */
export function startServer(
  config: Config,
  options: Omit<AppOptions, "config"> & { hostname?: string; port?: number } = {},
): RunningServer {
  const { hostname = config.server.hostname, port = config.server.port, ...appOptions } = options;
  const app = createApp({ config, ...appOptions });
  const cut = new AbortController();
  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    // Hono gets nothing but the request: who asked is no concern of the app.
    server = Deno.serve(
      { hostname, port, signal: cut.signal, onListen: () => {} },
      (request) => app.fetch(request),
    );
  } catch (error) {
    throw cannotListen(error as Error, hostname, port);
  }
  const { addr } = server, any = /^(?:0\.0\.0\.0|::)$/.test(addr.hostname);
  const host = any
    ? "localhost"
    : addr.hostname.includes(":")
    ? `[${addr.hostname}]`
    : addr.hostname;
  return {
    url: `http://${host}:${addr.port}/`,
    hostname: addr.hostname,
    port: addr.port,
    async shutdown(graceMs = GRACE_MS) {
      if (graceMs === 0) {
        cut.abort();
        return await server.finished.then(() => true);
      }
      // Deno cannot cut connections any more once it shuts down gracefully; the process's end does.
      let timer: ReturnType<typeof setTimeout>;
      const tooLong = new Promise<boolean>((resolve) => {
        timer = setTimeout(() => resolve(false), graceMs);
      });
      try {
        return await Promise.race([server.shutdown().then(() => true), tooLong]);
      } finally {
        clearTimeout(timer!);
      }
    },
  };
}

function cannotListen(error: Error, hostname: string, port: number): Error {
  const where = `Cannot listen on ${hostname} port ${port}: `;
  if (error instanceof Deno.errors.AddrInUse) {
    return new Failure(
      `${where}it is in use.`,
      "Choose another with --port, or stop what uses it.",
    );
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return new Failure(`${where}this machine has no such address.`, "Choose one with --hostname.");
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return new Failure(`${where}permission denied.`, "Ports below 1024 need CAP_NET_BIND_SERVICE.");
  }
  return /resolve|lookup|invalid/i.test(error.message)
    ? new Failure(`${where}${error.message}.`, "Name an address of this machine with --hostname.")
    : error;
}

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
