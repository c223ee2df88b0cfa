/** The same promises of every provider, kept by the real bind9, knot and PowerDNS; dig(1) is the judge. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { powerdns } from "../../../scripts/healthz/powerdns.ts";
import { type Held, isIdle, makePlan, type Provider } from "../../../scripts/healthz/records.ts";
import { rfc2136 } from "../../../scripts/healthz/rfc2136.ts";
import { Failure } from "../../../scripts/lib/cli.ts";
import type { Dns } from "../../../scripts/lib/healthz.ts";
import { dig, type DnsServer, startDns } from "../../helpers/dns.ts";
import { output } from "../../helpers/serving.ts";
import { healthz } from "./helpers.ts";

const NAME = "www.m.test", TYPES = ["A", "AAAA", "HTTPS"];
const A = "192.0.2.1", B = "192.0.2.2", A6 = "2001:db8::1";
const KNOWN = new Set([A, B, A6]);
const FOREIGN = "300 A 192.0.2.99";

type Make = (server: DnsServer, more?: Record<string, unknown>, secret?: string) => [Provider, Dns];

/** A provider with a configuration as mirror.toml has it. */
const rfc: Make = (server, more, secret) => {
  const table = {
    provider: "rfc2136",
    server: server.address,
    port: server.port,
    zone: "m.test",
    ...more,
  };
  const dns = healthz({ node: [{ name: "n", addresses: [A] }], dns: table }).dns!;
  if (dns.provider !== "rfc2136") throw new Error();
  return [rfc2136(dns, NAME, secret ?? server.secretFile), dns];
};
const pdns: Make = (server, more, secret) => {
  const url = `http://${server.address}:${server.apiPort}`;
  const table = { provider: "powerdns", url, zone: "m.test", ...more };
  const dns = healthz({ node: [{ name: "n", addresses: [A] }], dns: table }).dns!;
  if (dns.provider !== "powerdns") throw new Error();
  const key = Deno.readTextFileSync(secret ?? server.secretFile).trim();
  return [powerdns(dns, NAME, key), dns];
};

/** Changes a record behind our back. */
async function change(kind: string, server: DnsServer, line: string) {
  if (kind === "pdns") {
    const [pick] = pdns(server);
    const held = await pick.read(new Set([...KNOWN, "192.0.2.50"])) as Held;
    const desired = [...held.ours.map((r) => r.value), "192.0.2.50"].filter((a) =>
      !a.includes("=")
    );
    return await pick.write(makePlan(held, desired, { ttl: 60, alpn: undefined }), held);
  }
  const script = `server ${server.address} ${server.port}\nzone m.test.\n${line}\nsend\n`;
  await output("sh", ["-c", `printf '${script}' | nsupdate -k ${server.secretFile} -v`]);
}

for (const [kind, make] of [["bind9", rfc], ["knot", rfc], ["pdns", pdns]] as const) {
  Deno.test(`${kind}: read, add, remove, TTL, races, refusals; what is foreign stays`, async () => {
    await using server = await startDns(kind);
    const look = () => dig(server, NAME, TYPES);
    const apply = async ([provider, dns]: [Provider, Dns], addresses: string[]) => {
      const held = (await provider.read(KNOWN))!;
      const plan = makePlan(held, addresses, dns);
      await provider.write(plan, held);
      return plan;
    };
    const both = make(server, { alpn: ["h2"] });
    const service = (...hints: string[]) => `60 HTTPS 1 . alpn="h2" ${hints.join(" ")}`;

    assertEquals(await look(), [FOREIGN]);
    assertEquals((await both[0].read(KNOWN))!.foreign, [{ type: "A", value: "192.0.2.99" }]);
    await apply(both, [A, B, A6]);
    // One RRset has one TTL (RFC 2181, 5.2).
    const foreign = FOREIGN.replace("300", "60");
    assertEquals(await look(), [
      `60 A ${A}`,
      `60 A ${B}`,
      foreign,
      `60 AAAA ${A6}`,
      service(`ipv4hint=${A},${B}`, `ipv6hint=${A6}`),
    ]);
    const held = (await both[0].read(KNOWN))!;
    assertEquals(isIdle(makePlan(held, [A, B, A6], both[1])), true);

    await apply(both, [A, A6]);
    assertEquals(await look(), [
      `60 A ${A}`,
      foreign,
      `60 AAAA ${A6}`,
      service(`ipv4hint=${A}`, `ipv6hint=${A6}`),
    ]);

    // A race: what was read is not there any more when it is written.
    const old = (await both[0].read(KNOWN))!;
    await change(kind, server, `update add ${NAME}. 60 A 192.0.2.50`);
    const before = await look();
    const race = await assertRejects(
      () => both[0].write(makePlan(old, [B, A6], both[1]), old),
      Failure,
    );
    assertMatch(race.message, /changed in between; nothing was done/);
    assertEquals(await look(), before);

    // Another TTL, and no HTTPS record any more.
    const plain = make(server, { ttl: 120 });
    await apply(plain, [A, B, A6]);
    assertEquals((await look()).filter((l) => /192\.0\.2\.[12]$|AAAA|HTTPS/.test(l)), [
      `120 A ${A}`,
      `120 A ${B}`,
      `120 AAAA ${A6}`,
    ]);
    assertEquals((await dig(server, NAME, ["TXT"]))[0], '300 TXT "not ours"');
    assertEquals(await dig(server, "other.m.test", ["A"]), ["300 A 192.0.2.1"]);

    // Wrong keys, a zone that is not there, nobody at home: a failure that says so, and no key in it.
    const key = await Deno.readTextFile(server.secretFile);
    const secret = /secret "(.*)"/.exec(key)?.[1] ?? key.trim();
    const wrong = await Deno.makeTempFile();
    await Deno.writeTextFile(wrong, key.replace(secret, secret.replace(/^.../, "AAA")));
    const refused = await assertRejects(() => apply(make(server, {}, wrong), [A]), Failure);
    await Deno.remove(wrong);
    assert(!refused.message.includes(secret.slice(4)), refused.message);
    const astray = make(server, { zone: "test" });
    await assertRejects(() => apply(astray, [A]), Failure, kind === "pdns" ? "list" : "update");
    server.daemon.kill("SIGKILL");
    await assertRejects(
      () => apply(both, [A]),
      Failure,
      kind === "pdns" ? "answer" : "read",
    );
  });
}
