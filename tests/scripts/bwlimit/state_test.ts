/** bwlimit with the real kernel: windows, throttling, kills, reboots. */
import { assert, assertEquals, assertMatch } from "@std/assert";
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
  const off = async () => Math.abs((await scene.status()).bytes.tcp - wire) / wire;
  await until("status", async () => await off() < 0.0001);
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
