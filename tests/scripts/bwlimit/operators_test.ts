/** bwlimit with the real kernel: what operators do, and what can go wrong. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { explainNft } from "../../../scripts/bwlimit/nft.ts";
import { MIB, Scene, until, V4 } from "../../../scripts/demo/limited.ts";

const bytesOf = (range: number) => ["-r", `0-${range - 1}`, "-o", "/dev/null"];

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
