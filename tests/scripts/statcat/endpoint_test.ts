/** The hub's port, with real sockets: who gets in, what clients get, and what hostile peers can't do. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { connect, type Socket } from "node:net";
import { readHubState } from "../../../formats/hub.ts";
import { readLiveEvent, readStats } from "../../../formats/stats.ts";
import { readConfig } from "../../../scripts/lib/config.ts";
import { denoCommand } from "../../../scripts/lib/children.ts";
import { SPOKES, statcatFiles } from "../../../scripts/lib/statcat.ts";
import { Audience } from "../../../scripts/statcat/audience.ts";
import { listen, type Parts } from "../../../scripts/statcat/endpoint.ts";
import { addToken, removeToken } from "../../../scripts/statcat/tokens.ts";
import { tempDir, TestNode } from "../../helpers/node.ts";
import { connectSpoke, startTestHub } from "../../helpers/statcat.ts";

const configOf = (data: string, more = "") =>
  readConfig(
    `[site]\nname = "m.test"\n[statcat]\n${more}\n[[repo]]\nname = "a"\nprofile = "generic"\nupstream = ["/u/"]`,
    "/m.toml",
    data,
  );
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Events of a stream until `enough`; gives what was read. */
async function events(url: string, enough: (text: string) => boolean, headers = {}) {
  const left = new AbortController();
  const response = await fetch(`${url}/sse`, { headers, signal: left.signal });
  let text = "";
  try {
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
      if (enough(text += part)) break;
    }
  } finally {
    left.abort();
  }
  return { text, headers: response.headers };
}

Deno.test("hub: only who has a token gets in, for as long as it has one, and for itself alone", async () => {
  await using dir = await tempDir();
  await using hub = await startTestHub(configOf(dir.path));
  const seoul = await hub.token("seoul"), busan = await hub.token("busan");
  for (const token of ["", "seoul", "seoul.x", seoul + "x", seoul.replace("seoul", "busan")]) {
    await assertRejects(() => connectSpoke(hub.url, token), Error, "401");
  }
  const [first, other] = [await connectSpoke(hub.url, seoul), await connectSpoke(hub.url, busan)];
  first.say([["eth0", 1000, 2000, 3, 4]]);
  other.ws.send(
    JSON.stringify({ v: 1, spoke: "seoul", session: "s", clock: Date.now() / 1000, samples: [] }),
  );
  assertEquals(await other.closed, 1006);
  const { text, headers } = await events(hub.url, (t) => /"seoul"/.test(t));
  const event = readLiveEvent(/^data: (.*)$/m.exec(text)![1])!;
  assertEquals(event.spokes.map((s) => [s.id, s.rxBytes]), [["seoul", 1000]]);
  assertMatch(text, /^retry: \d+\n\nid: \d+\ndata: /);
  assertEquals(
    ["content-type", "x-accel-buffering", "content-encoding"].map((name) => headers.get(name)),
    ["text/event-stream", "no", null],
  );
  // The same token twice: the newer one holds.
  const second = await connectSpoke(hub.url, seoul);
  await first.closed;
  // Its token is taken away: it is cut, and does not come in again.
  await removeToken(statcatFiles(dir.path).tokens, "seoul");
  await second.closed;
  await assertRejects(() => connectSpoke(hub.url, seoul), Error, "401");
  const said = hub.said.join("");
  assertMatch(said, /refused: unauthorized/);
  assertEquals(said.includes(seoul.slice(6)), false);
});

Deno.test("hub: a head that drips is cut in time, the first of a connection and those after it", async () => {
  const audience = new Audience({ clients: 1, clientsPerAddress: 1 });
  const hub = await listen({ audience } as Parts, "127.0.0.1", 0, 500);
  try {
    for (const before of ["", "GET / HTTP/1.1\r\nHost: m\r\n\r\n"]) {
      const socket = connect(hub.port, "127.0.0.1"), started = performance.now();
      const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
      socket.on("error", () => {}).resume().write(before + "GET / HTTP/1.1\r\nX: ");
      const drip = setInterval(() => socket.write("x"), 50);
      const late = setTimeout(() => socket.destroy(), 5000);
      await closed;
      clearInterval(drip);
      clearTimeout(late);
      assert(performance.now() - started < 4500, `held after ${JSON.stringify(before)}`);
    }
  } finally {
    await hub.close();
  }
});

