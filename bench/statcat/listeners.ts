/**
 * Many clients of `/sse` in one process: `listeners.ts PORT CLIENTS STALLED SECONDS`. Prints as JSON what they
 * got. Plain sockets, so that what is measured is the hub and not an HTTP client. Stalled ones read nothing.
 */
import { connect, type Socket } from "node:net";

/** What the clients got. */
export interface Listened {
  /** Events that the clients got, of those that one could get between its first and the end. */
  got: number;
  expected: number;
  /** From when an event was due to when a client had all of it, in milliseconds. */
  largestDelayMs: number;
  medianDelayMs: number;
  bytes: number;
}

/** The hub sends so much after each full second (OFFSET_MS in scripts/statcat/run_hub.ts). */
const DUE_MS = 250;

const [port, clients, stalled, seconds] = Deno.args.map(Number);
const delays: number[] = [], ids: number[][] = [];
let bytes = 0, measuring = false;

function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket));
    socket.on("error", reject);
    socket.write("GET /sse HTTP/1.1\r\nHost: x\r\n\r\n");
  });
}

/** Notes each event of a stream when its last byte is there. */
function listen(socket: Socket) {
  const own: number[] = [];
  ids.push(own);
  let id = 0, tail = "";
  socket.on("data", (chunk: Uint8Array) => {
    bytes += chunk.length;
    // An event is some kilobytes on one line: only its beginning and its end are looked at.
    const text = tail + new TextDecoder().decode(chunk);
    for (const [, found, end] of text.matchAll(/(?:^|\n)id: (\d+)\n|(\n\n)/g)) {
      if (found) id = Number(found);
      else if (end && id) {
        if (measuring) {
          own.push(id);
          delays.push(Date.now() - id * 1000 - DUE_MS);
        }
        id = 0;
      }
    }
    tail = text.slice(-24).replace(/^[^]*\n\n/, "");
  });
}

for (let n = 0; n < clients; n += 100) {
  const sockets = await Promise.all(Array.from({ length: Math.min(100, clients - n) }, open));
  sockets.forEach(listen);
}
for (let n = 0; n < stalled; n++) (await open()).pause();
await new Promise((resolve) => setTimeout(resolve, 2000));
// Between two events, so that every client has as many of them before it.
await new Promise((resolve) => setTimeout(resolve, 1000 - Date.now() % 1000));
measuring = true;
console.log("measuring");
bytes = 0;
await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
measuring = false;
delays.sort((a, b) => a - b);
const result: Listened = {
  got: ids.reduce((sum, own) => sum + new Set(own).size, 0),
  expected: clients * seconds,
  largestDelayMs: delays.at(-1) ?? Infinity,
  medianDelayMs: delays[delays.length >> 1] ?? Infinity,
  bytes,
};
console.log(JSON.stringify(result));
// They listen on while the hub stops.
await new Promise((resolve) => setTimeout(resolve, 5000));
Deno.exit(0);
