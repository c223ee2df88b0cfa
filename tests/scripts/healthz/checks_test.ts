/** The checks against servers that are good, wrong, slow, endless and hostile, over real connections. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { check } from "../../../scripts/healthz/checks.ts";
import { judge } from "../../../scripts/healthz/judge.ts";
import { pickPackage } from "../../../scripts/healthz/packages.ts";
import { denoWire } from "../../../scripts/healthz/wire.ts";
import { type CheckName, endpoints } from "../../../scripts/lib/healthz.ts";
import { healthz } from "./helpers.ts";

const NOW = 1_790_000_000;

/** What a server does with one connection. */
type Manners = (connection: Deno.TcpConn) => Promise<void>;

const say = (text: string): Manners => async (connection) => {
  await connection.read(new Uint8Array(4096));
  await connection.write(new TextEncoder().encode(text));
};
const http = (status: string, body: string, more = "") =>
  say(`HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`);

/** Sends `text` again and again until the other side has gone. */
const endless = (head: string, text: string, pauseMs = 0): Manners => async (connection) => {
  const bytes = new TextEncoder().encode(text);
  await connection.write(new TextEncoder().encode(head));
  for (;;) {
    await connection.write(bytes);
    if (pauseMs) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
};

/** Listens, behaves so on every connection, and checks it once. */
async function probe(name: CheckName, manners: Manners, more: Record<string, unknown> = {}) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const connections: Deno.TcpConn[] = [], jobs: Promise<void>[] = [];
  const serving = (async () => {
    for await (const connection of listener) {
      connections.push(connection);
      jobs.push(
        manners(connection).catch(() => {}).finally(() => {
          try {
            connection.close();
          } catch { /* it is closed */ }
        }),
      );
    }
  })();
  const ports = { http: port, https: port, rsync: port, ftp: port };
  const config = healthz({
    timeout: "1 s",
    listing: "/arch/",
    rsync_module: "arch",
    node: [{ name: "n", addresses: ["127.0.0.1"], ports }],
    ...more,
  });
  try {
    const [endpoint] = endpoints(config);
    return await check(name, { endpoint, config, wire: denoWire, now: NOW });
  } finally {
    listener.close();
    for (const connection of connections) {
      try {
        connection.close();
      } catch { /* it is closed */ }
    }
    await Promise.all([serving, ...jobs]);
  }
}

const hang: Manners = (connection) =>
  connection.read(new Uint8Array(9999)).then(() => connection.read(new Uint8Array(1)))
    .then(() => {});

