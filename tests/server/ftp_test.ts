/** FTP by a real vsftpd with our configuration: anonymous, read-only, both ways of data connections. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/posix";
import type { Config } from "../../scripts/lib/config.ts";
import { snapshot } from "../helpers/arch.ts";
import { forTest, startVsftpd, writeServers } from "../helpers/daemons.ts";
import { makeNode } from "./fixture.ts";

// vsftpd gives up its rights by itself, so it has to have them.
const ignore = Deno.uid() !== 0;

async function serve(change: (config: Config) => void = () => {}) {
  await using stack = new AsyncDisposableStack();
  const node = stack.use(await makeNode({ arch: "/arch/" }));
  await Deno.chmod(node.data, 0o755);
  await node.write("arch/core/core.db", "database");
  await node.write("arch/big.iso", new Uint8Array(300_000).map((_, i) => i * 7 + (i >> 8)));
  await node.write("arch/.~tmp~/half", "half");
  await node.write("arch/core/.~tmp~/half", "half");
  await node.write("arch/a b & c", "odd");
  await node.ready("arch");
  await Deno.writeTextFile(join(node.data, "secret"), "top secret");
  const config = forTest(node.config, node.data);
  change(config);
  const site = await writeServers(config, node.data, join(node.data, "web"));
  stack.use(await startVsftpd(site, config));
  const { addresses: [address], port } = config.server.ftp;
  const owned = stack.move();
  return {
    node,
    address,
    port,
    url: `ftp://${address.includes(":") ? `[${address}]` : address}:${port}`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function run(program: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" })
    .output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}
const curl = (...args: string[]) => run("curl", "-sS", "--max-time", "20", "--path-as-is", ...args);

Deno.test({
  name: "vsftpd: passive and active, whole and resumed, the same bytes",
  ignore,
  async fn() {
    await using s = await serve();
    const url = `${s.url}/arch/big.iso`, got = join(s.node.data, "got");
    const bytes = await Deno.readFile(join(s.node.data, "static/arch/big.iso"));
    for (
      const how of [[], ["--disable-epsv"], ["-P", "127.0.0.1"], ["-P", "-", "--disable-eprt"]]
    ) {
      const { code, stderr } = await curl(...how, "-o", got, url);
      assertEquals([how, code, await Deno.readFile(got)], [how, 0, bytes], stderr);
    }
    await Deno.writeFile(got, bytes.subarray(0, 123_456));
    assertEquals((await curl("-C", "-", "-o", got, url)).code, 0);
    assertEquals(await Deno.readFile(got), bytes);
    assertEquals((await curl(`${s.url}/arch/a%20b%20&%20c`)).stdout, "odd");
  },
});

Deno.test({
  name: "vsftpd: lftp mirror, a tree like the source but for scratch space",
  ignore,
  async fn() {
    await using s = await serve();
    const to = join(s.node.data, "mirrored");
    const { code, stderr } = await run(
      "lftp",
      "-c",
      `set net:max-retries 2; mirror ${s.url}/arch ${to}`,
    );
    assertEquals(code, 0, stderr);
    const source = await snapshot(join(s.node.data, "static/arch"), /\.~tmp~/);
    assertEquals(await snapshot(to), source);
  },
});

Deno.test({
  name: "vsftpd: nothing above the root, no scratch space, no change of any kind",
  ignore,
  async fn() {
    await using s = await serve();
    const root = (await curl(`${s.url}/`)).stdout;
    assertStringIncludes(root, "arch");
    assert(!(await curl(`${s.url}/arch/`)).stdout.includes(".~tmp~"));
    const away = ["/../secret", "/../../secret", "//%2e%2e/secret", "/arch/../../secret"];
    const scratch = [
      ".~tmp~/half",
      ".~tmp~/",
      "core/.~tmp~/half",
      "core/../.~tmp~/half",
      "./.~tmp~/half",
    ];
    for (const path of [...away, ...scratch.map((p) => `/arch/${p}`)]) {
      const { code, stdout } = await curl("--ftp-method", "nocwd", `${s.url}${path}`);
      assert(code !== 0 && stdout === "", `${path}: ${code} ${stdout}`);
      const walked = await curl(`${s.url}${path}`);
      assert(!/secret|half/.test(walked.stdout), `${path}: ${walked.stdout}`);
    }
    assertEquals((await curl("--ftp-method", "nocwd", `${s.url}/../`)).stdout, root);
    const before = await snapshot(join(s.node.data, "static"));
    const commands = [
      "DELE arch/big.iso",
      "MKD x",
      "RMD arch",
      "RNFR arch/big.iso",
      "SITE CHMOD 777 arch",
    ];
    for (const command of commands) {
      const { code } = await curl("-Q", command, `${s.url}/`);
      assertEquals([command, code], [command, 21]);
    }
    assert((await curl("-T", "/etc/hostname", `${s.url}/upload`)).code !== 0);
    assert((await curl("-u", "root:x", `${s.url}/`)).code !== 0);
    assertEquals(await snapshot(join(s.node.data, "static")), before);
  },
});

Deno.test({
  name: "vsftpd: at an IPv6 address, with active turned off",
  ignore,
  async fn() {
    await using s = await serve((config) => {
      config.server.ftp.addresses = ["::1"];
      config.server.ftp.active = false;
    });
    assertEquals((await curl(`${s.url}/arch/core/core.db`)).stdout, "database");
    const active = await curl("--max-time", "2", "-P", "::1", `${s.url}/arch/core/core.db`);
    assert(active.code !== 0);
  },
});
