import { assertEquals } from "@std/assert";
import type { Stats } from "../../formats/stats.ts";
import { lines, type Point, Trails } from "../../web/traffic/trail.ts";

const rates = { rxBytes: 10, txBytes: 20, rxPackets: 1, txPackets: 2 };
const event = (time: number, ...spokes: [string, number | null][]) => ({
  time,
  spokes: spokes.map(([id, staleSeconds]) => ({ id, ...rates, staleSeconds })),
});

Deno.test("Trails: the sum of those that are live; a stale one with its age; nothing after ten minutes", () => {
  const trails = new Trails();
  assertEquals(trails.rows(1000), []);
  trails.add(event(1000, ["a", null]));
  assertEquals(trails.rows(1001).map((r) => [r.id, r.staleSeconds]), [["a", null]]);
  trails.add(event(1001, ["a", null], ["b", null], ["c", 7]));
  const row = (now: number) => trails.rows(now).map((r) => [r.id, r.rates.txBytes, r.staleSeconds]);
  assertEquals(row(1002), [[null, 40, null], ["a", 20, null], ["b", 20, null], ["c", 20, 7]]);
  // No event for a while: the connection is cut, and all of it is old.
  assertEquals(row(1011), [[null, 40, 10], ["a", 20, 10], ["b", 20, 10], ["c", 20, 17]]);
  assertEquals(row(1700), []);
  // What comes twice, or late, changes nothing.
  trails.add(event(1001, ["a", null]));
  trails.add(event(900));
  assertEquals(row(1002).length, 4);
});

Deno.test("Trails: five minutes are kept; history fills what was before the first event", () => {
  const trails = new Trails();
  for (let time = 1000; time < 1400; time++) trails.add(event(time, ["a", null], ["b", null]));
  assertEquals(trails.rows(1400).map((r) => r.trail.length), [300, 300, 300]);
  const fresh = new Trails();
  fresh.add(event(1000, ["a", null], ["b", null]));
  const row = [1, null, 3, 4];
  fresh.fill({
    from: 960,
    step: 10,
    series: [{
      spoke: null,
      interface: null,
      rxBytes: row,
      txBytes: row,
      rxPackets: row,
      txPackets: row,
    }],
  } as unknown as Stats);
  assertEquals(fresh.rows(1000)[0].trail.map((p) => [p.time, p.rxBytes]), [[970, 1], [990, 3], [
    1000,
    20,
  ]]);
});

Deno.test("lines: the newest at the right edge, the highest at the top, a gap parts the line", () => {
  const point = (time: number, rxBytes: number): Point => ({ ...rates, time, rxBytes });
  const box = { width: 100, height: 10, now: 1300 };
  const trail = [point(990, 1), point(1000, 0), point(1150, 5), point(1160, 10), point(1300, 10)];
  assertEquals(lines(trail, (p) => p.rxBytes, 10, box), [
    "0.0,10.0",
    "50.0,5.0 53.3,0.0",
    "100.0,0.0",
  ]);
  assertEquals(lines([point(1300, 0)], (p) => p.rxBytes, 0, box), ["100.0,10.0"]);
});
