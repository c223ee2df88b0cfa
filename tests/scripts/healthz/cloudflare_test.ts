/** Cloudflare's API, as far as it is published, with everything that can go wrong, over real HTTP. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { cloudflare, mark } from "../../../scripts/healthz/cloudflare.ts";
import { addressesOf, isIdle, makePlan } from "../../../scripts/healthz/records.ts";
import { Failure } from "../../../scripts/lib/failure.ts";
import { FakeCloudflare, type Trouble } from "../../helpers/cloudflare.ts";
import { healthz } from "./helpers.ts";

const NAME = "mirror.test", ZONE = "0".repeat(32), TOKEN = "t0p-s3cr3t";
const A = "192.0.2.1", B = "192.0.2.2", A6 = "2001:db8::1";

/** A zone with foreign records, and the provider that talks to it. */
function setUp() {
  const fake = new FakeCloudflare(ZONE, TOKEN);
  fake.add("A", NAME, "192.0.2.99", "the web master's");
  fake.add("TXT", NAME, "v=spf1 -all");
  fake.add("A", "other.test", A, mark(NAME));
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, fake.handle);
  const waited: number[] = [];
  const make = (more: Record<string, unknown> = {}, token = TOKEN) => {
    const table = {
      provider: "cloudflare",
      zone_id: ZONE,
      api: `http://127.0.0.1:${server.addr.port}/client/v4`,
      ...more,
    };
    const dns = healthz({ node: [{ name: "n", addresses: [A] }], dns: table }).dns!;
    if (dns.provider !== "cloudflare") throw new Error();
    const pause = (seconds: number) => Promise.resolve(void waited.push(seconds));
    const provider = cloudflare(dns, NAME, token, { pause });
    return {
      provider,
      async apply(addresses: string[]) {
        const held = (await provider.read(new Set()))!;
        const plan = makePlan(held, addresses, dns);
        if (!isIdle(plan)) await provider.write(plan, held);
        return plan;
      },
    };
  };
  return { fake, waited, make, [Symbol.asyncDispose]: () => server.shutdown() };
}

const FOREIGN = ["A 192.0.2.99", "TXT v=spf1 -all"];

Deno.test("cloudflare: adds, removes, HTTPS, TTL; foreign records stay; idle asks once", async () => {
  await using world = setUp();
  const { fake } = world, { apply, provider } = world.make({ alpn: ["h3", "h2"] });
  await apply([A, B, A6]);
  assertEquals(fake.show(NAME), [
    `A ${A}`,
    `A ${B}`,
    FOREIGN[0],
    `AAAA ${A6}`,
    `HTTPS 1 . alpn="h3,h2" ipv4hint="${A},${B}" ipv6hint="${A6}"`,
    FOREIGN[1],
  ]);
  const ours = fake.records.filter((r) => r.comment === mark(NAME) && r.name === NAME);
  assertEquals(new Set(ours.map((r) => `${r.ttl} ${r.proxied ?? false}`)), new Set(["60 false"]));
  fake.requests.length = 0;
  await apply([A, B, A6]);
  assertEquals(fake.requests, ["GET "]);
  await apply([A, A6]);
  assertEquals(fake.show(NAME).length, 5);
  assertEquals(addressesOf((await provider.read(new Set()))!.foreign), ["192.0.2.99"]);
  await world.make({ ttl: 120 }).apply([A, A6]);
  assertEquals(fake.show(NAME), [`A ${A}`, FOREIGN[0], `AAAA ${A6}`, FOREIGN[1]]);
  assertEquals(fake.records.filter((r) => r.ttl === 120).length, 2);
  assertEquals(fake.show("other.test"), [`A ${A}`]);
  assertEquals(fake.records[0], {
    ...fake.records[0],
    content: "192.0.2.99",
    ttl: 300,
    comment: "the web master's",
  });
});

Deno.test("cloudflare: a list of several pages is read whole", async () => {
  await using world = setUp();
  const { fake } = world, { apply, provider } = world.make();
  fake.pageSize = 2;
  const many = Array.from({ length: 9 }, (_, i) => `192.0.2.${i + 10}`);
  await apply(many);
  fake.requests.length = 0;
  assertEquals((await provider.read(new Set()))!.ours.length, 9);
  assertEquals(fake.requests.length, 6);
});

