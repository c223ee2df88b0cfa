/** The WebSockets of spokes: who gets in, what ends a connection, and heartbeats. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
// @ts-types="@types/ws"
import { type WebSocket, WebSocketServer } from "ws";
import { SPOKES } from "../lib/statcat.ts";
import type { Hub, Refusal } from "./hub.ts";
import { MAX_MESSAGE_BYTES } from "./sample.ts";

/** The hub says so often that it is there; a spoke speaks every second anyway. */
const PING_MS = 3000;
/** A spoke that says nothing for this long is dead. */
const DEAD_MS = 10_000;

/** What connections need. */
export interface ConnectionParts {
  hub: Hub;
  /** The name that a token belongs to. */
  identify: (token: string) => Promise<string | undefined>;
  /** Gets why something was refused, never what. */
  report: (what: string) => void;
  /** Epoch seconds. */
  now: () => number;
}

/** The connections of spokes. */
export class Spokes {
  readonly open = new Map<string, WebSocket>();
  readonly #heard = new Map<WebSocket, number>();
  readonly #upgrades = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
  });
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(private readonly parts: ConnectionParts) {
    this.#timer = setInterval(() => this.#look(), PING_MS);
  }

  /** Lets a spoke in whose token is good. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array) {
    socket.on("error", () => socket.destroy());
    const [path] = (request.url ?? "").split("?");
    const token = /^Bearer (\S{1,200})$/.exec(request.headers.authorization ?? "")?.[1];
    const id = path === SPOKES && token ? await this.parts.identify(token) : undefined;
    if (id === undefined) {
      this.#refused("unauthorized", "somebody");
      socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    this.#upgrades.handleUpgrade(
      request,
      socket as Socket,
      head as never,
      (ws) => this.#welcome(id, ws),
    );
  }

  #welcome(id: string, ws: WebSocket) {
    // Of two with the same token the newer one is right: the other may have been dead for a while.
    this.open.get(id)?.terminate();
    this.open.set(id, ws);
    this.#heard.set(ws, Date.now());
    ws.on("message", (data, binary) => {
      // What came in one piece with what ended it.
      if (ws.readyState !== ws.OPEN) return;
      this.#heard.set(ws, Date.now());
      const reason = binary
        ? this.parts.hub.refuse("malformed")
        : this.parts.hub.take(id, String(data), this.parts.now());
      if (reason) this.#end(id, ws, reason);
    });
    ws.on("pong", () => this.#heard.set(ws, Date.now()));
    ws.on("error", (error: Error & { code?: string }) => {
      const long = /TOO_MANY|MESSAGE_LENGTH|Max payload/.test(`${error.code} ${error.message}`);
      const invalid = error.code?.startsWith("WS_ERR");
      if (long || invalid) {
        this.#end(id, ws, this.parts.hub.refuse(long ? "oversized" : "malformed"));
      } else ws.terminate();
    });
    ws.on("close", () => {
      this.#heard.delete(ws);
      if (this.open.get(id) === ws) this.open.delete(id);
    });
  }

  #refused(reason: Refusal, who: string) {
    if (reason === "unauthorized") this.parts.hub.refuse(reason);
    this.parts.report(`${who}: refused: ${reason.replace("_", " ")}`);
  }

  /** Ends a connection at once: a polite goodbye would let the peer go on sending. */
  #end(id: string, ws: WebSocket, reason: Refusal) {
    this.#refused(reason, id);
    ws.terminate();
  }

  #look() {
    for (const ws of this.open.values()) {
      if (Date.now() - (this.#heard.get(ws) ?? 0) > DEAD_MS) ws.terminate();
      else ws.ping();
    }
  }

  close() {
    clearInterval(this.#timer);
    for (const ws of this.open.values()) {
      ws.close(1001);
      ws.terminate();
    }
  }
}