const TABLE: [what: string, name: CheckName, manners: Manners, ok: boolean, reason: RegExp][] = [
  ["a time", "http", http("200 OK", `${NOW - 60}\n`), true, /^lastsync 2026-09-21T\d\d:\d\d:20Z$/],
  ["404", "http", http("404 Not Found", `${NOW}`), false, /HTTP status 404 instead of 200/],
  ["503", "http", http("503 Busy", ""), false, /HTTP status 503/],
  ["garbage with 200", "http", http("200 OK", "<html>moved"), false, /no time: "<html>moved"/],
  ["a time and more", "http", http("200 OK", `${NOW} ${NOW}`), false, /no time/],
  ["nothing", "http", http("200 OK", ""), false, /no time: ""/],
  ["a negative time", "http", http("200 OK", "-1790000000"), false, /no time/],
  ["milliseconds", "http", http("200 OK", `${NOW}000`), false, /no time/],
  ["the future", "http", http("200 OK", `${NOW + 999}`), false, /in the future: 2026/],
  ["a clock that is a bit ahead", "http", http("200 OK", `${NOW + 200}`), true, /lastsync/],
  [
    "a redirect elsewhere",
    "http",
    http("302 Found", "", "Location: http://evil.test/\r\n"),
    false,
    /a redirect off the host, to evil\.test/,
  ],
  [
    "a redirect to another port",
    "http",
    http("302 Found", "", "Location: http://mirror.test:1/\r\n"),
    false,
    /off the host, to mirror\.test:1/,
  ],
  [
    "a redirect to itself",
    "http",
    http("302 Found", "", "Location: /arch/lastsync\r\n"),
    false,
    /more than 3 redirects/,
  ],
  [
    "a redirect to no URL",
    "http",
    http("302 Found", "", "Location: http://[\r\n"),
    false,
    /redirect to no URL/,
  ],
  ["no answer", "http", hang, false, /no whole answer within 1 s/],
  ["closes at once", "http", async () => {}, false, /./],
  ["no HTTP", "http", say("SSH-2.0-OpenSSH\r\n\r\n"), false, /./],
  [
    "an endless body",
    "http",
    endless("HTTP/1.1 200 OK\r\n\r\n", "1".repeat(65536)),
    false,
    /no time/,
  ],
  [
    "10 GB announced",
    "http",
    endless("HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n", "x".repeat(65536)),
    false,
    /no time/,
  ],
  [
    "a slow drip",
    "http",
    endless("HTTP/1.1 200 OK\r\n\r\n", "1", 200),
    false,
    /no whole answer within 1 s/,
  ],
  ["endless header fields", "http", endless("HTTP/1.1 200 OK\r\n", "X-A: b\r\n"), false, /./],
  [
    "a header field without end",
    "http",
    endless("HTTP/1.1 200 OK\r\nX: ", "y".repeat(65536)),
    false,
    /./,
  ],
  [
    "a body that is cut",
    "http",
    say(`HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n${NOW}`),
    false,
    /./,
  ],
  ["no TLS", "https", http("200 OK", `${NOW}`), false, /./],
  ["a listing", "listing", http("200 OK", '<a href="x">x</a> <a href="y">'), true, /2 links/],
  ["a listing without links", "listing", http("200 OK", "Under construction"), false, /no links/],
  ["a listing that is gone", "listing", http("403 No", ""), false, /status 403/],
  [
    "modules",
    "rsync",
    say("@RSYNCD: 31.0\narch           \tArch Linux\n@RSYNCD: EXIT\n"),
    true,
    /lists arch/,
  ],
  [
    "other modules",
    "rsync",
    say("@RSYNCD: 31.0\narch-x\tno\nsearch\tno\n@RSYNCD: EXIT\n"),
    false,
    /does not list arch/,
  ],
  [
    "an rsync that refuses",
    "rsync",
    say("@RSYNCD: 31.0\n@ERROR: max connections reached\n"),
    false,
    /does not list/,
  ],
  ["no rsync", "rsync", say("220 ftp\r\n"), false, /no rsync daemon/],
  ["an endless list", "rsync", endless("@RSYNCD: 31.0\n", "module\tx\n"), false, /does not list/],
  ["a greeting", "ftp", endless("220 Welcome\r\n", "", 100), true, /greets/],
  ["a greeting of lines", "ftp", endless("220-Hello\r\n220 Welcome\r\n", "", 100), true, /greets/],
  [
    "an FTP server that is full",
    "ftp",
    endless("421 Too many\r\n", "", 100),
    false,
    /the greeting is "421/,
  ],
  ["a silent FTP server", "ftp", endless("", "", 100), false, /no whole answer within 1 s/],
];

for (const [what, name, manners, ok, reason] of TABLE) {
  Deno.test(`check ${name}: ${what} is ${ok ? "good" : "bad"}`, async () => {
    const before = Deno.memoryUsage().rss;
    const found = await probe(name, manners);
    assertEquals([found.ok, found.check], [ok, name], found.reason);
    assertMatch(found.reason, reason);
    assert(found.durationMs < 3000, `took ${found.durationMs} ms`);
    const grown = Deno.memoryUsage().rss - before;
    assert(grown < 300 << 20, `memory grew by ${grown >> 20} MiB`);
  });
}

Deno.test("check: an address where nobody listens is bad, with the reason", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const config = healthz({
    node: [{ name: "n", addresses: ["127.0.0.1"], ports: { http: port } }],
  });
  const [endpoint] = endpoints(config);
  const found = await check("http", { endpoint, config, wire: denoWire, now: NOW });
  assertEquals(found.ok, false);
  assertMatch(found.reason, /refused/i);
});

/** Findings of three nodes; `times` their lastsync, `hashes` of the same package. */
function three(times: number[], hashes: string[]) {
  const config = healthz({
    node: times.map((_, i) => ({ name: `n${i}`, addresses: [`192.0.2.${i}`] })),
  });
  const findings = endpoints(config).map((endpoint, i) => ({
    endpoint,
    found: [
      { check: "http" as const, ok: true, reason: "", durationMs: 1, at: NOW, lastSync: times[i] },
      {
        check: "range" as const,
        ok: true,
        reason: "",
        durationMs: 1,
        at: NOW,
        sample: { path: "/p", hash: hashes[i] },
      },
    ],
  }));
  return judge(findings, config, NOW).map((p) => p.checks.map((c) => c.ok));
}