Deno.test("hub: /stats.json by span and spoke; /sse resumes, and is full at its limit", async () => {
  await using dir = await tempDir();
  await using hub = await startTestHub(configOf(dir.path, "clients = 3\nclients_per_address = 2"));
  const spoke = await connectSpoke(hub.url, await hub.token("seoul"));
  spoke.say([["eth0", 1000, 2000, 3, 4]]);
  const { text } = await events(hub.url, (t) => (t.match(/^id:/gm) ?? []).length > 2);
  const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
  assertEquals(ids.map((id) => id - ids[0]), [0, 1, 2]);
  const again = await events(hub.url, (t) => t.includes("data:"), {
    "last-event-id": String(ids[0]),
  });
  assertMatch(again.text, new RegExp(`^retry: \\d+\n\nid: ${ids[0] + 1}\n`));

  const open = async (address: string) => {
    const left = new AbortController();
    const headers = { "x-forwarded-for": `192.0.2.99, ${address}` };
    const response = await fetch(`${hub.url}/sse`, { headers, signal: left.signal });
    return { response, left };
  };
  await sleep(50);
  const listeners = [await open("192.0.2.1"), await open("192.0.2.1")];
  for (
    const [address, status] of [["192.0.2.1", 503], ["192.0.2.2", 200], ["192.0.2.3", 503]] as const
  ) {
    const one = await open(address);
    assertEquals([address, one.response.status], [address, status]);
    if (status === 503) assertEquals(one.response.headers.get("retry-after"), "30");
    if (status === 503) await one.response.body!.cancel();
    else listeners.push(one);
  }
  assertEquals(hub.hub.listeners(), 3);
  for (const { left } of listeners) left.abort();

  for (const span of ["hour", "day", "month", "year"]) {
    const response = await fetch(`${hub.url}/stats.json?span=${span}`);
    const stats = readStats(await response.text());
    assertEquals([span, stats?.span, stats?.series.length], [span, span, 1]);
  }
  const statuses = ["?span=century", "?spoke=nobody", "?spoke=../../x", "?span=__proto__"];
  for (const query of statuses) {
    const response = await fetch(`${hub.url}/stats.json${query}`);
    assertEquals([query, response.status], [query, 404]);
    await response.body!.cancel();
  }
  for (
    const [method, path, status] of [["POST", "/sse", 405], ["GET", "/", 404], [
      "GET",
      SPOKES,
      404,
    ]] as const
  ) {
    const response = await fetch(hub.url + path, { method });
    assertEquals([path, response.status], [path, status]);
    await response.body!.cancel();
  }
  spoke.ws.terminate();
});

/** A socket that sends what it is told and reads nothing unless told. */
function rawSocket(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket));
    socket.on("error", () => reject(new Error("refused")));
  });
}

const hello = (token: string) =>
  `GET ${SPOKES} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
  `Authorization: Bearer ${token}\r\n\r\n`;

/** The head of a masked frame (RFC 6455, 5.2), mask zero. */
function frameHead(opcode: number, length: number, fin = true): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(14), view = new DataView(head.buffer);
  head[0] = (fin ? 0x80 : 0) | opcode;
  head[1] = 0x80 | 127;
  view.setBigUint64(2, BigInt(length));
  return head;
}

/** The resident memory of a process, in MiB. */
async function rss(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
}

/** A hub as a process of its own, with its permissions. */
async function hubProcess(node: TestNode) {
  await node.configure(
    `[statcat]\nport = 0\nclients_per_address = 5000\n[[repo]]\nname = "a"\nprofile = "generic"\nupstream = ["/u/"]`,
  );
  const [program, ...args] = denoCommand("scripts/statcat.ts", ["hub", "--json", "-q"]);
  const child = new Deno.Command(program, {
    args,
    env: { MIRROR_CONFIG: node.config, MIRROR_DATA: node.path(), NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const said = new Response(child.stderr).text();
  const reader = child.stdout.getReader();
  const { port } = JSON.parse(new TextDecoder().decode((await reader.read()).value));
  await reader.cancel();
  return { child, port: Number(port), url: `http://127.0.0.1:${port}`, said };
}

