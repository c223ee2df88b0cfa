/** The command `serve` as a process of its own. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/posix";
import { makeNode, type TestNode } from "./fixture.ts";
import { startServer } from "../../server/listen.ts";

const MAIN = new URL("../../server/main.ts", import.meta.url).pathname;
const TOML =
  `[site]\nname = "x.example.org"\n[[repo]]\nname = "arch"\nprofile = "generic"\nupstream = ["/srv/x/"]\n`;

function spawn(node: TestNode, ...args: string[]) {
  const config = join(node.data, "mirror.toml");
  Deno.writeTextFileSync(config, TOML);
  return start(config, node, args);
}

function start(config: string, node: TestNode, args: string[], more: string[] = []) {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-net", "--allow-read", "--allow-env", ...more, MAIN]
      .concat("--config", config, "--data", node.data, args),
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

Deno.test("serve: says where it listens, finishes what runs on SIGTERM, exits 0", async () => {
  await using n = await makeNode({ arch: "/arch/" });
  await n.ready("arch");
  await n.write("arch/big.iso", new Uint8Array(8 << 20));
  const child = spawn(n, "--port", "0", "--json");
  const stdout = child.stdout.getReader();
  const { url } = JSON.parse(new TextDecoder().decode((await stdout.read()).value));
  const response = await fetch(`${url}arch/big.iso`);
  child.kill("SIGTERM");
  assertEquals((await response.bytes()).length, 8 << 20);
  assertEquals((await child.status).code, 0);
  assertEquals((await stdout.read()).done, true);
  const said = await new Response(child.stderr).text();
  assertStringIncludes(said, `x.example.org: serving ${n.data} at ${url}`);
  assertStringIncludes(said, "stopping on SIGTERM");
});

Deno.test("serve: what cannot work, one message and the right exit code", async () => {
  await using n = await makeNode({ arch: "/arch/" });
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const cases: [string[], number, string][] = [
    [["--port", "http"], 2, 'error: --port "http" is not allowed; allowed is 0 to 65535.'],
    [["--prot", "1"], 2, 'error: Unknown option "--prot". Did you mean --port?'],
    [["--port", String(taken.addr.port)], 1, `port ${taken.addr.port}: it is in use.`],
    [["--port", "0", "--hostname", "192.0.2.1"], 1, "this machine has no such address."],
    [["--port", "0", "--hostname", "no.such.invalid"], 1, "Cannot listen on no.such.invalid"],
    [["--config", "/nonexistent.toml"], 2, "No configuration at /nonexistent.toml."],
  ];
  await Promise.all(cases.map(async ([args, code, message]) => {
    const { stderr, ...status } = await spawn(n, ...args).output();
    const said = new TextDecoder().decode(stderr);
    assertEquals([args, status.code], [args, code], said);
    assertStringIncludes(said, message);
    assert(!said.includes("    at "), said);
  }));
});

Deno.test("serve: static that is a file, refused before it listens", async () => {
  await using n = await makeNode({ arch: "/arch/" });
  await Deno.remove(join(n.data, "static"), { recursive: true });
  await Deno.writeTextFile(join(n.data, "static"), "");
  const { code, stderr } = await spawn(n, "--port", "0").output();
  assertEquals(code, 1);
  assertStringIncludes(new TextDecoder().decode(stderr), "static: it is not a directory.");
});

Deno.test("serve --socket: a second one takes over, the first leaves it its place", async () => {
  await using n = await makeNode({ arch: "/arch/" });
  await n.ready("arch");
  await n.write("arch/a", "a");
  const socket = join(n.data, "server.sock");
  await Deno.writeTextFile(socket, "left by a killed one");
  const answer = async () => {
    using connection = await Deno.connect({ transport: "unix", path: socket });
    const request = "GET /arch/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    await connection.write(new TextEncoder().encode(request));
    return (await new Response(connection.readable).text()).slice(0, 15);
  };
  const first = startServer(n.config, { socket });
  assertEquals(await answer(), "HTTP/1.1 200 OK");
  const second = startServer(n.config, { socket });
  assertEquals(await first.shutdown(), true);
  assertEquals(await answer(), "HTTP/1.1 200 OK");
  await second.shutdown();
  const left = await Array.fromAsync(Deno.readDir(n.data), (entry) => entry.name);
  assertEquals(left.filter((name) => name.includes("sock")), []);
  const missing = await spawn(n, "--socket", "/nonexistent/server.sock").output();
  assertEquals(missing.code, 1);
  assertStringIncludes(new TextDecoder().decode(missing.stderr), "--allow-write=FOLDER");
});

Deno.test("serve: with server.socket in mirror.toml it listens there; --port goes before it", async () => {
  await using n = await makeNode({ arch: "/arch/" });
  const config = join(n.data, "mirror.toml"), socket = join(n.data, "server.sock");
  await Deno.writeTextFile(
    config,
    TOML.replace("[[repo]]", `[server]\nsocket = "${socket}"\n[[repo]]`),
  );
  const first = async (...args: string[]) => {
    const child = start(config, n, ["--json", ...args], [`--allow-write=${n.data}`]);
    const reader = child.stdout.getReader();
    const { url } = JSON.parse(new TextDecoder().decode((await reader.read()).value));
    child.kill("SIGTERM");
    await Promise.all([child.status, reader.read(), child.stderr.cancel()]);
    return url;
  };
  assertEquals(await first(), `unix:${socket}`);
  assertEquals((await first("--port", "0")).startsWith("http://127.0.0.1:"), true);
});
