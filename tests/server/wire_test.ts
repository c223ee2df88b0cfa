/** The server on a real port, asked by real clients and by bytes on a socket. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/posix";
import { startServer } from "../../server/listen.ts";
import { makeNode, type TestNode } from "./fixture.ts";

interface Served extends AsyncDisposable {
  node: TestNode;
  url: string;
  port: number;
}

/** A node with one repository on a free port. */
async function serve(): Promise<Served> {
  const node = await makeNode({ arch: "/arch/" });
  await node.ready("arch");
  const server = startServer(node.config, { port: 0, web: join(node.data, "web") });
  return {
    node,
    url: `${server.url}arch/`,
    port: server.port,
    async [Symbol.asyncDispose]() {
      assertEquals(await server.shutdown(5000), true, "a request never ended");
      await node[Symbol.asyncDispose]();
    },
  };
}

async function run(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args }).output();
  const text = new TextDecoder();
  assertEquals(code, 0, `${program} ${args.join(" ")}: ${text.decode(stderr)}`);
  return text.decode(stdout);
}

/** Sends bytes and gives all that comes back until the server closes. */
async function exchange(port: number, request: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(Uint8Array.from(request, (c) => c.charCodeAt(0)));
  return await new Response(connection.readable).text();
}

/** Bytes that repeat nowhere near each other, so that a wrong offset shows. */
function pattern(size: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(size / 4);
  for (let i = 0, x = 1; i < words.length; i++) {
    words[i] = x = Math.imul(x, 1664525) + 1013904223 >>> 0;
  }
  return new Uint8Array(words.buffer);
}

const sha256 = async (path: string) => (await run("sha256sum", path)).slice(0, 64);

Deno.test("serve: what many fetch over and over comes whole to each, with its length", async () => {
  await using s = await serve();
  for (const size of [1024, 16_384, 16_388, 1_000_000]) {
    const bytes = pattern(size);
    await s.node.write("arch/popular.iso", bytes);
    const fetches = Array.from({ length: 12 }, async () => {
      const response = await fetch(s.url + "popular.iso");
      assertEquals(response.headers.get("content-length"), String(size));
      assertEquals(response.headers.get("transfer-encoding"), null);
      assertEquals(await response.bytes(), bytes);
    });
    await Promise.all(fetches);
    // Again, from memory for certain; one of them leaves in the middle.
    const stop = new AbortController();
    const left = fetch(s.url + "popular.iso", { signal: stop.signal }).then((r) => {
      stop.abort();
      return r.bytes();
    }).catch(() => {});
    for (let i = 0; i < 3; i++) {
      assertEquals(await (await fetch(s.url + "popular.iso")).bytes(), bytes);
    }
    await left;
    await new Promise((resolve) => setTimeout(resolve, 20)); // longer than an answer is believed
  }
});

Deno.test("serve: what is answered from memory has the same fields and bytes as from the disk", async () => {
  await using s = await serve();
  await s.node.write("arch/ls-lR", "text that shrinks ".repeat(20_000));
  await s.node.write("arch/core.db", pattern(1000));
  await s.node.write("arch/none.txt", "");
  for (const name of ["ls-lR", "core.db", "none.txt", ""]) {
    const request = `GET /arch/${name} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip, br\r\n` +
      "Connection: close\r\n\r\n";
    const answers = [];
    for (let i = 0; i < 4; i++) {
      const [head, ...body] = (await exchange(s.port, request)).split("\r\n\r\n");
      const fields = head.toLowerCase().split("\r\n").filter((line) => !/^date:/.test(line));
      answers.push([fields.sort().join("\n"), body.join("\r\n\r\n")]);
    }
    for (const answer of answers.slice(1)) assertEquals(answer, answers[0]);
  }
});

Deno.test("curl: a download resumed at any byte, the same hash", async () => {
  await using s = await serve();
  const size = 3_000_000, bytes = pattern(size), got = join(s.node.data, "got");
  await s.node.write("arch/big.iso", bytes);
  const whole = await sha256(join(s.node.data, "static/arch/big.iso"));
  for (const at of [0, 1, 65_535, 65_536, 1_234_567, size - 1]) {
    await Deno.writeFile(got, bytes.subarray(0, at));
    await run("curl", "-sSf", "-C", "-", "-o", got, `${s.url}big.iso`);
    assertEquals([at, await sha256(got)], [at, whole]);
  }
  const parts = await run("curl", "-sSf", "-r", "0-3,2999996-", "-D", "-", `${s.url}big.iso`);
  assertStringIncludes(parts, "206 Partial Content");
  assertStringIncludes(parts, `bytes 2999996-2999999/${size}`);
});

