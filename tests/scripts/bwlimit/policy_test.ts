/** Policy, addresses and windows, without a kernel and under a clock of the test's own. */
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  disjoint,
  formatNetwork,
  idOf,
  idOfText,
  parseAddress,
  parseNetwork,
  SCOPES,
  showId,
} from "../../../scripts/bwlimit/address.ts";
import { AllowList } from "../../../scripts/bwlimit/allow.ts";
import { banOf, decayed } from "../../../scripts/bwlimit/escalation.ts";
import { Rolling, sum } from "../../../scripts/bwlimit/rolling.ts";
import { nftTime } from "../../../scripts/bwlimit/nfttext.ts";
import { UsageError } from "../../../scripts/lib/cli.ts";
import { readConfig } from "../../../scripts/lib/config.ts";
import { policy } from "./fixture.ts";

const complaint = (toml: string) => assertThrows(() => policy(toml), UsageError).message;

Deno.test("[bwlimit]: defaults, sizes and times with units", () => {
  const p = policy(`[bwlimit.client]\nlimit = { "24 h" = "50 GiB", "1 h" = "10 GB" }\n`);
  assertEquals(p.client!.limit, [
    { seconds: 3600, bytes: 10e9 },
    { seconds: 86400, bytes: 50 * 1024 ** 3 },
  ]);
  const { mode, bans, answered, decay, exempt_ports, poll, sources, on_stop, network } = p;
  assertEquals([mode, bans, answered, decay, exempt_ports, poll, sources, on_stop, network], [
    "enforce",
    [3600, 21600, 86400],
    2,
    7 * 86400,
    [22],
    2,
    ["kernel"],
    "keep",
    undefined,
  ]);
  assertEquals(
    policy(`[bwlimit.client]\nlimit = { "1 h" = "1 GiB" }\nthrottle = { rate = "2 MiB/s" }`).client!
      .throttle,
    { percent: 80, rate: 2 * 1024 ** 2 },
  );
  assertEquals(
    readConfig(`[site]\nname="m.x"\n[[repo]]\nname="a"\nprofile="arch"\nupstream=["/x"]`, "f")
      .bwlimit,
    undefined,
  );
});

Deno.test("[bwlimit]: errors name key, value and what is allowed", () => {
  const client = `[bwlimit.client]\nlimit = { "1 h" = "10 GiB" }\n`;
  const table: [string, RegExp][] = [
    ["[bwlimit]\n", /bwlimit = .* allowed is a limit for client, network or both/],
    ["[bwlimit]\ntypo = 1\n" + client, /unknown key bwlimit\.typo/],
    [`[bwlimit.client]\nlimit = {}\n`, /client\.limit = \[\] .* windows and sizes/],
    [
      `[bwlimit.client]\nlimit = { "1 h" = 10 }\n`,
      /limit\.1 h = 10 .* a number of bytes with a unit/,
    ],
    [
      `[bwlimit.client]\nlimit = { "1 h" = "ten" }\n`,
      /= "ten" is not allowed; allowed is a number/,
    ],
    [`[bwlimit.client]\nlimit = { "1 h" = "0 B" }\n`, /= "0 B" is not allowed/],
    [`[bwlimit.client]\nlimit = { "soon" = "1 GiB" }\n`, /"soon" .* a duration as its key/],
    [
      `[bwlimit.client]\nlimit = { "1 h" = "10 GiB", "24 h" = "5 GiB" }\n`,
      /limits that grow with their windows/,
    ],
    [`[bwlimit]\nbans = []\n` + client, /bans = \[\] is not allowed; allowed is one/],
    [`[bwlimit]\nmode = "off"\n` + client, /mode = "off" .* enforce, report/],
    [`[bwlimit]\nallow = ["a b"]\n` + client, /allow\[0\] = "a b" .* a host name such as/],
    [`[bwlimit]\nexempt_ports = [0]\n` + client, /exempt_ports\[0\] = 0 .* from 1 to 65535/],
    [client + `throttle = { percent = 100, rate = "1 MiB" }\n`, /percent = 100 .* from 20 to 99/],
    [client + `throttle = { rate = "fast" }\n`, /rate = "fast" .* a second with a unit/],
    [
      client + `[[bwlimit.cap]]\nname = "a"\nnetworks = ["x"]\nrate = "1 MiB/s"\n`,
      /networks\[0\] = "x" is not allowed/,
    ],
    [
      client + `[[bwlimit.cap]]\nname = "a"\nnetworks = ["10.0.0.0/33"]\nrate = "1 MiB/s"\n`,
      /networks\[0\] = "10\.0\.0\.0\/33" is not allowed/,
    ],
    [`[bwlimit]\nsources = []\n` + client, /sources = \[\] is not allowed/],
    [client + `[bwlimit.answer]\nport = 8430\n`, /port and tls_port that differ/],
  ];
  for (const [toml, expected] of table) assertMatch(complaint(toml), expected);
});

