/**
 * The hub's port: `/sse` for browsers, `/stats.json`, and a WebSocket for spokes at {@linkcode SPOKES}.
 *
 * It stands on node:http and `ws`, not on Deno.serve, for two reasons, both measured: `ws` cuts a peer
 * whose message is too long (Deno.upgradeWebSocket takes fragments without end, until memory is full), and
 * a node:http response says how much a client has yet to take.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Failure } from "../lib/cli.ts";
import { type Audience, EVENT_FIELDS } from "./audience.ts";
import { type ConnectionParts, Spokes } from "./connections.ts";

/** A request's whole head has to be here by then, however it drips: else one peer could hold every place. */
const HEAD_MS = 10_000;

/** Connections beside those of listeners: spokes, questions, and those that have not said yet what they are. */
const MORE_CONNECTIONS = 2000;

/** What the endpoint is made of. */
export interface Parts extends ConnectionParts {
  audience: Audience;
  /** The answer at `/stats.json`, or `undefined` where there is no such spoke or span. */
  stats: (query: URLSearchParams) => Promise<string> | undefined;
}

/** A running endpoint. */
export interface Endpoint {
  port: number;
  /** Tells a spoke that everything up to a number is stored. */
  tell(id: string, text: string): void;
  /** Cuts a spoke whose token was taken away. */
  cut(id: string): void;
  connected(): Iterable<string>;
  close(): Promise<void>;
}

/** Who really asks: what stands on this machine (nginx, the embedded server) is believed. */
function addressOf(request: IncomingMessage): string {
  const peer = request.socket.remoteAddress ?? "";
  if (!/^(?:127\.|::1$|::ffff:127\.)/.test(peer)) return peer;
  return String(request.headers["x-forwarded-for"] ?? peer).split(",").at(-1)!.trim().slice(0, 64);
}

function answer(response: ServerResponse, status: number, text: string, fields = {}) {
  response.writeHead(status, {
    "content-type": status === 200 ? "application/json" : "text/plain; charset=utf-8",
    "content-length": String(new TextEncoder().encode(text).length),
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    ...fields,
  });
  // To HEAD, node:http sends no body.
  response.end(text);
}

/** Answers what is no WebSocket. */
function serveRequest(
  { audience, stats }: Parts,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const url = new URL(request.url ?? "/", "http://hub");
  if (request.method !== "GET" && request.method !== "HEAD") {
    return answer(response, 405, "Nothing can be changed here.\n", { allow: "GET, HEAD" });
  }
  if (url.pathname === "/sse") {
    if (request.method === "HEAD") {
      response.writeHead(200, EVENT_FIELDS);
      return response.end();
    }
    const lastEventId = String(request.headers["last-event-id"] ?? "");
    // No length and no chunks: the connection's end ends it, so one buffer is sent to all as it is.
    response.shouldKeepAlive = false;
    response.useChunkedEncodingByDefault = false;
    if (audience.add(response, addressOf(request), lastEventId)) return;
    return answer(response, 503, "There are too many listeners.\n", { "retry-after": "30" });
  }
  if (url.pathname === "/stats.json") {
    const text = stats(url.searchParams);
    if (text === undefined) return answer(response, 404, "There is no such spoke or span.\n");
    text.then(
      (json) => answer(response, 200, json, { "cache-control": "public, max-age=5" }),
      () => answer(response, 503, "The history cannot be read.\n", { "retry-after": "10" }),
    );
    return;
  }
  return answer(response, 404, "The hub answers at /sse and /stats.json.\n");
}

/** Starts listening. Throws {@linkcode Failure} where that is not possible. */
export async function listen(
  parts: Parts,
  hostname: string,
  port: number,
  headMs = HEAD_MS,
): Promise<Endpoint> {
  const spokes = new Spokes(parts), most = parts.audience.limits.clients + MORE_CONNECTIONS;
  const server = createServer((request, response) => {
    const { socket } = request;
    latest.set(socket, response);
    clearTimeout(sockets.get(socket));
    // The next head has as long; with pipelining it may be here before this answer has gone.
    response.on("close", () => latest.get(socket) === response && awaitHead(socket));
    serveRequest(parts, request, response);
  });
  /** Who is connected, and the timer that ends the wait for a head. */
  const sockets = new Map<Socket, ReturnType<typeof setTimeout>>();
  const latest = new WeakMap<Socket, ServerResponse>();
  const awaitHead = (socket: Socket) => {
    if (socket.destroyed) return;
    clearTimeout(sockets.get(socket));
    sockets.set(socket, setTimeout(() => socket.destroy(), headMs));
  };
  server.on("connection", (socket: Socket) => {
    if (sockets.size >= most) return socket.destroy();
    awaitHead(socket);
    socket.on("close", () => {
      clearTimeout(sockets.get(socket));
      sockets.delete(socket);
    });
    socket.on("error", () => socket.destroy());
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Uint8Array) => {
    clearTimeout(sockets.get(socket as Socket));
    spokes.upgrade(request, socket, head).catch((error) => {
      parts.report(`cannot look at the tokens: ${error.message}`);
      socket.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: Error) => reject(cannotListen(error, hostname, port)));
    server.listen(port, hostname, () => resolve());
  }).catch((error) => {
    spokes.close();
    throw error;
  });
  return {
    port: (server.address() as AddressInfo).port,
    tell: (id, text) => spokes.open.get(id)?.send(text),
    cut: (id) => spokes.open.get(id)?.terminate(),
    connected: () => spokes.open.keys(),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      spokes.close();
      parts.audience.close();
      // What has not ended by itself is cut.
      const timer = setTimeout(() => sockets.forEach((_, socket) => socket.destroy()), 500);
      await closed;
      clearTimeout(timer);
    },
  };
}

function cannotListen(error: Error & { code?: string }, hostname: string, port: number): Failure {
  return new Failure(
    `The hub cannot listen on ${hostname} port ${port}: ${
      error.code === "EADDRINUSE" ? "it is in use" : error.message
    }.`,
    "Choose another with statcat.port in mirror.toml or --port, or stop what uses it.",
  );
}
