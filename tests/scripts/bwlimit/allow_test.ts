/** Host names of the allow-list, looked up at a real bind9 by the system's resolver. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { MIB, Scene, until, V4 } from "../../../scripts/demo/limited.ts";
import { dig, type DnsServer, startDns } from "../../helpers/dns.ts";
import { output } from "../../helpers/serving.ts";

const NAME = "tier2.m.test", ADDRESS = "10.77.0.1";

Deno.test("allow: names are looked up again; what is added is let in, what is dropped is not, a silent server changes nothing", async (t) => {
  await using scene = await Scene.make(
    `[bwlimit]\npoll = "0.5 s"\nallow = ["${NAME}"]\nresolve_every = "1 s"\n` +
      `[bwlimit.client]\nlimit = { "1 h" = "20 MiB" }\n`,
    ["10.77.0.3/16", "10.77.0.4/16"],
  );
  const { lab } = scene, { command, args } = lab.inside("server", []);
  const inside = [command, ...args.filter((arg) => arg !== "")];
  const start = (): Promise<DnsServer> => {
    const ready = () =>
      dig({ address: ADDRESS, port: 53 }, "other.m.test", ["A"], inside)
        .then((lines) => lines.length > 0, () => false);
    return startDns("bind9", { address: ADDRESS, port: 53, prefix: inside, ready });
  };
  const update = async (server: DnsServer, ...lines: string[]) => {
    const text = [`server ${ADDRESS} 53`, "zone m.test", ...lines, "send", ""].join("\n");
    await Deno.writeTextFile(scene.path("update"), text);
    await output(inside[0], [
      ...inside.slice(1),
      "nsupdate",
      "-k",
      server.secretFile,
      scene.path("update"),
    ]);
  };
  const allowed = async () => {
    const text = await lab.sh("server", "nft -j list set inet mirrorkit allow4");
    return [...text.matchAll(/10\.77\.0\.\d+/g)].map((m) => m[0]).sort();
  };
  const becomes = (...expected: string[]) =>
    until(`allow-list ${expected}`, async () => `${await allowed()}` === `${expected}`, 10);
  const get = async (from: string) =>
    (await lab.curl(`${V4}/big`, "--interface", from, "-r", `0-${30 * MIB - 1}`, "-o", "/dev/null"))
      .bytes / MIB;
  // The machine's resolver, for the run alone: of the two servers' default of 10 s it waits 2.
  await Deno.writeTextFile(
    scene.path("resolv.conf"),
    `nameserver ${ADDRESS}\noptions timeout:1 attempts:2\n`,
  );
  const bound = `mount --bind ${scene.path("resolv.conf")} /etc/resolv.conf && exec "$@"`;
  scene.before = ["unshare", "--mount", "sh", "-c", bound, "sh"];

  let server = await start(), up = true;
  const stop = async () => {
    if (up) await server[Symbol.asyncDispose]();
    up = false;
  };
  try {
    await t.step("not known: said, and not allowed; known: as much as it likes", async () => {
      await scene.start();
      assertMatch(scene.said, /cannot look up tier2\.m\.test \(.+\); it is not allowed yet/);
      await update(server, `update add ${NAME} 1 A 10.77.0.3`);
      await becomes("10.77.0.3");
      assertMatch(scene.said, /tier2\.m\.test can be looked up again/);
      assertEquals(await get("10.77.0.3"), 30);
      const told = async () => (await scene.json("explain", "10.77.0.3")).allowed;
      await until("explain", async () => await told() === NAME, 2);
      assertMatch(
        (await scene.bwlimit("ban", "10.77.0.3")).stderr,
        /on the allow-list \(tier2\.m\.test\)/,
      );
    });
    await t.step("an address more, an address less", async () => {
      await update(server, `update add ${NAME} 1 A 10.77.0.4`);
      await becomes("10.77.0.3", "10.77.0.4");
      assertEquals(await get("10.77.0.4"), 30);
      await update(server, `update delete ${NAME} A 10.77.0.3`);
      await becomes("10.77.0.4");
      assert(await get("10.77.0.3") < 20);
    });
    await t.step("down: said once, what was known stays, and looks go on", async () => {
      await stop();
      await until("alarm", async () => (await scene.status()).alarms.length > 0, 12);
      const { alarms: [alarm], time } = await scene.status();
      assertMatch(alarm, /^1 name of the allow-list cannot be looked up, and keep the addresses/);
      assertMatch(scene.said, /cannot look up tier2\.m\.test \(.+\); 10\.77\.0\.4 stay allowed/);
      assertEquals(await get("10.77.0.4"), 30);
      await until("looks", async () => (await scene.status()).time >= time + 3, 6);
      assert((await scene.status()).lookSeconds < 1);
      assertEquals(scene.said.match(/10\.77\.0\.4 stay allowed/g)?.length, 1);
    });
    await t.step("down at the start, without a table: it is allowed as before", async () => {
      await scene.stop();
      await scene.bwlimit("flush");
      await scene.start();
      assertEquals(await allowed(), ["10.77.0.4"]);
    });
    await t.step("up again: looked up", async () => {
      server = await start();
      up = true;
      await update(server, `update add ${NAME} 1 A 10.77.0.3`);
      await becomes("10.77.0.3");
      await until("no alarm", async () => (await scene.status()).alarms.length === 0, 6);
    });
  } finally {
    await stop();
  }
});
