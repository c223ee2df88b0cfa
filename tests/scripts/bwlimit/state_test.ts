/** bwlimit with the real kernel: windows, throttling, kills, reboots, operators, and what can go wrong. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { explainNft } from "../../../scripts/bwlimit/nft.ts";
import { MIB, Scene, until, V4 } from "../../../scripts/demo/limited.ts";

const TABLE = "table inet mirrorkit\ndelete table inet mirrorkit\n";
const bytesOf = (range: number) => ["-r", `0-${range - 1}`, "-o", "/dev/null"];

Deno.test("windows: every byte is counted over three of them, and may be used again after each", async () => {
  await using scene = await Scene.make(
    `[bwlimit]\npoll = "0.25 s"\n[bwlimit.client]\nlimit = { "3 s" = "300 MiB", "1 h" = "10 GiB" }\n`,
  );
  const { lab } = scene;
  await scene.start();
  const before = await lab.sent();
  let got = 0;
  for (let window = 0; window < 3; window++) {
    got += (await lab.curl(`${V4}/big`, ...bytesOf(250 * MIB))).bytes;
    // 50 MiB are left; all 300 after the window and its last sixtieth.
    if (window < 2) await new Promise((resolve) => setTimeout(resolve, 3600));
  }
  assertEquals(got, 750 * MIB, "nothing was refused");
  // Three addresses' worth of ARP packets (42 bytes each) are no IP, and not ours to count.
  const after = await lab.sent();
  const wire = after.bytes - before.bytes - 14 * (after.packets - before.packets);
  const counted = async () => {
    const { standings: [client] } = await scene.json("explain", "10.77.0.2");
    return client.windows[1].total as number;
  };
  await until("the last look", async () => await counted() > 750 * MIB);
  const share = (await counted() - wire) / wire;
  console.log(`on the wire ${wire}, counted ${await counted()}: ${(share * 100).toFixed(5)} %`);
  assert(Math.abs(share) < 0.0001, `${share}`);
  // The status is written every two seconds.
  await until("status", async () => (await scene.status()).bytes.tcp > 750 * MIB);
  const { bytes } = await scene.status();
  assert(Math.abs(bytes.tcp - wire) / wire < 0.0001, `${bytes.tcp} of ${wire}`);
});

Deno.test("windows: rolling, not tumbling: the limit holds over any stretch, exactly, with quotas of its own", async () => {
  await using scene = await Scene.make(
    `[bwlimit]\npoll = "0.25 s"\n[bwlimit.client]\nlimit = { "6 s" = "100 MiB" }\n`,
  );
  const { lab } = scene;
  await scene.start();
  await lab.curl(`${V4}/big`, ...bytesOf(40 * MIB));
  await new Promise((resolve) => setTimeout(resolve, 4000));
  await lab.curl(`${V4}/big`, ...bytesOf(40 * MIB));
  // The first 40 leave after 6 s; of 100 then 60 are left.
  await new Promise((resolve) => setTimeout(resolve, 2700));
  const before = await lab.sent();
  const { code } = await lab.curl(`${V4}/big`, "-o", "/dev/null");
  const after = await lab.sent();
  const sent = after.bytes - before.bytes - 14 * (after.packets - before.packets);
  console.log(
    `60 MiB and what 40 MiB cost in headers were left; ${(sent / MIB).toFixed(2)} MiB were sent`,
  );
  assertEquals(code, 56);
  assert(sent <= 60 * MIB && sent > 59 * MIB, `${sent / MIB}`);
});

Deno.test("SIGKILL and restart: no ban and no byte is lost; a reboot: bans go on with what remains", async (t) => {
  await using scene = await Scene.make(
    `[bwlimit]\npoll = "0.5 s"\n[bwlimit.client]\nlimit = { "1 h" = "100 MiB" }\n`,
    ["10.77.0.3/16", "10.77.0.4/16"],
  );
  const { lab } = scene;
  const totalOf = async (who: string) =>
    (await scene.json("explain", who)).standings[0].windows[0].total as number;
  await scene.start();
  await lab.curl(`${V4}/big`, "-o", "/dev/null"); // 10.77.0.2 is refused
  await lab.curl(`${V4}/big`, "--interface", "10.77.0.4", ...bytesOf(8 * MIB)); // not watched
  await lab.curl(`${V4}/big`, "--interface", "10.77.0.3", ...bytesOf(30 * MIB));
  await until("memory", async () => (await scene.audit()).length === 1);
  const counted = await totalOf("10.77.0.3");

  await t.step(
    "killed: the kernel goes on counting and refusing; the next run knows all of it",
    async () => {
      await scene.stop("SIGKILL");
      const { bytes } = await lab.curl(`${V4}/big`, "-m", "1", "-o", "/dev/null");
      assertEquals(bytes, 0);
      await lab.curl(`${V4}/big`, "--interface", "10.77.0.3", ...bytesOf(20 * MIB));
      await scene.start();
      assertMatch(scene.said, /is there and stays as it is/);
      const grown = (await totalOf("10.77.0.3") - counted) / MIB;
      // Headers take up to a twenty-fifth.
      assert(grown > 20 && grown < 21, `${grown}`);
      assertEquals((await scene.audit()).map((a) => a.did), ["banned"]);
      assertEquals((await lab.curl(`${V4}/big`)).status, 429);
    },
  );

  await t.step("rebooted: the kernel knows nothing; bans and windows come back", async () => {
    const [ban] = await scene.audit();
    await scene.stop();
    await lab.sh("server", `printf '${TABLE}' | nft -f -`);
    const before = await totalOf("10.77.0.3").catch(() => 0);
    assertEquals(before, 0);
    await scene.start();
    assertMatch(scene.said, /is made; 2 clients remembered/);
    const { standings: [one] } = await scene.json("explain", "10.77.0.2");
    const late = Math.abs(Date.parse(one.until) - Date.parse(ban.until!)) / 1000;
    assertEquals([one.state, late < 5], ["banned", true]);
    assertEquals((await lab.curl(`${V4}/big`)).status, 429);
    const total = await totalOf("10.77.0.3");
    assert(total > 50 * MIB && total < 52.5 * MIB, `${total / MIB}`);
    // Of 100 MiB no more than the rest may be used, and the kernel sees to it.
    const { bytes } = await lab.curl(`${V4}/big`, "--interface", "10.77.0.3", "-o", "/dev/null");
    assert(bytes / MIB > 45 && bytes <= 50 * MIB, `${bytes / MIB}`);
    // Who was not watched had 8 MiB, and is watched 10 later: in all 20 of 100 are used.
    await lab.curl(`${V4}/big`, "--interface", "10.77.0.4", ...bytesOf(12 * MIB));
    await until("look", async () => Math.abs(await totalOf("10.77.0.4") / MIB - 20.5) < 1);
  });

  await t.step("another program flushes everything: it is noticed, and put back", async () => {
    await lab.sh("server", "nft flush ruleset");
    await until("table", async () => (await lab.curl(`${V4}/big`, "-r", "0-0")).status === 429);
    assertMatch(scene.said, /has gone or is another one; it is made again/);
  });
});

Deno.test("throttle: past its share of the limit a client is slowed down, not refused; others are not", async () => {
  await using scene = await Scene.make(
    `[bwlimit]\npoll = "0.5 s"\n[bwlimit.client]\nlimit = { "1 h" = "100 MiB" }\n` +
      `throttle = { percent = 50, rate = "4 MiB/s" }\n`,
    ["10.77.0.3/16"],
  );
  const { lab } = scene;
  await scene.start();
  const { seconds, bytes, status } = await lab.curl(`${V4}/big`, ...bytesOf(64 * MIB));
  console.log(`64 MiB, the last 14 at 4 MiB/s but for the first second's: ${seconds} s`);
  assertEquals([status, bytes], [206, 64 * MIB]);
  assert(seconds > 1.5, `${seconds}`);
  await until("the record", async () => (await scene.audit()).some((a) => a.did === "throttled"));
  assertEquals((await scene.json("list"))[0].state, "throttled");
  const other = await lab.curl(`${V4}/big`, "--interface", "10.77.0.3", ...bytesOf(40 * MIB));
  assert(other.seconds < seconds / 2, `${other.seconds}`);
});

Deno.test("networks: a /24 has a limit of its own, whoever in it takes the bytes; a cap holds for all", async () => {
  await using scene = await Scene.make(
    `[bwlimit]\npoll = "0.5 s"\n[bwlimit.network]\nlimit = { "1 h" = "40 MiB" }\n` +
      `[[bwlimit.cap]]\nname = "campus"\nnetworks = ["10.77.9.0/24"]\nrate = "4 MiB/s"\n`,
    ["10.77.5.1/16", "10.77.5.2/16", "10.77.5.3/16", "10.77.9.1/16"],
  );
  const { lab } = scene;
  await scene.start();
  const get = (from: string, mib: number) =>
    lab.curl(`${V4}/big`, "--interface", from, ...bytesOf(mib * MIB));
  assertEquals((await get("10.77.5.1", 25)).status, 206);
  assertEquals((await get("10.77.5.2", 25)).code, 56);
  assertEquals((await get("10.77.5.3", 1)).status, 429);
  const { seconds } = await get("10.77.9.1", 12);
  console.log(`12 MiB at 4 MiB/s but for the first second's: ${seconds} s`);
  assert(seconds > 1.3, `${seconds}`);
  await until("the record", async () => (await scene.audit()).length > 0);
  assertEquals((await scene.audit()).map((a) => a.who), ["10.77.5.0/24"]);
});

Deno.test("report: nobody is refused, and it is said who would have been", async () => {
  await using scene = await Scene.make(
    `[bwlimit]\npoll = "0.5 s"\n[bwlimit.client]\nlimit = { "1 h" = "20 MiB" }\n`,
  );
  const { lab } = scene;
  await scene.start("--dry-run");
  assertEquals((await lab.curl(`${V4}/big`, ...bytesOf(100 * MIB))).bytes, 100 * MIB);
  await until("the record", async () => (await scene.audit()).length > 0);
  assertEquals((await scene.audit()).map((a) => a.did), ["would have banned"]);
  assertMatch(scene.said, /would have banned a client/);
  assertEquals((await lab.curl(`${V4}/big`, "-r", "0-9")).status, 206);
  assertEquals((await scene.status()).mode, "report");
  // mirror.toml says "enforce": what counts is how it was started.
  const told = await scene.json("explain", "10.77.0.2");
  assertEquals([told.mode, told.standings[0].state], ["report", "would be banned"]);
  assert(!(await lab.sh("server", "nft list table inet mirrorkit")).includes("drop"));
  // Of an operator's ban nothing else is said.
  const ban = await scene.bwlimit("ban", "10.77.0.3");
  assertMatch(ban.stderr, /10\.77\.0\.3 is not refused: mode is report\. Once it is enforce, this/);
  assertEquals((await scene.json("explain", "10.77.0.3")).standings[0].state, "would be banned");
  // What was only reported is not carried out when it becomes serious.
  await scene.stop();
  await scene.start();
  assertEquals((await lab.curl(`${V4}/big`, "-r", "0-9")).status, 206);
});

Deno.test("operators: ban, unban and allow work with and without a run, are kept, and are written down", async (t) => {
  await using scene = await Scene.make(
    `[bwlimit]\npoll = "0.5 s"\non_stop = "flush"\n[bwlimit.client]\nlimit = { "1 h" = "20 MiB" }\n`,
    ["10.77.0.3/16"],
  );
  const { lab } = scene;
  const status = async (from: string) =>
    (await lab.curl(`${V4}/big`, "--interface", from, "-m", "2", "-r", "0-9")).status;
  await t.step("without a table: an order that failed is not carried out later", async () => {
    for (const words of [["ban", "10.77.0.2"], ["allow", "10.77.0.0/24"]]) {
      assertEquals((await scene.bwlimit(...words)).code, 1);
    }
  });
  await scene.start();
  assertEquals(await status("10.77.0.2"), 206);

  await t.step("ban: refused at once, with the reason; --silent: without an answer", async () => {
    const odd = await scene.bwlimit("ban", "10.77.0.2", "--reason", "a\nb");
    assertEquals(odd.code, 2);
    assertMatch(odd.stderr, /--reason "a\\nb" is not allowed/);
    const done = await scene.bwlimit("ban", "10.77.0.2", "--for", "2 h", "--reason", "loops");
    assertMatch(done.stderr, /10\.77\.0\.2 is refused until \S+ \(2 h\)/);
    const { status: code, body } = await lab.curl(`${V4}/`);
    assertEquals([code, /Why: +loops/.test(body)], [429, true]);
    await scene.bwlimit("ban", "10.77.0.3", "--silent");
    assertEquals(await status("10.77.0.3"), 0);
  });
  await t.step("kept over a restart that took the table away", async () => {
    assertEquals(await scene.stop(), 0);
    assertEquals(await status("10.77.0.2"), 206);
    await scene.start();
    assertEquals([await status("10.77.0.2"), await status("10.77.0.3")], [429, 0]);
    const { standings: [one] } = await scene.json("explain", "10.77.0.2");
    assertEquals([one.why, one.by, one.level], ["loops", "operator", 0]);
  });
  await t.step("unban: let in at once, and for good", async () => {
    await scene.bwlimit("unban", "10.77.0.2", "--reason", "fixed");
    assertEquals(await status("10.77.0.2"), 206);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    assertEquals(await status("10.77.0.2"), 206);
  });
  await t.step("allow: lets in who was refused, for a time; --remove ends it", async () => {
    await scene.bwlimit("allow", "10.77.0.0/24", "--for", "1 h");
    assertEquals(await status("10.77.0.3"), 206);
    const { bytes } = await lab.curl(`${V4}/big`, ...bytesOf(60 * MIB));
    assertEquals(bytes, 60 * MIB);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    assertEquals(await status("10.77.0.3"), 206);
    const banned = await scene.bwlimit("ban", "10.77.0.3");
    assertEquals(banned.code, 1);
    assertMatch(
      banned.stderr,
      /10\.77\.0\.3 is on the allow-list \(10\.77\.0\.0\/24\)[^]*not banned/,
    );
    await scene.bwlimit("allow", "10.77.0.0/24", "--remove");
    assertEquals((await lab.curl(`${V4}/big`, "-o", "/dev/null")).code, 56);
  });
  await t.step("the audit log has it all, in order", async () => {
    await until("the record", async () => (await scene.audit()).length === 7);
    const audit = await scene.audit();
    assertEquals(audit.map((a) => `${a.did} ${a.who} ${a.by}: ${a.why}`), [
      "banned 10.77.0.2 operator: loops",
      "blocked 10.77.0.3 operator: by hand",
      "unbanned 10.77.0.2 operator: fixed",
      "allowed 10.77.0.0/24 operator: by hand",
      "unbanned 10.77.0.3 operator: 10.77.0.0/24 is allowed",
      "disallowed 10.77.0.0/24 operator: by hand",
      "banned 10.77.0.2 kernel: 20 MiB within 1 h are used up",
    ]);
  });
  await t.step("wrong operands: exit code 2, and what is allowed", async () => {
    const cases: [string[], RegExp][] = [
      [
        ["ban", "10.0.0.0/8"],
        /"10\.0\.0\.0\/8" is not allowed; allowed is an IPv4 address, an IPv6 \/64/,
      ],
      [["ban"], /takes one address/],
      [["ban", "10.77.0.2", "--for", "soon"], /--for "soon" is not allowed/],
      [["ban", "10.77.0.2", "--for", "-6 h"], /Option --for needs TIME, not "-6 h"/],
      [["ban", "10.77.0.2", "--for=-6 h"], /--for "-6 h" is not allowed; allowed is a time above/],
      [["ban", "10.77.0.2", "--for", "4000 d"], /--for "4000 d" is not allowed; .* up to 3650 d/],
      [["list", "--for", "6 h"], /bwlimit list takes no --for/],
      [["explain", "10.0.0.0/8"], /"10\.0\.0\.0\/8" is not counted; .*: IPv4 \/32, IPv6 \/64/],
      [["allow", "tier2.example.net"], /Host names belong into allow/],
      [["lst"], /There is no bwlimit "lst"\. Did you mean list\?/],
      [["run", "now"], /takes nothing more/],
    ];
    for (const [args, expected] of cases) {
      const { code, stderr } = await scene.bwlimit(...args);
      assertEquals([args, code], [args, 2]);
      assertMatch(stderr, expected);
    }
    assertEquals((await scene.bwlimit("run")).code, 75);
    const dry = await scene.bwlimit("ban", "10.77.0.9", "--dry-run");
    assertMatch(dry.stdout, /^add element inet mirrorkit ban_c4 \{ 10\.77\.0\.9 \}/);
  });
  await t.step("--json: every order answers with data", async () => {
    assertEquals((await scene.json("ban", "10.77.0.9", "--dry-run")).commands.length, 5);
    const ban = await scene.json("ban", "10.77.0.9", "--reason", "x");
    assertEquals([ban.who, ban.state, ban.why], ["10.77.0.9", "banned", "x"]);
    const allow = await scene.json("allow", "10.77.0.9");
    assertEquals(allow, {
      network: "10.77.0.9",
      allowed: true,
      until: null,
      unbanned: ["10.77.0.9"],
    });
    assertEquals((await scene.json("unban", "10.77.0.9")).state, "counted");
  });
  await t.step("explain: an operator's ban is theirs, also while no run takes it in", async () => {
    await scene.stop("SIGKILL");
    await scene.bwlimit("ban", "10.77.0.4", "--reason", "loops");
    const { standings: [one] } = await scene.json("explain", "10.77.0.4");
    assertEquals([one.state, one.why, one.by, one.level], ["banned", "loops", "operator", 0]);
  });
});

Deno.test("errors: no permission, no nft, a port in use, a full set: what happened and what to do", async (t) => {
  await using scene = await Scene.make(
    `[bwlimit]\npoll = "0.5 s"\ndestinations = 1000\n[bwlimit.client]\nlimit = { "1 h" = "20 MiB" }\n`,
  );
  const { lab } = scene;
  const command = (await import("../../../scripts/lib/children.ts")).denoCommand(
    "scripts/bwlimit.ts",
    ["run", `--config=${scene.path("mirror.toml")}`, `--data=${scene.path("data")}`],
  );
  await t.step("without CAP_NET_ADMIN", async () => {
    const { code, stderr } = await lab.run("server", [
      ...["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin", "--"],
      ...command,
    ]);
    assertEquals(code, 1);
    assertMatch(stderr, /error: nft may not touch the firewall: permission denied/);
    assertMatch(stderr, /hint: Run as root, or with CAP_NET_ADMIN/);
  });
  await t.step("without nft", async () => {
    const { code, stderr } = await lab.run("server", [
      "env",
      `PATH=${scene.path("bin")}`,
      ...command,
    ]);
    assertEquals(code, 1);
    assertMatch(stderr, /nft is not installed|setpriv/);
    await Deno.mkdir(scene.path("bin"));
    await Deno.symlink("/usr/bin/setpriv", scene.path("bin/setpriv"));
    const again = await lab.run("server", [
      "/usr/bin/env",
      `PATH=${scene.path("bin")}`,
      ...command,
    ]);
    assertMatch(again.stderr, /error: nft is not installed\.\n\s+hint: Install it with/);
  });
  await t.step("its port in use", async () => {
    const other = lab.start("server", [
      "nginx",
      "-p",
      scene.dir,
      "-e",
      "stderr",
      "-c",
      scene.path("busy.conf"),
    ]);
    other.kill("SIGKILL"); // it is only there for the file's name below
    await Deno.writeTextFile(
      scene.path("busy.conf"),
      (await Deno.readTextFile(scene.path("nginx.conf"))).replace(
        /listen .*?; root/,
        "listen [::]:8429; root",
      )
        .replace(/pid \S+;/, `pid ${scene.path("pid2")};`),
    );
    const busy = lab.start("server", ["nginx", "-e", "stderr", "-c", scene.path("busy.conf")]);
    await until("nginx", async () => (await lab.sh("server", "ss -tln")).includes(":8429"));
    const { code, stderr } = await lab.run("server", command);
    assertEquals(code, 1);
    assertMatch(stderr, /Cannot listen on port 8429 for the answer .* in use/);
    busy.kill("SIGTERM");
    await busy.status;
  });
  await t.step(
    "what the kernel itself says: a feature that this one lacks, a set that is full",
    async () => {
      const failing = async (text: string) => {
        await Deno.writeTextFile(scene.path("x.nft"), text);
        return explainNft((await lab.run("server", ["nft", "-f", scene.path("x.nft")])).stderr);
      };
      const lacking = await failing(
        "table inet x { chain c { type filter hook input priority 0; queue num 1; }; }",
      );
      assertMatch(lacking.message, /This kernel lacks a feature of nf_tables/);
      assertMatch(lacking.hint!, /modprobe -a nft_quota/);
      const full = await failing(
        "table inet x { set s { type ipv4_addr; size 1; }; }\nadd element inet x s { 1.1.1.1, 1.1.1.2 }",
      );
      assertMatch(full.message, /A set of the table inet mirrorkit is full/);
      assertMatch(full.hint!, /Raise destinations/);
    },
  );
  await t.step(
    "more destinations than the set holds: traffic goes on, an alarm says what to do",
    async () => {
      await scene.start();
      await lab.sh(
        "server",
        `ip neigh flush dev cable; ip link set cable arp off; timeout 20 bash -c 'for i in $(seq 0 1200); do echo -n x > /dev/udp/10.77.$((i / 250 + 20)).$((i % 250 + 1))/9; done'; ip link set cable arp on`,
      );
      await until(
        "alarm",
        async () => (await scene.status().catch(() => undefined))?.alarms.length === 1,
      );
      const status = await scene.status();
      assertMatch(
        status.alarms[0],
        /counts about 1000 destinations of a kind and no more; .* Raise destinations/,
      );
      assert(status.uncounted > 0);
      assertEquals((await lab.curl(`${V4}/big`, "-r", "0-9")).status, 206);
    },
  );
  await t.step("spoofed SYNs make no element", async () => {
    await scene.bwlimit("flush");
    await until(
      "table",
      async () =>
        (await lab.run("server", ["nft", "list", "set", "inet", "mirrorkit", "warm_c4_0"])).code ===
          0,
    );
    // Answers to SYNs of addresses that nobody has.
    await lab.sh(
      "client",
      "ip link set plug arp off; for i in $(seq 1 100); do ip addr add 10.77.77.$i/16 dev plug; done",
    );
    await lab.sh(
      "client",
      `bash -c 'for i in $(seq 1 100); do curl -s -m 0.01 --interface 10.77.77.$i ${V4}:9/ & done; wait' || true`,
    );
    const warm = await lab.sh("server", "nft list table inet mirrorkit");
    assertMatch(warm, /set warm_c4_15/);
    assertEquals([...warm.matchAll(/10\.77\.77\./g)].length, 0, warm);
  });
});