/** Numbers that look like chance and are the same every time. */
function chance(seed: number): (most: number) => number {
  return (most) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed % most;
  };
}

const GOOD = (spoke: string) => {
  const clock = Date.now() / 1000;
  const samples = [[1, Math.floor(clock), 1000, [["eth0", 1, 2, 3, 4]]]];
  return JSON.stringify({ v: 1, spoke, session: "s", clock, samples });
};

/** A message that is good but for some characters. */
function mutated(spoke: string, random: (most: number) => number): string {
  const text = GOOD(spoke).split("");
  for (let n = 0; n < 1 + random(4); n++) {
    const kind = random(3), at = random(text.length);
    if (kind === 0) text[at] = String.fromCharCode(random(0x300));
    else if (kind === 1) text.splice(at, random(20));
    else text.splice(at, 0, '[{"\\u0000', "9".repeat(random(400)), "[".repeat(random(500)));
  }
  return text.join("");
}

Deno.test({
  name: "hub: some ten thousand broken frames, messages and requests; it neither dies nor grows",
  // Sockets that are cut from the other side leave their ends to the runtime.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await using node = await TestNode.make("");
    const { child, port, url, said } = await hubProcess(node);
    const tokens = `${node.path()}/state/statcat/tokens.json`,
      good = await addToken(tokens, "good");
    // Each has its own: of two connections with one token the older is ended.
    const evils: string[] = [];
    for (let n = 0; n < 10; n++) evils.push(await addToken(tokens, `evil-${n}`));
    const honest = await connectSpoke(url, good), random = chance(1);
    const talk = setInterval(() => honest.say([["eth0", 1000, 1, 1, 1]]), 1000);
    honest.say([["eth0", 1000, 1, 1, 1]]);
    let sent = 0;
    /** A connection with a good token that says one evil thing, and is gone. */
    const attack = async (bytes: (Uint8Array<ArrayBuffer> | string)[], as: string) => {
      const socket = await rawSocket(port);
      const closed = new Promise((resolve) => socket.on("close", resolve));
      socket.on("error", () => {});
      socket.resume();
      socket.write(hello(as));
      for (const part of bytes) {
        sent++;
        socket.write(part);
      }
      await Promise.race([closed, sleep(30)]);
      socket.destroy();
    };
    const bytes = (length: number) => Uint8Array.from({ length }, () => random(256));
    const text = (message: string) => {
      const body = new TextEncoder().encode(message);
      return [frameHead(1, body.length), body];
    };
    const kinds: ((name: string) => (Uint8Array<ArrayBuffer> | string)[])[] = [
      // Garbage, cut frames, reserved bits and opcodes, lengths that are lies.
      () => [bytes(1 + random(200))],
      () => [frameHead(random(16), random(2 ** 31)), bytes(random(100))],
      () => [frameHead(1, Number.MAX_SAFE_INTEGER)],
      () => Array.from({ length: 40 }, () => [frameHead(1, 10, false), bytes(10)]).flat(),
      () => Array.from({ length: 100 }, () => frameHead(9, 0)),
      // Messages that are almost good.
      (name) => text(mutated(name, random)),
      (name) => text(mutated(name, random)),
      (name) => text(mutated(name, random)),
      (name) => text(GOOD(name).repeat(1000)),
      () => text(GOOD("good")),
    ];
    const flood = (name: string) => Array.from({ length: 60 }, () => text(GOOD(name))).flat();
    const requests = [
      "GET / HTTP/1.1\r\n\r\n",
      "GET /sse HTTP/9.9\r\nHost: x\r\n\r\n",
      "GET " + "a".repeat(70_000) + " HTTP/1.1\r\n\r\n",
      "\x16\x03\x01\x02\x00\x01",
      `GET ${SPOKES} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`,
      "POST /stats.json HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\nx",
      "GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET //[ HTTP/1.1\r\nHost: x\r\n\r\n",
    ];
    const round = async (n: number) => {
      for (let done = 0; done < n; done += 10) {
        await Promise.all(Array.from({ length: 10 }, async (_, i) => {
          const kind = i === 8 ? flood : kinds[random(kinds.length)];
          if (i < 9) return await attack(kind(`evil-${i}`), evils[i]).catch(() => {});
          const socket = await rawSocket(port);
          socket.on("error", () => {});
          sent++;
          socket.write(requests[random(requests.length)]);
          await sleep(10);
          socket.destroy();
        }));
      }
    };
    await round(200);
    const before = await rss(child.pid);
    while (sent < 30_000) await round(100);
    // A message without end, in fragments: 300 MiB if it were let.
    const MiB = new Uint8Array(1 << 20);
    const socket = await rawSocket(port);
    socket.on("error", () => {});
    let cut = false;
    socket.on("close", () => cut = true);
    socket.resume();
    socket.write(hello(evils[9]));
    for (let n = 0; n < 300 && !cut; n++) {
      socket.write(frameHead(n ? 0 : 1, MiB.length, false));
      if (!socket.write(MiB)) {
        await Promise.race([new Promise((r) => socket.once("drain", r)), sleep(50)]);
      }
    }
    assert(cut, "a message without end was let through");
    const after = await rss(child.pid);
    console.log(`${sent} frames and requests; RSS ${before.toFixed(0)} -> ${after.toFixed(0)} MiB`);
    assert(after - before < 60, `it grew from ${before} to ${after} MiB`);
    // It saw all of that: each kind was refused for what it was.
    let refused: Record<string, number> = {};
    for (let tries = 0; tries < 120 && !(refused.oversized > 0); tries++) {
      await sleep(100);
      refused =
        readHubState(await Deno.readTextFile(`${node.path()}/state/statcat/hub.json`))!.refused;
    }
    console.log(JSON.stringify(refused));
    for (const reason of ["unauthorized", "malformed", "oversized", "impersonating", "too_many"]) {
      assert(refused[reason] > 5, `${reason}: ${refused[reason]}`);
    }
    // Nobody else noticed anything, and nobody spoke for another.
    const { text: stream } = await events(url, (t) => t.includes("data:"));
    const { spokes } = readLiveEvent(/^data: (.*)$/m.exec(stream)![1])!;
    assertEquals(spokes.find((s) => s.id === "good")?.rxBytes, 1000);
    assertEquals(honest.ws.readyState, 1);
    clearInterval(talk);
    honest.ws.terminate();
    child.kill("SIGTERM");
    assertEquals((await child.status).code, 0);
    const log = await said;
    assertEquals(/eth0|session|samples/.test(log), false, "what was refused is in the log");
    assert(log.split("\n").length < 40, "the log was flooded");
  },
});

