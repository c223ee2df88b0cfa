import { assertEquals } from "@std/assert";
import { showInterface, showLive, sparkline } from "../../../scripts/statcat/show.ts";

Deno.test("sparkline: the highest is full, a gap is a space, wide rows are averaged", () => {
  const table: [(number | null)[], number, string][] = [
    [[], 10, ""],
    [[0, 0], 10, "▁▁"],
    [[0, 1, 2, 4, 8], 10, "▁▂▃▅█"],
    [[null, 8, null, 8], 10, " █ █"],
    [[8, 0, null, null, 8, 8], 3, "▅ █"],
  ];
  for (const [row, width, bars] of table) assertEquals([row, sparkline(row, width)], [row, bars]);
});

Deno.test("showInterface: the last hour, days, months, and what is billed", () => {
  const of = { spoke: "seoul", interface: "eth0" };
  const series = {
    ...of,
    rxBytes: [null, 1000],
    txBytes: [null, 93e6],
    rxPackets: [],
    txPackets: [],
  };
  const day = { ...of, period: "2026-11-22", rxBytes: 2048, txBytes: 3 * 1024 ** 3 };
  const month = { ...day, period: "2026-11", p95: { rxBytes: 125, txBytes: 12_500_000 } };
  assertEquals(
    showInterface(series, [day], [month]),
    `seoul  eth0
  received   █  8.0 kbit/s, highest 8.0 kbit/s
  sent       █  744 Mbit/s, highest 744 Mbit/s
              received     sent    total  p95 received    p95 sent
  2026-11-22   2.0 KiB  3.0 GiB  3.0 GiB             -           -
  2026-11      2.0 KiB  3.0 GiB  3.0 GiB    1.0 kbit/s  100 Mbit/s
`,
  );
});

Deno.test("showLive: every spoke in a line", () => {
  const rates = { rxBytes: 125, txBytes: 93e6, rxPackets: 5, txPackets: 64_000 };
  const spokes = [
    { id: "busan", ...rates, staleSeconds: 7 },
    { id: "seoul", ...rates, staleSeconds: null },
  ];
  assertEquals(
    showLive({ time: 1_795_262_400, spokes }),
    `2026-11-21T12:00:00Z
spoke                     received  packets        sent   packets
busan (silent for 7 s)  1.0 kbit/s      5/s  744 Mbit/s  64,000/s
seoul                   1.0 kbit/s      5/s  744 Mbit/s  64,000/s
`,
  );
});
