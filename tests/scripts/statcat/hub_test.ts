/** The hub's parts without a port: what it takes, refuses, keeps and tells. */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { join } from "@std/path/posix";
import { readLiveEvent } from "../../../formats/stats.ts";
import { Audience, clientKey, type Listener } from "../../../scripts/statcat/audience.ts";
import { History, LEVELS } from "../../../scripts/statcat/history.ts";
import { Hub } from "../../../scripts/statcat/hub.ts";
import { periodsOf, seriesOf, totalsOf } from "../../../scripts/statcat/periods.ts";
import {
  MAX_MESSAGE_BYTES,
  readMessage,
  type Row,
  type Sample,
  writeMessage,
} from "../../../scripts/statcat/sample.ts";
import { addToken, loadTokens, removeToken, spokeOf } from "../../../scripts/statcat/tokens.ts";
import { untilNext } from "../../../scripts/statcat/ticks.ts";
import { tempDir } from "../../helpers/node.ts";

/** 2026-11-22 12:00 UTC. */
const NOW = Date.parse("2026-11-22T12:00:00Z") / 1000;
const sample = (seq: number, time = NOW - 1, ...rows: Row[]): Sample => ({
  seq,
  time,
  ms: 1000,
  rows,
});
const eth0 = (rx: number, tx = 0): Row => ["eth0", rx, tx, 1, 2];
const frame = (spoke: string, samples: Sample[], more = {}) =>
  writeMessage({ spoke, session: "s1", clock: NOW, ...more }, samples).text;

Deno.test("writeMessage, readMessage: what is written is read; never longer than a hub takes", () => {
  const samples = Array.from(
    { length: 900 },
    (_, i) =>
      sample(
        i + 1,
        NOW - 900 + i,
        ...Array.from({ length: 16 }, (_, n): Row => [`interface-${n}`, 1e12, 1e12, 1e9, 1e9]),
      ),
  );
  let next = 0, messages = 0;
  for (; next < 900; messages++) {
    const { text, last } = writeMessage(
      { spoke: "a", session: "s", clock: NOW },
      samples.slice(next),
    );
    assert(text.length < MAX_MESSAGE_BYTES, `${text.length}`);
    assertEquals(readMessage(text)!.samples, samples.slice(next, last));
    next = last;
  }
  assert(messages > 1);
});

Deno.test("Hub.take: a table of what is refused, and why", () => {
  using history = new History(":memory:");
  const good = JSON.parse(frame("a", [sample(1)]));
  const changed = (change: object) => JSON.stringify({ ...good, ...change });
  const table: [string, string | undefined][] = [
    [JSON.stringify(good), undefined],
    ["", "malformed"],
    ["{", "malformed"],
    ["null", "malformed"],
    ["[]", "malformed"],
    ['"' + "x".repeat(60_000), "malformed"],
    ["[".repeat(60_000), "malformed"],
    [changed({ v: 2 }), "malformed"],
    [changed({ more: 1 }), "malformed"],
    [changed({ spoke: "A B" }), "malformed"],
    [changed({ spoke: "b" }), "impersonating"],
    [changed({ session: "x".repeat(65) }), "malformed"],
    [changed({ samples: Array(2001).fill(good.samples[0]) }), "malformed"],
    [changed({ samples: [[1, NOW, 1000, [["eth0", -1, 0, 0, 0]]]] }), "malformed"],
    [changed({ samples: [[1, NOW, 1000, [["eth0", 1.5, 0, 0, 0]]]] }), "malformed"],
    [changed({ samples: [[1, NOW, 1000, [["eth0", 1e16, 0, 0, 0]]]] }), "malformed"],
    [changed({ samples: [[1, NOW, 0, [["eth0", 1, 0, 0, 0]]]] }), "malformed"],
    [changed({ samples: [[1, NOW, 1000, [["../x", 1, 0, 0, 0]]]] }), "malformed"],
    [changed({ samples: [[1, NOW, 1000, Array(17).fill(["eth0", 1, 0, 0, 0])]] }), "malformed"],
    [changed({ samples: [[1, NOW, 1000]] }), "malformed"],
    ['{"__proto__":{"v":1}}', "malformed"],
  ];
  for (const [text, reason] of table) {
    const hub = new Hub(history);
    assertEquals([text.slice(0, 200), hub.take("a", text, NOW)], [text.slice(0, 200), reason]);
    assertEquals(Object.values(hub.refused).reduce((a, b) => a + b), reason ? 1 : 0);
    assertEquals([...hub.spokes.keys()], reason ? [] : ["a"]);
  }
});