Deno.test("cloudflare: every failure is told, changes nothing or is healed by the next run", async () => {
  const table: [Trouble, "GET" | "POST", RegExp][] = [
    ["429 for long", "GET", /asked too often \(429, again in 600 s\)/],
    ["429 for ever", "GET", /asked too often \(429, again in 1 s\)/],
    ["500", "GET", /does not list the records of mirror\.test: HTTP status 500/],
    ["500", "POST", /does not change the records of mirror\.test: HTTP status 500/],
    ["garbage", "GET", /HTTP status 200/],
    ["garbage", "POST", /HTTP status 200/],
    ["huge", "GET", /larger than/],
    ["unsuccessful", "GET", /something else \(1000\)/],
    ["unsuccessful", "POST", /something else \(1000\)/],
    ["late", "POST", /HTTP status 504/],
  ];
  for (const [trouble, method, message] of table) {
    await using world = setUp();
    const { fake } = world, { apply } = world.make();
    await apply([A]);
    fake.troubles = method === "GET" ? [trouble] : [undefined, trouble];
    const error = await assertRejects(() => apply([A, B]), Failure);
    assertMatch(error.message, message);
    assert(!(error.message + error.hint).includes(TOKEN));
    assertEquals(fake.show(NAME).includes(`A ${A}`), true);
    fake.troubles = [];
    await apply([A, B]);
    assertEquals(fake.show(NAME), [`A ${A}`, `A ${B}`, ...FOREIGN]);
  }
});

Deno.test("cloudflare: half of it fails: never without an address, and the next run does the rest", async () => {
  await using world = setUp();
  const { fake } = world, { apply } = world.make();
  await apply([A]);
  fake.troubles = [undefined, undefined, "500"];
  await assertRejects(() => apply([B]), Failure, "HTTP status 500");
  assertEquals(fake.show(NAME), [`A ${A}`, `A ${B}`, ...FOREIGN]);
  await apply([B]);
  assertEquals(fake.show(NAME), [`A ${B}`, ...FOREIGN]);
});

Deno.test("cloudflare: waits as Retry-After says, a few times", async () => {
  await using world = setUp();
  world.fake.troubles = ["429", "429"];
  await world.make().apply([A]);
  assertEquals(world.waited, [1, 1]);
  assertEquals(world.fake.show(NAME)[0], `A ${A}`);
});

Deno.test("cloudflare: a wrong token, a record that is gone, a TTL that is refused", async () => {
  await using world = setUp();
  const { fake } = world;
  const wrong = await assertRejects(() => world.make({}, "wr0ng").apply([A]), Failure);
  assertMatch(wrong.message, /Authentication error \(10000\)/);
  assertMatch(wrong.hint!, /Zone \/ DNS \/ Edit/);
  assert(!wrong.message.includes("wr0ng"));
  const short = await assertRejects(() => world.make({ ttl: 30 }).apply([A]), Failure);
  assertMatch(short.message, /Invalid TTL/);
  // Somebody deletes a record between reading and writing: nothing of the batch is done.
  const { provider, apply } = world.make();
  await apply([A, B]);
  const held = (await provider.read(new Set()))!;
  fake.records = fake.records.filter((r) => r.content !== B);
  const plan = makePlan(held, [A], { ttl: 60, alpn: undefined });
  const gone = await assertRejects(() => provider.write(plan, held), Failure);
  assertMatch(gone.message, /Record does not exist\. \(81044\)/);
  await apply([A]);
  assertEquals(fake.show(NAME), [`A ${A}`, ...FOREIGN]);
});

Deno.test("cloudflare: the token is sent to nobody else", async () => {
  const seen: string[] = [];
  const other = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    seen.push(request.headers.get("authorization") ?? "none");
    return new Response("{}");
  });
  const location = `http://127.0.0.1:${other.addr.port}/`;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(null, { status: 302, headers: { location } }),
  );
  const dns = {
    provider: "cloudflare" as const,
    ttl: 60,
    zone_id: ZONE,
    api: `http://127.0.0.1:${server.addr.port}`,
  };
  await assertRejects(() => cloudflare(dns, NAME, TOKEN).read(new Set()), Failure, "302");
  assertEquals(seen, []);
  await Promise.all([server.shutdown(), other.shutdown()]);
});