Deno.test("curl: conditional by ETag and by time, nothing is sent twice", async () => {
  await using s = await serve();
  await s.node.write("arch/core.db", "database");
  const at = (name: string) => join(s.node.data, name);
  const fetched = ["-sS", "-o", at("got"), "-w", "%{http_code} %{size_download}"];
  const tag = ["--etag-save", at("etag"), "--etag-compare", at("etag")];
  assertEquals(await run("curl", ...fetched, ...tag, `${s.url}core.db`), "200 8");
  assertEquals(await run("curl", ...fetched, ...tag, `${s.url}core.db`), "304 0");
  await run("curl", "-sSR", "-o", at("dated"), `${s.url}core.db`);
  assertEquals(await run("curl", ...fetched, "-z", at("dated"), `${s.url}core.db`), "304 0");
});

Deno.test("raw targets: nothing outside the storage, whatever the disguise", async () => {
  await using s = await serve();
  await Deno.writeTextFile(join(s.node.data, "secret"), "top secret");
  await s.node.write("arch/a", "public");
  const cases: [string, number][] = [
    ["/arch/../../secret", 400],
    ["/arch/../../../../../../etc/passwd", 400],
    ["/arch/%2e%2e/%2e%2e/secret", 400],
    ["/arch/..%2f..%2fsecret", 400],
    ["/arch/%2e%2e%2f%2e%2e%2fsecret", 400],
    ["/arch/%252e%252e/%252e%252e/secret", 404],
    ["/arch/..%5c..%5csecret", 404],
    ["/arch/..\\..\\secret", 404],
    ["/arch/%c0%ae%c0%ae/%c0%ae%c0%ae/secret", 404],
    ["/arch/%e0%80%ae%e0%80%ae/secret", 404],
    ["/arch/..;/..;/secret", 404],
    ["/arch/..%00/secret", 400],
    ["/arch/a%00.txt", 400],
    ["/arch/%", 400],
    ["//arch/..//../secret", 400],
    ["/arch/./../../secret", 400],
    ["/static/arch/a", 404],
    ["/state/arch.ready", 404],
    ["/arch/../state/arch.ready", 404],
    ["/indexes/arch/index.json", 404],
    ["/.mirrorkit/assets/../../../secret", 400],
    ["/.mirrorkit/assets/..%2f..%2f..%2fsecret", 400],
    // The address of the home page's own: it leads to /.
    ["/.mirrorkit/assets/%2e%2e", 307],
    ["/arch/a", 200],
    ["http://elsewhere.example/arch/a", 200],
    ["http://elsewhere.example/arch/../../secret", 400],
    ["/x/../arch//./a", 200],
    ["/" + "a/".repeat(6000), 414],
  ];
  for (const [target, status] of cases) {
    const answer = await exchange(
      s.port,
      `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    assertEquals([target, Number(answer.slice(9, 12))], [target, status]);
    assertEquals([target, answer.includes("top secret")], [target, false]);
  }
});

/** Open files of this process that lie below a directory. */
async function openBelow(directory: string): Promise<number> {
  let n = 0;
  for await (const { name } of Deno.readDir("/proc/self/fd")) {
    const target = await Deno.readLink(`/proc/self/fd/${name}`).catch(() => "");
    if (target.startsWith(directory)) n++;
  }
  return n;
}

async function until(condition: () => Promise<boolean>, what: string) {
  for (let i = 0; i < 200; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`waited in vain until ${what}`);
}

Deno.test("a client that goes away: its file is closed", async () => {
  await using s = await serve();
  await s.node.write("arch/big.iso", new Uint8Array(32 << 20));
  for (const range of ["", "Range: bytes=5-\r\n", "Range: bytes=0-9999999,20000000-30000000\r\n"]) {
    const connections = [];
    for (let i = 0; i < 8; i++) {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port: s.port });
      const request = `GET /arch/big.iso HTTP/1.1\r\nHost: x\r\n${range}\r\n`;
      await connection.write(new TextEncoder().encode(request));
      await connection.read(new Uint8Array(1000));
      connections.push(connection);
    }
    // Deno duplicates a descriptor while it reads, so there may be more for a moment.
    assert(await openBelow(s.node.data) >= 8);
    for (const connection of connections) connection.close();
    await until(async () => await openBelow(s.node.data) === 0, "the files are closed");
  }
});

Deno.test("a file replaced by rename while it is sent: arrives whole, the old one", async () => {
  await using s = await serve();
  const path = join(s.node.data, "static/arch/big.iso");
  await s.node.write("arch/big.iso", new Uint8Array(16 << 20).fill(1));
  const response = await fetch(`${s.url}big.iso`);
  const reader = response.body!.getReader();
  let got = (await reader.read()).value!.length;
  await s.node.write("arch/.new", new Uint8Array(8 << 20).fill(2));
  await Deno.rename(join(s.node.data, "static/arch/.new"), path);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    got += value.length;
    assert(value[0] === 1 && value.at(-1) === 1, "the two versions are mixed");
  }
  assertEquals(got, 16 << 20);
  assertEquals((await (await fetch(`${s.url}big.iso`)).bytes()).length, 8 << 20);
});

Deno.test("a file cut short while it is sent: the connection breaks, nothing is made up", async () => {
  await using s = await serve();
  await s.node.write("arch/big.iso", new Uint8Array(64 << 20));
  const response = await fetch(`${s.url}big.iso`);
  await Deno.truncate(join(s.node.data, "static/arch/big.iso"), 1 << 20);
  const error = await response.bytes().then(() => undefined, (error) => error);
  assert(error instanceof Error, "a short body was taken for the whole");
  await until(async () => await openBelow(s.node.data) === 0, "the file is closed");
});

// 500 of them behave alike (0.4 MiB each, which is hyper's own buffer), but their socket buffers take a
// gigabyte of the kernel's memory: too much for every test run.
Deno.test("100 slow clients: memory stays bounded, also of what is in memory, and others are served", async () => {
  await using s = await serve();
  await s.node.write("arch/big.iso", new Uint8Array(64 << 20));
  await s.node.write("arch/hot.iso", new Uint8Array(7 << 20));
  await s.node.write("arch/a", "quick");
  await Deno.writeTextFile(
    join(s.node.data, "mirror.toml"),
    `[site]\nname = "x"\n[[repo]]\nname = "arch"\nprofile = "generic"\nupstream = ["/srv/x/"]\n`,
  );
  const main = new URL("../../server/main.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-net", "--allow-read", "--allow-env", main, "--json", "-q", "--port", "0"]
      .concat("--data", s.node.data, "--config", join(s.node.data, "mirror.toml")),
    stdout: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const lines = child.stdout.getReader();
  const { url, port } = JSON.parse(new TextDecoder().decode((await lines.read()).value));
  const rss = async () =>
    Number(/VmRSS:\s*(\d+)/.exec(await Deno.readTextFile(`/proc/${child.pid}/status`))![1]) / 1024;
  // What many ask for is answered from memory, to all with the same bytes.
  for (let i = 0; i < 3; i++) await (await fetch(`${url}arch/hot.iso`)).bytes();
  for (const name of ["hot.iso", "big.iso"]) {
    const before = await rss(), connections: Deno.Conn[] = [];
    for (let i = 0; i < 100; i++) {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await connection.write(
        new TextEncoder().encode(
          `GET /arch/${name} HTTP/1.1\r\nHost: ${new URL(url).host}\r\n\r\n`,
        ),
      );
      connections.push(connection);
    }
    for (const connection of connections) await connection.read(new Uint8Array(4096));
    assertEquals(await (await fetch(`${url}arch/a`)).text(), "quick");
    const grown = await rss() - before;
    assert(grown < 100, `100 slow clients of ${name} took ${grown} MiB`);
    for (const connection of connections) connection.close();
  }
  child.kill("SIGTERM");
  assertEquals((await child.status).code, 0);
  await lines.cancel();
});