Deno.test("Hub.take: twenty thousand messages that are good but for some characters: refused or harmless", () => {
  using history = new History(":memory:");
  let seed = 1, taken = 0;
  const random = (most: number) => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) % most;
  const good = frame("a", [sample(1, NOW - 1, eth0(5), ["wg0", 1, 2, 3, 4]), sample(2)]);
  for (let n = 0; n < 20_000; n++) {
    const text = good.split(""), at = random(text.length);
    if (n % 3 === 0) text[at] = String.fromCharCode(random(0x300));
    else if (n % 3 === 1) text.splice(at, 1 + random(8));
    else {text.splice(
        at,
        0,
        ['"', "[", "}", "9".repeat(random(40)), "-", "1e999", "null"][random(7)],
      );}
    const hub = new Hub(history), reason = hub.take("a", text.join(""), NOW);
    taken += reason === undefined ? 1 : 0;
    assertEquals([...hub.spokes.keys()], reason ? [] : ["a"]);
    for (const { rxBytes, txBytes } of hub.event(NOW).spokes) assert(rxBytes >= 0 && txBytes >= 0);
  }
  assert(taken > 500 && taken < 10_000, `${taken} were still good`);
  history.flush();
});

Deno.test("Hub.take: too many messages are refused, a steady one a second is not", () => {
  using history = new History(":memory:");
  const hub = new Hub(history);
  for (let n = 0; n < 300; n++) {
    assertEquals(
      hub.take("a", frame("a", [sample(n + 1, NOW + n - 1)], { clock: NOW + n }), NOW + n),
      undefined,
    );
  }
  const flood = Array.from(
    { length: 100 },
    (_, n) => hub.take("a", frame("a", [sample(1000 + n)], { clock: NOW + 300 }), NOW + 300),
  );
  assertEquals(flood.filter((r) => r === "too_many").length, 88);
});

Deno.test("Hub: a wrong clock is corrected; what is from another time is left out, and the rest goes on", () => {
  using history = new History(":memory:");
  const hub = new Hub(history), wrong = NOW + 86_400;
  assertEquals(
    hub.take("a", frame("a", [sample(1, wrong - 1, eth0(100))], { clock: wrong }), NOW),
    undefined,
  );
  const old = sample(2, NOW - 5000, eth0(7)), fresh = sample(3, NOW, eth0(11));
  assertEquals(hub.take("a", frame("a", [old, fresh]), NOW + 1), undefined);
  assertEquals(hub.refused.untimely, 1);
  history.flush();
  assertEquals(totalsOf(history.db, NOW)[0].today.rxBytes, 111);
});

Deno.test("Hub.event: live, stale after 5 s of silence, gone after 10 minutes", () => {
  using history = new History(":memory:");
  const hub = new Hub(history);
  hub.take("b", frame("b", [sample(1, NOW - 1, eth0(1000, 10), ["wg0", 5, 5, 1, 1])]), NOW);
  hub.take("a", frame("a", [sample(1, NOW - 1, eth0(1))]), NOW + 4);
  const stale = (at: number) =>
    hub.event(NOW + at).spokes.map((s) => [s.id, s.rxBytes, s.staleSeconds]);
  assertEquals(stale(4), [["a", 1, null], ["b", 1005, null]]);
  assertEquals(stale(5), [["a", 1, null], ["b", 1005, 5]]);
  assertEquals(stale(599), [["a", 1, 595], ["b", 1005, 599]]);
  assertEquals(stale(600), [["a", 1, 596]]);
  assertEquals(stale(700), []);
});

Deno.test("History: the same sample twice counts once, whatever the order; a new session begins anew", () => {
  using history = new History(":memory:");
  const total = () => {
    history.flush();
    return totalsOf(history.db, NOW)[0].today.rxBytes;
  };
  assertEquals(history.add("a", "s1", [1, 2, 3].map((n) => sample(n, NOW, eth0(1)))), 3);
  assertEquals(history.add("a", "s1", [2, 3, 4].map((n) => sample(n, NOW, eth0(1)))), 1);
  assertEquals(total(), 4);
  assertEquals(history.add("a", "s2", [sample(1, NOW, eth0(10))]), 1);
  assertEquals(total(), 14);
});

Deno.test("History: what was flushed is there after a crash, with where its spoke stands; the rest is not", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "h.db");
  const crashed = new History(path);
  crashed.add("a", "s1", [sample(1, NOW, eth0(100))]);
  assertEquals(crashed.flush().get("a"), { session: "s1", seq: 1 });
  crashed.add("a", "s1", [sample(2, NOW, eth0(50))]);
  // As a kill leaves it: nothing is flushed or closed.
  crashed.db.close();
  using history = new History(path);
  // Its spoke was told of 1 only, and sends 1 (a late answer) and 2 again.
  history.add("a", "s1", [sample(1, NOW, eth0(100)), sample(2, NOW, eth0(50))]);
  history.flush();
  assertEquals(totalsOf(history.db, NOW)[0].today.rxBytes, 150);
});

