/**
 * The browsers that listen: server-sent events (HTML Living Standard, 9.2), serialized once a second for
 * all. A client that does not keep up has one event waiting and skips the others, so the newest wins; it
 * costs nobody anything, and after a while it is cut.
 */
import { Buffer } from "node:buffer";
import type { ServerResponse } from "node:http";
import { type LiveEvent, writeLiveEvent } from "../../formats/stats.ts";

/** What a browser waits before it comes back, in milliseconds. */
const RETRY_MS = 3000;
/** Events that are kept for who comes back with Last-Event-ID. */
const KEPT = 60;
/** A comment is sent after so many seconds without an event, so that nobody between takes it for dead. */
const KEEP_ALIVE_SECONDS = 15;
/** A client that takes nothing for this long is cut. */
const STALLED_SECONDS = 30;

/** What an audience may be. */
export interface Limits {
  clients: number;
  clientsPerAddress: number;
}

/** What is needed of a response; a test has its own. */
export type Listener = Pick<
  ServerResponse,
  "writeHead" | "write" | "end" | "destroy" | "on" | "writableLength"
>;

/** Header fields of a stream of events. */
export const EVENT_FIELDS = {
  "content-type": "text/event-stream",
  "cache-control": "no-store, no-transform",
  // nginx passes every event on at once.
  "x-accel-buffering": "no",
  "x-content-type-options": "nosniff",
};

interface Client {
  address: string;
  /** Since when it has taken nothing, in the audience's seconds. */
  stalledSince: number | undefined;
}

/** IPv6 clients have a /64 at least; that counts as one. */
export function clientKey(address: string): string {
  if (!address.includes(":")) return address;
  const [head, tail] = address.toLowerCase().split("::");
  const groups = head.split(":").filter((g) => g);
  if (tail !== undefined) { while (groups.length < 4) groups.push("0"); }
  return groups.slice(0, 4).map((g) => g.replace(/^0+(?=.)/, "")).join(":") + "::/64";
}

/** All clients of `/sse`. */
export class Audience {
  readonly #clients = new Map<Listener, Client>();
  readonly #perAddress = new Map<string, number>();
  #kept: { id: number; bytes: Buffer }[] = [];
  #spoke = -Infinity;
  /** Events that slow clients did not get, and clients that were turned away. */
  skipped = 0;
  refused = 0;

  constructor(readonly limits: Limits) {}

  get size(): number {
    return this.#clients.size;
  }

  /** Takes a client in; false where there are too many already, and nothing was written. */
  add(response: Listener, address: string, lastEventId: string | undefined): boolean {
    const key = clientKey(address), of = this.#perAddress.get(key) ?? 0;
    if (this.#clients.size >= this.limits.clients || of >= this.limits.clientsPerAddress) {
      this.refused++;
      return false;
    }
    this.#perAddress.set(key, of + 1);
    this.#clients.set(response, { address: key, stalledSince: undefined });
    response.on("close", () => this.#remove(response));
    response.on("error", () => this.#remove(response));
    response.writeHead(200, EVENT_FIELDS);
    response.write(
      Buffer.concat([Buffer.from(`retry: ${RETRY_MS}\n\n`), ...this.#missed(lastEventId)]),
    );
    return true;
  }

  /** What a client that comes back has missed; the last event for one that is new. */
  #missed(lastEventId: string | undefined): Buffer[] {
    const id = /^\d{1,15}$/.test(lastEventId ?? "") ? Number(lastEventId) : undefined;
    const events = id === undefined ? this.#kept.slice(-1) : this.#kept.filter((e) => e.id > id);
    return events.map((e) => e.bytes);
  }

  #remove(response: Listener) {
    const client = this.#clients.get(response);
    if (!client) return;
    this.#clients.delete(response);
    const left = this.#perAddress.get(client.address)! - 1;
    if (left) this.#perAddress.set(client.address, left);
    else this.#perAddress.delete(client.address);
  }

  /** Sends an event to everybody. Without spokes there is nothing to say but that we are here. */
  send(event: LiveEvent): void {
    if (event.spokes.length === 0) {
      if (event.time - this.#spoke >= KEEP_ALIVE_SECONDS) this.#write(": alive\n\n", event.time);
      return;
    }
    const text = `id: ${event.time}\ndata: ${writeLiveEvent(event)}\n\n`;
    const bytes = this.#write(text, event.time);
    this.#kept = [...this.#kept.slice(1 - KEPT), { id: event.time, bytes }];
  }

  #write(text: string, now: number): Buffer {
    const bytes = Buffer.from(text);
    this.#spoke = now;
    for (const [response, client] of this.#clients) {
      if (response.writableLength === 0) {
        client.stalledSince = undefined;
        response.write(bytes);
        continue;
      }
      this.skipped++;
      client.stalledSince ??= now;
      if (now - client.stalledSince > STALLED_SECONDS) response.destroy();
    }
    return bytes;
  }

  /** Ends all connections. */
  close(): void {
    for (const response of this.#clients.keys()) {
      if (response.writableLength === 0) response.end();
      else response.destroy();
    }
  }
}
