/** bwlimit with the real kernel: what it counts, refuses and leaves alone. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { MIB, Scene, until, V4, V6 } from "../../../scripts/demo/limited.ts";

const LIMIT = 20 * MIB;
const POLICY = `[bwlimit]\npoll = "0.5 s"\nallow = ["10.77.0.9"]\nexempt_ports = [22, 8081]\n` +
  `[bwlimit.client]\nlimit = { "1 h" = "20 MiB" }\n`;

Deno.test("limit: not 64 KiB pass it at full speed, the rest is refused with reasons, others are served", async (t) => {
  await using scene = await Scene.make(POLICY, [
    "10.77.0.3/16",
    "10.77.0.9/16",
    "fd77::3/48",
    "fd77:0:0:1::2/48",
  ], true);
  const { lab } = scene;
  await lab.sh(
    "server",
    "nft -f - <<E\ntable inet other { set s { type ipv4_addr; flags timeout; }\n" +
      "chain c { type filter hook input priority 0; policy accept; ip saddr 192.0.2.1 drop; }; }\nE",
  );
  const other = await lab.sh("server", "nft list table inet other");
  await scene.start();

  for (const [url, address] of [[V4, "10.77.0.2"], [V6, "fd77::2"]]) {
    await t.step(`${address}: cut at the limit, and reset, not left hanging`, async () => {
      const before = await lab.sent();
      const { bytes, code, seconds } = await lab.curl(
        `${url}/big`,
        "--interface",
        address,
        "-o",
        "/dev/null",
      );
      const after = await lab.sent();
      const sent = after.bytes - before.bytes - 14 * (after.packets - before.packets);
      console.log(
        `limit ${LIMIT}, on the wire ${sent} (${
          sent - LIMIT
        } past it), to curl ${bytes} in ${seconds} s`,
      );
      assertEquals(code, 56, "connection reset by peer");
      assert(sent - LIMIT <= 64 * 1024 && sent > LIMIT - 128 * 1024, `${sent}`);
    });
    await t.step(`${address}: 429 with Retry-After`, async () => {
      const { status, seconds, body } = await lab.curl(`${url}/big`, "--interface", address, "-i");
      console.log(`429 after ${Math.round(seconds * 1000)} ms`);
      assertEquals(status, 429);
      const retry = Number(/^retry-after: (\d+)/im.exec(body)?.[1]);
      assert(retry > 3500 && retry <= 3600, body);
      assertMatch(body, /20 MiB within 1 h are used up/);
      assertMatch(body, /Until: +\d{4}-\d\d-\d\dT[\d:]+Z, in (?:1 h|59 min)/);
      assertMatch(body, /Write to mirror@example\.org/);
    });
  }

  await t.step(
    "the answer: JSON for machines, HTML for people, the same on HTTPS with the site's certificate",
    async () => {
      const json = await lab.curl(`${V4}/x`, "-H", "Accept: application/json");
      const { status, who, counted, retry_after } = JSON.parse(json.body);
      assertEquals([status, who], [429, "10.77.0.2"]);
      assert(Math.abs(counted.tcp - LIMIT) < 64 * 1024 && retry_after > 3500, json.body);
      const lynx = await lab.run("client", ["lynx", "-dump", "-nolist", `${V4}/`], {
        env: { HOME: "/" },
      });
      assertMatch(lynx.stdout, /429 Too many requests/);
      assertMatch(lynx.stdout, /20 MiB \(tcp 20 MiB, udp 0 B, other 0 B\)/);
      for (const [url, from] of [[V4, "10.77.0.2"], [V6, "fd77::2"]]) {
        const options = ["--cacert", scene.path("cert"), "--interface", from];
        const tls = await lab.curl(`${url.replace("http", "https")}/`, ...options);
        assertEquals([tls.code, tls.status], [0, 429]);
        console.log(`429 over TLS after ${Math.round(tls.seconds * 1000)} ms`);
      }
    },
  );

  await t.step("an IPv6 owner has all of the /64; the next /64 is another one", async () => {
    assertEquals((await lab.curl(`${V6}/big`, "--interface", "fd77::3")).status, 429);
    assertEquals(
      (await lab.curl(`${V6}/big`, "--interface", "fd77:0:0:1::2", "-r", "0-9")).status,
      206,
    );
  });

  await t.step(
    "another address is served; so are exempt ports, to everybody and uncounted",
    async () => {
      assertEquals(
        (await lab.curl(`${V4}/big`, "--interface", "10.77.0.3", "-r", "0-9")).status,
        206,
      );
      const exempt = await lab.curl(`${V4}:8081/big`, "-r", `0-${2 * LIMIT}`, "-o", "/dev/null");
      assertEquals([exempt.status, exempt.bytes], [206, 2 * LIMIT + 1]);
    },
  );

  await t.step("the allow-list: as much as it likes, and no packet lost", async () => {
    // Counts what reaches and what leaves our chains.
    await lab.sh(
      "server",
      "nft -f - <<E\ntable inet witness {\ncounter before { }\ncounter after { }\n" +
        "chain a { type filter hook postrouting priority -1; ip daddr 10.77.0.9 counter name before; }\n" +
        "chain b { type filter hook postrouting priority 1; ip daddr 10.77.0.9 counter name after; }; }\nE",
    );
    const hammer = lab.start("client", [
      "sh",
      "-c",
      `while :; do curl -s -m 1 -o /dev/null ${V4}/big; done`,
    ]);
    const { status, bytes } = await lab.curl(
      `${V4}/big`,
      "--interface",
      "10.77.0.9",
      "-o",
      "/dev/null",
    );
    hammer.kill("SIGKILL");
    assertEquals([status, bytes], [200, 256 * MIB]);
    const counters = await lab.sh("server", "nft list table inet witness");
    const [before, after] = [...counters.matchAll(/packets (\d+) bytes (\d+)/g)].map((m) => m[0]);
    console.log(`allowed: ${before} before our chains, ${after} after them`);
    assertEquals(after, before);
    assertEquals((await scene.json("explain", "10.77.0.9")).allowed, "10.77.0.9");
  });

  await t.step("list and explain: who, why, until when, by protocol", async () => {
    const rows = await scene.json("list");
    const refused = rows.filter((r: { state: string }) => r.state === "banned");
    assertEquals(refused.map((r: { who: string }) => r.who).sort(), ["10.77.0.2", "fd77::/64"]);
    const { stdout } = await scene.bwlimit("explain", "10.77.0.2");
    assertMatch(
      stdout,
      /^10\.77\.0\.2: banned until \S+Z: 20 MiB within 1 h are used up \(kernel\)/,
    );
    assertMatch(stdout, /counted before: tcp 20 MiB, udp 0 B, other 0 B/);
    assertMatch(stdout, /What was done:\n {2}\S+Z 10\.77\.0\.2 banned \(kernel\)/);
    // 10 bytes and their headers went to this one.
    assertMatch(
      (await scene.bwlimit("explain", "10.77.0.3")).stdout,
      /\d+ B so far; it is too little/,
    );
  });

  await t.step("the audit log names; the status and what is said do not", async () => {
    const audit = await scene.audit();
    assertEquals(audit.map((a) => [a.did, a.who]), [["banned", "10.77.0.2"], [
      "banned",
      "fd77::/64",
    ]]);
    await until("status", async () => (await scene.status()).answers > 3);
    const status = await scene.status();
    assertEquals([status.banned, status.actions.banned], [2, 2]);
    const open = JSON.stringify(status) + scene.said;
    assertEquals(/10\.77|fd77/.test(open), false, open);
    for (const name of ["audit.log", "memory.json"]) {
      assertEquals((await Deno.stat(scene.state(name))).mode! & 0o777, 0o600, name);
    }
  });

  await t.step(
    "stop: the kernel goes on; flush takes our table away and nothing else",
    async () => {
      assertEquals(await scene.stop(), 0, scene.said);
      const { bytes } = await lab.curl(`${V4}/big`, "-m", "1", "-o", "/dev/null");
      assertEquals(bytes, 0);
      assertEquals((await scene.bwlimit("flush")).code, 0);
      const { bytes: all } = await lab.curl(`${V4}/big`, "-o", "/dev/null");
      assertEquals(all, 256 * MIB);
      assertEquals(await lab.sh("server", "nft list table inet other"), other);
    },
  );
});

Deno.test("containers: what is forwarded for them counts, and is cut, reset and answered like the host's own", async (t) => {
  await using scene = await Scene.make(
    `[bwlimit]\npoll = "0.5 s"\n[bwlimit.client]\nlimit = { "1 h" = "20 MiB" }\n`,
    ["10.77.0.3/16", "10.77.0.4/16"],
  );
  const { lab } = scene, inside = await lab.container();
  // So slow that all was acknowledged when the limit comes: of itself such a client sends nothing more.
  await Deno.writeTextFile(
    scene.path("container.conf"),
    (await Deno.readTextFile(scene.path("nginx.conf"))).replace(
      /listen .*; root/,
      "listen 10.88.0.2:80; limit_rate $arg_rate; root",
    )
      .replace(/pid \S+;/, `pid ${scene.path("container.pid")};`),
  );
  lab.start("host", inside(["nginx", "-e", "stderr", "-c", scene.path("container.conf")]));
  // As container engines publish a port.
  await lab.sh(
    "server",
    "nft -f - <<E\ntable ip engine { chain c { type nat hook prerouting priority dstnat; " +
      "tcp dport 8090 dnat to 10.88.0.2:80; }; }\nE",
  );
  const connections = async () => {
    const [command, ...args] = inside(["ss", "-Htn", "state", "established"]);
    const { stdout } = await new Deno.Command(command, { args }).output();
    return new TextDecoder().decode(stdout).trim().split("\n").filter((l) => l).length;
  };
  await until(
    "nginx",
    async () => (await lab.curl("http://10.88.0.2/big", "-r", "0-0")).status === 206,
  );
  await scene.start();

  const ways: [string, string, string, number][] = [
    ["full speed, routed", "10.77.0.2", "http://10.88.0.2", 1],
    ["slow, routed, three at once", "10.77.0.3", "http://10.88.0.2", 3],
    ["slow, on a published port", "10.77.0.4", `${V4}:8090`, 1],
  ];
  for (const [what, from, url, many] of ways) {
    await t.step(what, async () => {
      const slow = what.startsWith("slow"), before = await lab.sent();
      // 8 MiB a second in all: the limit comes after two and a half.
      const query = slow ? `?rate=${Math.floor(8 * MIB / many)}` : "";
      const get = () =>
        lab.curl(`${url}/big${query}`, "--interface", from, "-o", "/dev/null", "-m", "12");
      const all = await Promise.all(Array.from({ length: many }, get));
      const after = await lab.sent();
      const sent = after.bytes - before.bytes - 14 * (after.packets - before.packets);
      const seconds = Math.max(...all.map((one) => one.seconds));
      console.log(
        `${what}: on the wire ${sent} (${sent - LIMIT} past the limit); curl ended with ${
          all.map((one) => one.code)
        } after ${seconds} s`,
      );
      assertEquals(all.map((one) => one.code), Array(many).fill(56), "connection reset by peer");
      assert(seconds < (slow ? 2.5 : 0) + 3, `${seconds}`);
      assert(sent - LIMIT <= 64 * 1024 && sent > LIMIT - 512 * 1024, `${sent}`);
      await until("the container's side", async () => await connections() === 0, 5);
      if (url !== `${V4}:8090`) {
        assertEquals((await lab.curl(url, "--interface", from)).status, 429);
      }
    });
  }
});