Deno.test("History: a spoke that names more and more interfaces does not make it grow", () => {
  using history = new History(":memory:");
  for (let n = 0; n < 200; n++) history.add("a", "s", [sample(n + 1, NOW, [`e${n}`, 1, 1, 1, 1])]);
  history.flush();
  assertEquals(totalsOf(history.db, NOW).length, 64);
});

Deno.test("History: two years of an interface, pruned: each level as long as it is kept, a few MB", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "h.db");
  using history = new History(path);
  // The levels as two years would have left them, written by SQLite itself.
  history.add("a", "s", [sample(1, NOW, eth0(1))]);
  history.flush();
  for (const { step, keep } of LEVELS) {
    const span = Math.min(keep, 2 * 366 * 86_400) + 50 * step;
    history.db.exec(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${
        Math.floor(span / step)
      })
       INSERT OR IGNORE INTO traffic SELECT ${step}, 1, ${NOW - NOW % step} - i * ${step}, ${
        step * 1000
      },
         ${step} * 93000000, ${step} * 812000, ${step} * 64000, ${step} * 5200 FROM n`,
    );
  }
  history.prune(NOW);
  for (const { step, keep } of LEVELS) {
    const { n, first } = history.db.prepare(
      "SELECT count(*) AS n, min(time) AS first FROM traffic WHERE step = ?",
    ).get(step)!;
    if (keep !== Infinity) assert(Number(first) >= NOW - keep, `step ${step}`);
    assert(Number(n) >= (keep === Infinity ? 732 : keep / step), `step ${step}: ${n}`);
  }
  history.db.exec("VACUUM");
  const { size } = await Deno.stat(path);
  console.log(`two years of one interface: ${(size / 1024 ** 2).toFixed(1)} MiB`);
  assert(size < 3 * 1024 ** 2, `${size} bytes`);
  // October's percentile was counted before its five minutes went.
  const months = periodsOf(history.db, "month", 0);
  assertEquals(months.at(-2)?.p95, { rxBytes: 93_000_000, txBytes: 812_000 });
});

Deno.test("seriesOf: rates by the time that was measured; a gap is null, not zero", () => {
  using history = new History(":memory:");
  const start = NOW - 100;
  const seconds = [...Array(10).keys(), 20, 21, 22, 23, 24];
  history.add("a", "s", seconds.map((s, i) => sample(i + 1, start + s, eth0(1000))));
  history.add("b", "s", [...Array(10).keys()].map((s) => sample(s + 1, start + s, eth0(500))));
  history.flush();
  const [all] = seriesOf(history.db, "hour", NOW);
  const at = (NOW - NOW % 10 - start) / 10;
  assertEquals(all.rxBytes.slice(-at - 1, -at + 3), [1500, null, 1000, null]);
  const [a] = seriesOf(history.db, "hour", NOW, "a");
  assertEquals([a.spoke, a.interface, a.rxBytes.at(-at - 1)], ["a", "eth0", 1000]);
  assertEquals(all.rxBytes.length, 360);
  // Half of a minute was measured: its rate is that of the half.
  const [day] = seriesOf(history.db, "day", NOW, "a");
  assertEquals(day.rxBytes.filter((n) => n !== null), [1000]);
});

Deno.test("95th percentile: the top 5 % of a month's five minutes are left out, each direction by itself", () => {
  using history = new History(":memory:");
  const month = Date.UTC(2026, 10, 1) / 1000;
  // 100 intervals: receive 1 … 100 bytes a second, send 100 … 1.
  const samples = Array.from({ length: 100 }, (_, i): Sample => ({
    seq: i + 1,
    time: month + i * 300,
    ms: 300_000,
    rows: [["eth0", (i + 1) * 300, (100 - i) * 300, 1, 1]],
  }));
  history.add("a", "s", samples);
  history.flush();
  assertEquals(totalsOf(history.db, NOW)[0].p95, { rxBytes: 95, txBytes: 95 });
});

Deno.test("tokens: kept as hashes, one a spoke, taken away for good; a wrong one is nobody's", async () => {
  await using dir = await tempDir();
  const file = join(dir.path, "tokens.json");
  const seoul = await addToken(file, "seoul"), busan = await addToken(file, "busan.example");
  const text = await Deno.readTextFile(file);
  assertEquals([seoul, busan].some((token) => text.includes(token.split(".").at(-1)!)), false);
  const whose = async (token: string) => spokeOf(await loadTokens(file), token);
  assertEquals([await whose(seoul), await whose(busan)], ["seoul", "busan.example"]);
  const secret = seoul.slice(6);
  for (
    const bad of [
      "",
      ".",
      "seoul",
      "seoul.",
      `busan.${secret}`,
      seoul + "x",
      `x.${secret}`,
      "a".repeat(500),
    ]
  ) {
    assertEquals([bad, await whose(bad)], [bad, undefined]);
  }
  const newer = await addToken(file, "seoul");
  assertEquals([await whose(seoul), await whose(newer)], [undefined, "seoul"]);
  assertEquals([await removeToken(file, "seoul"), await removeToken(file, "seoul")], [true, false]);
  assertEquals(await whose(newer), undefined);
});

/** A client as the audience sees it: what it was sent, and how much of it has not gone out. */
function fakeClient() {
  const listeners: Record<string, () => void> = {};
  const client = {
    sent: "",
    writableLength: 0,
    ended: "",
    writeHead: () => client,
    write: (bytes: Uint8Array) => {
      client.sent += Buffer.from(bytes).toString();
      return true;
    },
    end: () => void (client.ended = "end"),
    destroy: () => {
      client.ended = "destroy";
      listeners.close();
    },
    on: (name: string, listener: () => void) => void (listeners[name] = listener),
    leave: () => listeners.close(),
    ids: () => [...client.sent.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id)),
  };
  return client;
}
const listener = (client: ReturnType<typeof fakeClient>) => client as unknown as Listener;

Deno.test("Audience: all get the same event; who comes back gets what was missed; a slow one the newest", () => {
  const audience = new Audience({ clients: 10, clientsPerAddress: 10 });
  const event = (time: number) => ({
    time,
    spokes: [{ id: "a", rxBytes: 1, txBytes: 2, rxPackets: 3, txPackets: 4, staleSeconds: null }],
  });
  const fast = fakeClient(), slow = fakeClient();
  audience.add(listener(fast), "192.0.2.1", "");
  audience.add(listener(slow), "192.0.2.2", "");
  assertEquals(fast.sent, "retry: 3000\n\n");
  audience.send(event(100));
  assertEquals(readLiveEvent(/^data: (.*)$/m.exec(fast.sent)![1]), event(100));
  slow.writableLength = 1;
  for (let time = 101; time < 105; time++) audience.send(event(time));
  slow.writableLength = 0;
  audience.send(event(105));
  assertEquals([slow.ids(), audience.skipped], [[100, 105], 4]);
  assertEquals(fast.ids(), [100, 101, 102, 103, 104, 105]);
  // Comes back; comes back with nonsense; is new.
  const back = (id: string) => {
    const client = fakeClient();
    audience.add(listener(client), "192.0.2.3", id);
    return client.ids();
  };
  assertEquals([back("102"), back("999"), back("x"), back("")], [[103, 104, 105], [], [105], [
    105,
  ]]);
  // One that takes nothing for half a minute is cut; nobody else notices.
  slow.writableLength = 1;
  for (let time = 106; time < 140; time++) audience.send(event(time));
  assertEquals([slow.ended, fast.ids().length], ["destroy", 40]);
  for (let time = 140; time < 300; time++) audience.send(event(time));
  assertEquals(back("100").length, 60);
  audience.close();
  assertEquals(fast.ended, "end");
});

Deno.test("Audience: limits in all and for each address; a place is free again when its client leaves", () => {
  const audience = new Audience({ clients: 3, clientsPerAddress: 2 });
  const add = (address: string) => {
    const client = fakeClient();
    return audience.add(listener(client), address, "") ? client : undefined;
  };
  const first = add("192.0.2.1");
  assert(first && add("192.0.2.1"));
  assertEquals(add("192.0.2.1"), undefined);
  assert(add("192.0.2.2"));
  assertEquals([add("192.0.2.3"), audience.refused, audience.size], [undefined, 2, 3]);
  first.leave();
  assert(add("192.0.2.1"));
  // A /64 of IPv6 is one client.
  const table: [string, string][] = [
    ["192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002::1", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
  ];
  for (const [address, key] of table) assertEquals(clientKey(address), key);
});

Deno.test("Audience: without spokes a comment now and then, so that nobody takes it for dead", () => {
  const audience = new Audience({ clients: 3, clientsPerAddress: 2 }), client = fakeClient();
  audience.add(listener(client), "192.0.2.1", "");
  for (let time = 1000; time < 1031; time++) audience.send({ time, spokes: [] });
  assertEquals(client.sent, "retry: 3000\n\n" + ": alive\n\n".repeat(3));
});

Deno.test("untilNext: after each full second, and once where a timer fires early", () => {
  const table: [number, number, number][] = [
    [1000, 2, 1002],
    [1002, 2, 1000],
    [1500, 2, 502],
    [1001.5, 2, 1000.5],
    [1999, 250, 1251],
    [1250, 250, 1000],
  ];
  for (const [wall, offset, wait] of table) {
    assertEquals([wall, untilNext(wall, offset)], [wall, wait]);
  }
});
