/** FTP by a real vsftpd with our configuration: anonymous, read-only, both ways of data connections. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/posix";
import { type Config, readConfig } from "../../scripts/lib/config.ts";
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

/**
 * Runs vsftpd with its own network and its own /etc, and asks it from several addresses. What each got, by
 * address; gone with the script, whatever happens.
 */
async function askedFrom(clients: string[], ftp: string) {
  await using node = await makeNode({ arch: "/arch/" });
  await Deno.chmod(node.data, 0o755);
  await node.write("arch/file", "content");
  await node.ready("arch");
  const toml = `[site]\nname = "m.example.org"\n[server.ftp]\n${ftp}` +
    `[[repo]]\nname = "arch"\nprofile = "generic"\nupstream = ["/srv/x/"]\n`;
  const config = readConfig(toml, "mirror.toml", node.data);
  const { out } = await writeServers(config, node.data, join(node.data, "web"));
  const script = [
    "set -e",
    `mkdir ${out}/etc`,
    `cp /etc/passwd /etc/group /etc/nsswitch.conf ${out}/etc`,
    `if [ -e ${out}/vsftpd.hosts ]; then cp ${out}/vsftpd.hosts ${out}/etc/hosts.allow; fi`,
    `mount --bind ${out}/etc /etc`,
    "ip link set lo up",
    ...clients.map((a) => `ip addr replace ${a}/${a.includes(":") ? 128 : 32} dev lo`),
    `vsftpd ${out}/vsftpd.conf & server=$!`,
    "until ss -ltnH | grep -q :21; do kill -0 $server; sleep 0.05; done",
    ...clients.map((a) =>
      `echo "${a} $(curl -s --max-time 20 --interface ${a} ftp://${
        a.includes(":") ? "[::1]" : "127.0.0.1"
      }/arch/file)"`
    ),
  ].join("\n");
  const spaces = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const { code, stdout, stderr } = await run("unshare", ...spaces, "bash", "-c", script);
  assertEquals(code, 0, stderr);
  return Object.fromEntries(
    stdout.trim().split("\n").map((line) => [line.split(" ")[0], line.endsWith("content")]),
  );
}

Deno.test({
  name: "vsftpd: at all addresses, as it comes; then for those who are allowed and not denied",
  ignore,
  async fn() {
    const clients = ["127.0.0.1", "127.0.0.2", "10.9.9.9", "::1", "fd00::1", "2001:db8::9"];
    const all = (who: string[]) => Object.fromEntries(clients.map((a) => [a, who.includes(a)]));
    assertEquals(await askedFrom(clients, ""), all(clients));
    assertEquals(
      await askedFrom(clients, `deny = ["10.9.9.1/8", "127.0.0.2/31", "2001:db8::/32"]\n`),
      all(["127.0.0.1", "::1", "fd00::1"]),
    );
    assertEquals(await askedFrom(clients, `deny = ["0.0.0.0/0", "::1"]\n`), all(clients.slice(4)));
    assertEquals(
      await askedFrom(clients, `allow = ["127.0.0.0/8", "fd00::/16"]\ndeny = ["127.0.0.2"]\n`),
      all(["127.0.0.1", "fd00::1"]),
    );
  },
});
