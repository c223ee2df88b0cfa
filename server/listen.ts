/** The embedded server as something that listens: at an address, or for nginx on a unix socket. */
import { Failure } from "../scripts/lib/cli.ts";
import type { Config } from "../scripts/lib/config.ts";
import { type AppOptions, createApp } from "./app.ts";
import { HubLink } from "./hub.ts";
import { Hot } from "./hot.ts";

/** What runs gets this long to finish after a signal. */
const GRACE_MS = 10_000;
/** After its socket is gone, a server still takes connections that were made just before. */
const LATE_MS = 50;

/** A server that listens. */
export interface RunningServer {
  /** Its root, with `/` at the end; of a socket, `unix:` and its path. */
  url: string;
  hostname: string;
  /** 0 for a socket. */
  port: number;
  /**
   * Stops listening and lets requests finish; gives up on those that have not after `graceMs` (0 cuts
   * them at once). True if all finished.
   */
  shutdown(graceMs?: number): Promise<boolean>;
}

type Handler = (request: Request, info: Deno.ServeHandlerInfo) => Response | Promise<Response>;

/** Where to listen; by default where mirror.toml says. A socket goes before an address. */
export interface Where {
  hostname?: string;
  port?: number;
  socket?: string;
}

/** Starts a server for a configuration. Throws {@linkcode Failure} where it cannot listen. */
export function startServer(
  config: Config,
  options: Omit<AppOptions, "config"> & Where = {},
): RunningServer {
  const { hostname = config.server.hostname, port = config.server.port, socket, ...rest } = options;
  const hub = new HubLink(config), app = createApp({ config, hub, ...rest });
  const cut = new AbortController();
  // Hono gets nothing but the request: who asked is no concern of the app, but for how many streams.
  const hot = new Hot((request) => app.fetch(request)).handle;
  // The address is asked for only where it is needed: Deno has to make it for each request.
  const handler: Handler = (request, info) =>
    request.url.endsWith("/sse") && info.remoteAddr.transport === "tcp"
      ? app.fetch(request, { address: info.remoteAddr.hostname })
      : hot(request);
  const ending = (server: RunningServer): RunningServer => ({
    ...server,
    shutdown(graceMs) {
      hub.close();
      return server.shutdown(graceMs);
    },
  });
  if (socket !== undefined) return ending(onSocket(socket, cut, handler));
  try {
    const server = Deno.serve(
      { hostname, port, signal: cut.signal, onListen: () => {} },
      handler,
    );
    const { addr } = server;
    return ending({
      url: `http://${hostOf(addr.hostname)}:${addr.port}/`,
      hostname: addr.hostname,
      port: addr.port,
      shutdown: (graceMs) => shutdown(server, cut, graceMs),
    });
  } catch (error) {
    throw cannotListen(error as Error, hostname, port);
  }
}

/**
 * Listens on a unix socket. It is bound beside its place and renamed there: a server that starts before
 * the old one stops takes over without a moment in which nobody answers, and what a killed one left is no
 * obstacle. Who may connect is up to the folder.
 */
function onSocket(
  socket: string,
  cut: AbortController,
  handler: Handler,
): RunningServer {
  const beside = `${socket}.${Deno.pid}.new`;
  try {
    const server = Deno.serve({ path: beside, signal: cut.signal, onListen: () => {} }, handler);
    Deno.chmodSync(beside, 0o666);
    const { ino } = Deno.lstatSync(beside);
    Deno.renameSync(beside, socket);
    return {
      url: `unix:${socket}`,
      hostname: "",
      port: 0,
      async shutdown(graceMs) {
        const there = await Deno.lstat(socket).catch(() => undefined);
        if (there?.ino === ino) await Deno.remove(socket);
        await new Promise((resolve) => setTimeout(resolve, LATE_MS));
        return await shutdown(server, cut, graceMs);
      },
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.PermissionDenied) {
      throw new Failure(
        `Cannot listen on ${socket}: permission denied.`,
        "The folder must be writable, also for Deno: --allow-write=FOLDER.",
      );
    }
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Failure(`Cannot listen on ${socket}: there is no such folder.`, "Make it.");
  }
}

/** How a host is written in a URL that can be opened. */
function hostOf(hostname: string): string {
  if (/^(?:0\.0\.0\.0|::)$/.test(hostname)) return "localhost";
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

async function shutdown(
  server: Pick<Deno.HttpServer, "shutdown" | "finished">,
  cut: AbortController,
  graceMs = GRACE_MS,
): Promise<boolean> {
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