Deno.test("addresses: what is one, what it is counted under, and how it is written", () => {
  const table: [string, string | undefined, string | undefined][] = [
    ["192.0.2.7", "c4 192.0.2.7", "n4 192.0.2.0"],
    ["::ffff:192.0.2.7", "c4 192.0.2.7", "n4 192.0.2.0"],
    ["2001:DB8:1:2:3:4:5:6", "c6 2001:db8:1:2::", "n6 2001:db8:1::"],
    ["2001:db8::1", "c6 2001:db8::", "n6 2001:db8::"],
    ["fe80::1%eth0", undefined, undefined],
    ["1.2.3", undefined, undefined],
    ["0x7f.1", undefined, undefined],
    ["1.2.3.256", undefined, undefined],
    ["mirror.example.org", undefined, undefined],
    ["", undefined, undefined],
  ];
  for (const [text, client, network] of table) {
    const address = parseAddress(text),
      of = (prefix: string) =>
        address &&
        SCOPES.filter((s) => s.id[0] === prefix && (s.family === 4) === (address.kind() === "ipv4"))
          .map((s) => idOf(s, address))[0];
    assertEquals([text, of("c"), of("n")], [text, client, network]);
  }
  const operands: [string, string | undefined][] = [
    ["192.0.2.7", "192.0.2.7"],
    ["192.0.2.0/24", "192.0.2.0/24"],
    ["192.0.2.7/24", "192.0.2.0/24"],
    ["192.0.0.0/16", undefined],
    ["2001:db8::1", "2001:db8::/64"],
    ["2001:db8::/48", "2001:db8::/48"],
    ["2001:db8::/32", undefined],
    ["192.0.2.7/", undefined],
  ];
  for (const [text, shown] of operands) {
    const id = idOfText(text);
    assertEquals([text, id && showId(id)], [text, shown]);
  }
  const nets = ["10.0.0.0/8", "10.1.0.0/16", "10.1.0.0/16", "fd00::/8", "fd77::1", "11.0.0.1"];
  assertEquals(disjoint(nets.map((n) => parseNetwork(n)!)).map(formatNetwork).sort(), [
    "10.0.0.0/8",
    "11.0.0.1",
    "fd00::/8",
  ]);
});

Deno.test("nftTime: in parts, as nft takes no more than eight digits of one unit", () => {
  const table: [number, string][] = [
    [0, "1ms"],
    [0.25, "250ms"],
    [90, "1m30s"],
    [86_400, "1d"],
    [30 * 86_400 + 3_600 + 1.5, "30d1h1s500ms"],
  ];
  for (const [seconds, text] of table) assertEquals([seconds, nftTime(seconds)], [seconds, text]);
});

Deno.test("allow-list: names are looked up, and keep what they had when that fails", async () => {
  const said: string[] = [], resolved: { [host: string]: string[] } = {};
  let answer: () => Promise<string[]>;
  const list = new AllowList({
    entries: () => ["192.0.2.0/24", "t2.example.net"],
    resolved,
    resolve: () => answer(),
    warn: (text) => void said.push(text),
  });
  const look = async (next: () => Promise<string[]>) => {
    answer = next;
    await list.lookUp();
    list.refresh();
    return list.networks.map(formatNetwork).sort();
  };
  const fails = () => Promise.reject(new Error("no name server"));
  assertEquals(await look(fails), ["192.0.2.0/24"]);
  assertEquals(await look(() => Promise.resolve(["198.51.100.1", "2001:db8::5"])), [
    "192.0.2.0/24",
    "198.51.100.1",
    "2001:db8::5",
  ]);
  assertEquals([(await look(fails)).length, (await look(fails)).length], [3, 3]);
  assertMatch(list.alarm!, /^1 name of the allow-list cannot be looked up, and keep/);
  assertEquals(await look(() => Promise.resolve(["198.51.100.2"])), [
    "192.0.2.0/24",
    "198.51.100.2",
  ]);
  assertEquals([said.length, list.alarm], [4, undefined]);
  assertMatch(said[0], /cannot look up t2\.example\.net \(no name server\); it is not allowed yet/);
  assertMatch(said[1], /t2\.example\.net can be looked up again/);
  assertMatch(said[2], /198\.51\.100\.1, 2001:db8::5 stay allowed/);
});

Deno.test("windows: bytes leave as they age, never too early, and no more than a sixtieth too late", () => {
  const window = new Rolling(3600);
  window.add([100, 0, 0], 0);
  window.add([0, 20, 0], 1800);
  window.add([0, 0, 3], 3599);
  const at = (now: number) => {
    window.expire(now);
    return sum(window.total());
  };
  assertEquals([3599, 3600, 3661, 5400, 5461, 7199, 7261].map(at), [123, 123, 23, 23, 3, 3, 0]);
});

Deno.test("windows: when it falls to a half is said before, and then true", () => {
  const window = new Rolling(3600);
  for (let minute = 0; minute < 60; minute++) window.add([10, 0, 0], minute * 60);
  const half = window.fallsTo(300, 3600);
  window.expire(half - 1);
  assertEquals(sum(window.total()) > 300, true);
  window.expire(half + 1);
  assertEquals(sum(window.total()) <= 300, true);
});

Deno.test("escalation: each ban is longer, the third without an answer; time without one counts down", () => {
  const p = policy();
  assertEquals([1, 2, 3, 4, 9].map((level) => banOf(p, level)), [
    { step: "ban", seconds: 3600 },
    { step: "ban", seconds: 21600 },
    { step: "block", seconds: 86400 },
    { step: "block", seconds: 86400 },
    { step: "block", seconds: 86400 },
  ]);
  const day = 86400, level = { level: 3, since: 1000 };
  const days = [0, 6.9, 7, 14, 20, 21, 99];
  assertEquals(days.map((d) => decayed(level, 7 * day, 1000 + d * day)), [3, 3, 2, 1, 1, 0, 0]);
  assertEquals([decayed(undefined, 1, 0), decayed(level, 7 * day, 0)], [0, 3]);
});