Deno.test({
  name: "hub: a client that stops reading costs nothing; with clients it stops in under 2 s",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await using node = await TestNode.make("");
    const { child, port, url, said } = await hubProcess(node);
    const tokens = `${node.path()}/state/statcat/tokens.json`;
    const spoke = await connectSpoke(url, await addToken(tokens, "seoul"));
    const talk = setInterval(() => spoke.say([["eth0", 1000, 1, 1, 1]]), 1000);
    spoke.say([["eth0", 1000, 1, 1, 1]]);
    const stalled = await Promise.all(Array.from({ length: 50 }, async () => {
      const socket = await rawSocket(port);
      socket.on("error", () => {});
      socket.write("GET /sse HTTP/1.1\r\nHost: x\r\n\r\n");
      socket.pause();
      return socket;
    }));
    let last = 0, slowest = 0;
    const ids: number[] = [];
    await events(url, (text) => {
      const id = Number([...text.matchAll(/^id: (\d+)$/gm)].at(-1)?.[1] ?? 0);
      if (id === last) return false;
      last = id;
      ids.push(id);
      slowest = Math.max(slowest, Date.now() - id * 1000 - 250);
      return ids.length >= 5;
    });
    assertEquals(ids.map((id) => id - ids[0]), [0, 1, 2, 3, 4]);
    assert(slowest < 3000, `an event came ${slowest} ms late`);
    clearInterval(talk);
    const started = performance.now();
    child.kill("SIGTERM");
    assertEquals((await child.status).code, 0);
    const took = performance.now() - started;
    assert(took < 2000, `it took ${took} ms to stop`);
    for (const socket of stalled) socket.destroy();
    await said;
    spoke.ws.terminate();
  },
});
