/** What is measured from the kernel's counters: no negative, no spike, whatever they do. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path/posix";
import {
  type Counters,
  defaultRoute,
  difference,
  Sampler,
} from "../../../scripts/statcat/counters.ts";
import { tempDir } from "../../helpers/node.ts";

const at = (...values: Counters["values"]): Counters => ({ index: 2, values });

Deno.test("difference: what was counted; undefined where a counter began anew", () => {
  const table: [string, Counters, Counters, number | undefined, Counters["values"] | undefined][] =
    [
      ["rises", at(1, 2, 3, 4), at(11, 22, 33, 44), undefined, [10, 20, 30, 40]],
      ["stands", at(1, 2, 3, 4), at(1, 2, 3, 4), undefined, [0, 0, 0, 0]],
      ["beyond 2^53 of a century", at(2 ** 52, 0, 0, 0), at(2 ** 52 + 8, 0, 0, 0), undefined, [
        8,
        0,
        0,
        0,
      ]],
      ["wraps at 2^32", at(2 ** 32 - 100, 5, 5, 5), at(50, 5, 5, 5), undefined, [150, 0, 0, 0]],
      ["wraps as a fast link may", at(2 ** 32 - 9e8, 5, 5, 5), at(1e8, 5, 5, 5), 10e9, [
        1e9,
        0,
        0,
        0,
      ]],
      [
        "that would be too fast: begun anew",
        at(2 ** 32 - 9e8, 5, 5, 5),
        at(1e8, 5, 5, 5),
        1e9,
        undefined,
      ],
      ["begins anew", at(3e9, 5, 5, 5), at(100, 0, 0, 0), undefined, undefined],
      ["begins anew, 64 bits", at(2 ** 40, 5, 5, 5), at(100, 0, 0, 0), undefined, undefined],
      ["another interface", { ...at(1, 1, 1, 1), index: 3 }, at(5, 5, 5, 5), undefined, undefined],
    ];
  for (const [what, old, now, speed, expected] of table) {
    assertEquals([what, difference(old, now, 1000, speed)], [what, expected]);
  }
});

Deno.test("defaultRoute: the lowest metric, IPv4 first", () => {
  const head = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n";
  const four = (name: string, to: string, metric: number) =>
    `${name}\t${to}\t0102000A\t0003\t0\t0\t${metric}\t00000000\t0\t0\t0\n`;
  const six = (name: string, metric: string, length = "00") =>
    `${"0".repeat(32)} ${length} ${"0".repeat(32)} 00 ${
      "0".repeat(32)
    } ${metric} 00000001 00000000 00000003 ${name}\n`;
  const wlan = four("wlan0", "00000000", 600), eth = four("eth0", "00000000", 100);
  assertEquals(defaultRoute(head + wlan + eth, six("tun0", "00000001")), "eth0");
  assertEquals(defaultRoute(head + four("eth1", "0002000A", 1), six("eth0", "00000400")), "eth0");
  assertEquals(defaultRoute(head, six("lo", "ffffffff")), undefined);
  assertEquals(defaultRoute("", ""), undefined);
});

/** A sysfs of a test, and a clock that it turns. */
async function fakeKernel(dir: string) {
  const clock = { ms: 0, wall: 1_795_262_400_000 };
  const set = async (name: string, index: number, ...values: number[]) => {
    const folder = join(dir, name);
    await Deno.mkdir(join(folder, "statistics"), { recursive: true });
    await Deno.writeTextFile(join(folder, "ifindex"), `${index}\n`);
    const files = ["rx_bytes", "tx_bytes", "rx_packets", "tx_packets"];
    for (const [i, file] of files.entries()) {
      await Deno.writeTextFile(join(folder, "statistics", file), `${values[i]}\n`);
    }
  };
  await set("eth0", 2, 0, 0, 0, 0);
  const kernel = {
    sysfs: dir,
    route: () => "eth0",
    clock: () => clock.ms,
    wall: () => clock.wall,
  };
  const pass = (ms: number) => {
    clock.ms += ms;
    clock.wall += ms;
  };
  return { kernel, set, pass, clock };
}

Deno.test("Sampler: counts by the time that passed; an interface may go away and come back", async () => {
  await using dir = await tempDir();
  const { kernel, set, pass, clock } = await fakeKernel(dir.path);
  const sampler = new Sampler([], kernel);
  const take = () => {
    const { ms, rows, time } = sampler.sample()!;
    return [time - 1_795_262_400, ms, rows];
  };
  assertEquals(sampler.sample(), undefined);
  await set("eth0", 2, 100, 200, 3, 4);
  pass(1003);
  assertEquals(take(), [0, 1003, [["eth0", 100, 200, 3, 4]]]);
  // It goes away, and comes back as another one with counters of its own.
  await Deno.remove(join(dir.path, "eth0"), { recursive: true });
  pass(1000);
  assertEquals(take(), [1, 1000, []]);
  await set("eth0", 7, 1e12, 1e12, 1e9, 1e9);
  pass(1000);
  assertEquals(take(), [2, 1000, []]);
  await set("eth0", 7, 1e12 + 5, 1e12, 1e9, 1e9);
  pass(1000);
  assertEquals(take(), [3, 1000, [["eth0", 5, 0, 0, 0]]]);
  // Made anew between two looks, with counters that have already passed the old ones.
  await set("eth0", 8, 1e12 + 500, 1e12, 1e9, 1e9);
  pass(1000);
  assertEquals(take(), [4, 1000, []]);
  // The machine slept for a day: its monotonic clock did, too, and so did the counters.
  clock.wall += 86_400_000;
  await set("eth0", 8, 1e12 + 510, 1e12, 1e9, 1e9);
  pass(1000);
  assertEquals(take(), [86_405, 1000, [["eth0", 10, 0, 0, 0]]]);
  // The process was stopped for a minute: what was counted belongs to that minute, not to a second.
  await set("eth0", 8, 1e12 + 6510, 1e12, 1e9, 1e9);
  pass(60_000);
  assertEquals(take(), [86_465, 60_000, [["eth0", 6000, 0, 0, 0]]]);
  // A counter that cannot be read is as good as none.
  await Deno.writeTextFile(join(dir.path, "eth0/statistics/rx_bytes"), "what?\n");
  pass(1000);
  assertEquals(take(), [86_466, 1000, []]);
});
