/** `configure` as an operator runs it, with the nginx of this machine. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/posix";
import { exists } from "../../scripts/lib/files.ts";
import { TestNode } from "../helpers/node.ts";

const REPO = `[[repo]]\nname = "arch"\nprofile = "generic"\nupstream = ["/srv/x/"]\n`;

async function setUp(server = "") {
  const node = await TestNode.make(server + REPO);
  const out = join(node.dir, "etc");
  return {
    node,
    out,
    configure: (...args: string[]) => node.run("scripts/configure.ts", "--out", out, ...args),
    read: (name: string) => Deno.readTextFile(join(out, name)),
    [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
  };
}

Deno.test("configure: writes, says what to do; again it has nothing to write", async () => {
  await using c = await setUp();
  const dry = await c.configure("--dry-run");
  assertEquals([dry.code, await exists(c.out)], [0, false], dry.stderr);
  const first = await c.configure("--json");
  assertEquals(first.code, 0, first.stderr);
  assertStringIncludes(first.stderr, "Open: TCP 80, 873, 21, 40000-40999");
  assertMatch(first.stderr, /nginx \d\S+ takes it/);
  assertEquals(JSON.parse(first.stdout).files["nginx.conf"], "new");
  assert(await exists(c.node.path("state/rsyncd.d")));
  const second = await c.configure("--json");
  assertEquals(new Set(Object.values(JSON.parse(second.stdout).files)), new Set(["same"]));
  assertStringIncludes(second.stderr, "all is as it should be");
  assertEquals((await c.configure("--diff")).stdout.trim(), "");
});

Deno.test("configure: a changed option is shown by --diff and written; nothing else is", async () => {
  await using c = await setUp();
  await c.configure();
  await c.node.configure(`[server.nginx]\nport = 8099\n${REPO}`);
  const { stdout } = await c.configure("--diff");
  assertStringIncludes(stdout, "\n-        listen 0.0.0.0:80 default_server;");
  assertStringIncludes(stdout, "\n+        listen 0.0.0.0:8099 default_server;");
  assert(!(await c.read("nginx.conf")).includes("8099"));
  const { stdout: json } = await c.configure("--json");
  const changed = Object.entries(JSON.parse(json).files).filter(([, kind]) => kind !== "same");
  assertEquals(changed, [["nginx.conf", "changed"]]);
  assertStringIncludes(await c.read("nginx.conf"), "8099");
});

Deno.test("configure: a file edited by hand is left alone, and kept where --force replaces it", async () => {
  await using c = await setUp();
  await c.configure();
  const path = join(c.out, "vsftpd.conf"), ours = await c.read("vsftpd.conf");
  await Deno.writeTextFile(path, "# mine\n");
  const refused = await c.configure();
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, "Edited by hand");
  assertStringIncludes(refused.stderr, "vsftpd.conf. Nothing was written.");
  assertEquals(await c.read("vsftpd.conf"), "# mine\n");
  const forced = await c.configure("--force", "--json");
  const [kept] = JSON.parse(forced.stdout).kept;
  assertEquals(await Deno.readTextFile(kept), "# mine\n");
  assertEquals(await c.read("vsftpd.conf"), ours);
  // A file that was there before the first run is the operator's, too.
  await Deno.remove(join(c.out, ".configure.json"));
  await Deno.writeTextFile(path, "# mine\n");
  assertEquals((await c.configure()).code, 1);
});

Deno.test("configure: what cannot work, one message, and nothing is written", async () => {
  await using c = await setUp();
  const broken = join(c.node.dir, "c.pem");
  await Deno.writeTextFile(broken, "no certificate");
  const tls = (key: string) => `[server.nginx]\ncertificate = "${broken}"\n${key}`;
  const cases: [string, number, string][] = [
    [tls(`certificate_key = "${broken}"\n`), 1, "nginx does not take the configuration"],
    [tls(`certificate_key = "/none/key.pem"\n`), 1, "c.pem, but no /none/key.pem. Nothing"],
    [tls(""), 2, "certificate and certificate_key are needed together"],
    [`[server.ftp]\naddresses = ["::1", "127.0.0.1"]\n`, 2, "server.ftp.addresses"],
  ];
  for (const [server, code, message] of cases) {
    await c.node.configure(server + REPO);
    const result = await c.configure();
    assertEquals([server, result.code], [server, code], result.stderr);
    assertStringIncludes(result.stderr, message);
    assertEquals(await exists(c.out), false);
  }
});