Deno.test("judge: old beside the newest, too old at all, and other bytes than most", () => {
  const HOUR = 3600, same = ["x", "x", "x"];
  assertEquals(three([NOW, NOW - 5 * HOUR, NOW - 7 * HOUR], same), [
    [true, true],
    [true, true],
    [false, true],
  ]);
  assertEquals(three([NOW - 49 * HOUR, NOW - 49 * HOUR, NOW - 49 * HOUR], same).flat(), [
    ...[false, true],
    ...[false, true],
    ...[false, true],
  ]);
  assertEquals(three([NOW, NOW, NOW], ["x", "x", "y"]), [[true, true], [true, true], [
    true,
    false,
  ]]);
  // Without a majority nobody knows who is right.
  assertEquals(three([NOW, NOW, NOW], ["x", "y", "z"]).flat().filter((ok, i) => i % 2 && !ok), [
    false,
    false,
    false,
  ]);
  assertEquals(three([NOW, NOW], ["x", "y"]).flat(), [true, true, true, true]);
});

Deno.test("pickPackage: names of pacman and Debian databases, hostile ones left out", async () => {
  const pick = (text: string, path: string, now = 0) =>
    pickPackage(new TextEncoder().encode(text), path, now);
  assertEquals(
    await pick("%FILENAME%\na+b-1:2.pkg\n\n", "/arch/core/core.db"),
    "/arch/core/a%2Bb-1%3A2.pkg",
  );
  assertEquals(
    await pick("Package: x\nFilename: pool/x/x_1.deb\n", "/debian/dists/sid/main/Packages"),
    "/debian/pool/x/x_1.deb",
  );
  for (const evil of ["../../etc/passwd", "a b", "x\r\nEvil: 1", "..", "a/../b", "x?y", ""]) {
    assertEquals(await pick(`%FILENAME%\n${evil}\n`, "/core.db"), undefined);
  }
  const many = Array.from({ length: 50 }, (_, i) => `%FILENAME%\np${i}\n`);
  const first = await pick(many.join(""), "/x.db", 7200);
  assertEquals(await pick(many.reverse().join(""), "/x.db", 10_799), first);
  const hours = new Set<string | undefined>();
  for (let hour = 0; hour < 20; hour++) hours.add(await pick(many.join(""), "/x.db", hour * 3600));
  assert(hours.size > 5, "another hour mostly picks another one");
});

/** A node whose database names one package; `answer` is what it says to the range. */
async function sample(answer: (range: string) => Response, database = "%FILENAME%\nx.pkg\n") {
  const gzip = new Blob([database]).stream().pipeThrough(new CompressionStream("gzip"));
  const bytes = await new Response(gzip).bytes();
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/core/core.db") return new Response(bytes);
      if (pathname === "/core/x.pkg") return answer(request.headers.get("range") ?? "");
      return new Response("no", { status: 404 });
    },
  );
  const config = healthz({
    database: "/core/core.db",
    node: [{ name: "n", addresses: ["127.0.0.1"], ports: { http: server.addr.port } }],
  });
  const [endpoint] = endpoints(config);
  return await check("range", { endpoint, config, wire: denoWire, now: NOW });
}

Deno.test("check range: the end of a package that the database names, as a hash", async () => {
  const good = await sample((range) =>
    new Response("end", { status: range === "bytes=-65536" ? 206 : 400 })
  );
  assertEquals([good.ok, good.reason], [true, "3 bytes of /core/x.pkg"]);
  // printf end | sha256sum
  const hash = "361e48d0308f20e32dba5fb56328baf18d72ef0ccb43b84f5c262d2a6a1fc6c8";
  assertEquals(good.sample, { path: "/core/x.pkg", hash });
  const table: [Parameters<typeof sample>, RegExp][] = [
    [[() => new Response("all of it")], /x\.pkg: HTTP status 200 instead of 206/],
    [[() => new Response("no", { status: 404 })], /HTTP status 404 instead of 206/],
    [[() => new Response("x".repeat(70_000), { status: 206 })], /more bytes than the range has/],
    [[() => new Response("end", { status: 206 }), "nothing"], /names no package/],
  ];
  for (const [args, reason] of table) {
    const bad = await sample(...args);
    assertEquals(bad.ok, false);
    assertMatch(bad.reason, reason);
  }
});

Deno.test("check range: a database that is a bomb is given up in time", async () => {
  const started = performance.now();
  const bad = await sample(() => new Response("end", { status: 206 }), "0".repeat(80 << 20));
  assertEquals(bad.ok, false);
  assertMatch(bad.reason, /too large when decompressed/);
  assert(performance.now() - started < 10_000);
});
