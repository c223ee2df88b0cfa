import { assertEquals } from "@std/assert";
import {
  isInterfaceName,
  isSpokeName,
  type LiveEvent,
  readLiveEvent,
  readStats,
  type Stats,
  writeLiveEvent,
} from "../../formats/stats.ts";

const rates = { rxBytes: 1, txBytes: 2, rxPackets: 3, txPackets: 4 };
const event: LiveEvent = {
  time: 1_795_262_400,
  spokes: [
    { id: "busan", ...rates, staleSeconds: 7 },
    { id: "seoul", ...rates, staleSeconds: null },
  ],
};

Deno.test("writeLiveEvent and readLiveEvent: what is written is read, whole numbers only", () => {
  assertEquals(readLiveEvent(writeLiveEvent(event)), event);
  assertEquals(
    writeLiveEvent({
      time: 5,
      spokes: [{ id: "a", ...rates, rxBytes: 1.6, staleSeconds: null }],
    }),
    '{"v":1,"time":5,"spokes":[["a",2,2,3,4]]}',
  );
});

Deno.test("readLiveEvent: undefined for anything else", () => {
  const spokes = (rows: string) => `{"v":1,"time":5,"spokes":[${rows}]}`;
  const bad = [
    "",
    "null",
    "[]",
    '{"v":2,"time":5,"spokes":[]}',
    '{"v":1,"time":"5","spokes":[]}',
    spokes("[]"),
    spokes('["a",1,2,3]'),
    spokes('["a",1,2,3,4,5,6]'),
    spokes('["a",1,2,3,-4]'),
    spokes('["a",1,2,3,"4"]'),
    spokes('["a",1,2,3,1e99]'),
    spokes('["<b>",1,2,3,4]'),
    spokes(`["${"a".repeat(65)}",1,2,3,4]`),
    spokes(Array(1001).fill('["a",1,2,3,4]').join()),
    `{"v":1,"time":5,"spokes":[]${" ".repeat(5 << 20)}}`,
  ];
  for (const text of bad) {
    assertEquals([text.slice(0, 80), readLiveEvent(text)], [text.slice(0, 80), undefined]);
  }
});

const stats: Stats = {
  v: 1,
  time: 50,
  span: "hour",
  from: 0,
  step: 10,
  series: [{
    spoke: null,
    interface: null,
    rxBytes: [1, null],
    txBytes: [1, null],
    rxPackets: [1, null],
    txPackets: [1, null],
  }],
  totals: [{ spoke: "a", interface: "eth0", today: rates, month: rates, p95: null }],
  repos: [{ repo: "arch", protocol: "http", requests: 5, bytes: 7 }],
  packages: [{ path: "/arch/a.pkg.tar.zst", requests: 3 }],
};

Deno.test("readStats: reads what is allowed, undefined for anything else", () => {
  assertEquals(readStats(JSON.stringify(stats)), stats);
  const [series] = stats.series, [totals] = stats.totals;
  const bad: object[] = [
    { ...stats, v: 2 },
    { ...stats, span: "century" },
    { ...stats, span: "toString" },
    { ...stats, series: Array(65).fill(series) },
    { ...stats, series: [{ ...series, rxBytes: [-1] }] },
    { ...stats, series: [{ ...series, rxBytes: Array(1442).fill(1) }] },
    { ...stats, totals: [{ ...totals, interface: "a b" }] },
    { ...stats, totals: [{ ...totals, p95: 5 }] },
    { ...stats, repos: [{ ...stats.repos[0], protocol: "gopher" }] },
    { ...stats, packages: [{ path: 1, requests: 2 }] },
    { ...stats, step: null },
  ];
  for (const one of bad) assertEquals([one, readStats(JSON.stringify(one))], [one, undefined]);
  for (const text of ["", "null", "[]"]) assertEquals(readStats(text), undefined);
});

Deno.test("isSpokeName, isInterfaceName: what can stand in a path, a label and a page", () => {
  for (const name of ["a", "t1-seoul", "mirror.example.org"]) assertEquals(isSpokeName(name), true);
  for (const name of ["", "-a", "A", "a b", "a/b", 'a"', 5, null]) {
    assertEquals([name, isSpokeName(name)], [name, false]);
  }
  for (const name of ["eth0", "enp1s0.4", "wg-mesh", "br0:1"]) {
    assertEquals([name, isInterfaceName(name)], [name, true]);
  }
  for (const name of ["", ".", "..", "a/b", "a b", "sixteen-bytes-xx", 5]) {
    assertEquals([name, isInterfaceName(name)], [name, false]);
  }
});
