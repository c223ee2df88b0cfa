/** rsync by a real daemon with our configuration, plain and over TLS. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/posix";
import { readConfig } from "../../scripts/lib/config.ts";
import { alignModules } from "../../scripts/lib/gate.ts";
import { snapshot } from "../helpers/arch.ts";
import {
  forTest,
  listens,
  startDaemon,
  startNginx,
  startRsyncd,
  writeServers,
} from "../helpers/daemons.ts";
import { output } from "../helpers/serving.ts";
import { makeNode } from "./fixture.ts";

const text = new TextDecoder();
async function run(program: string, args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(program, { args, env, stdin: "null" })
    .output();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** A certificate for localhost that signs itself. */
async function certify(dir: string) {
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  await output(
    "openssl",
    ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...subject]
      .concat("-keyout", "key.pem", "-out", "cert.pem"),
    { cwd: dir },
  );
  return { certificate: join(dir, "cert.pem"), certificate_key: join(dir, "key.pem") };
}

async function serve(tls: "nginx" | "stunnel" | "off" = "off") {
  await using stack = new AsyncDisposableStack();
  const node = stack.use(
    await makeNode({ arch: "/arch/", inner: "/arch2/x/", closed: "/closed/" }),
  );
  await Deno.chmod(node.data, 0o755);
  await node.write("arch/pool/a", "package");
  await node.write("arch/core.db", "database");
  await node.write("arch/.~tmp~/half", "half");
  await node.write("arch/pool/.~tmp~/half", "half");
  await node.write("closed/partial", "partial");
  await Deno.link(join(node.data, "static/arch/pool/a"), join(node.data, "static/arch/hard"));
  await Deno.symlink("pool/a", join(node.data, "static/arch/soft"));
  await node.ready("arch");
  await Deno.writeTextFile(join(node.data, "secret"), "top secret");
  const config = forTest(node.config, node.data);
  config.server.rsync.tls = tls;
  if (tls !== "off") Object.assign(config.server.nginx, await certify(node.data));
  await alignModules(config);
  const site = await writeServers(config, node.data, join(node.data, "web"));
  stack.use(await startRsyncd(site, config));
  if (tls === "nginx") stack.use(await startNginx(site, config));
  if (tls === "stunnel") {
    const ready = () => listens(config.server.rsync.tls_port);
    stack.use(await startDaemon("stunnel", [`${site.out}/stunnel.conf`], ready));
  }
  const owned = stack.move();
  return {
    node,
    config,
    url: `rsync://localhost:${config.server.rsync.port}/`,
    tlsUrl: `rsync://localhost:${config.server.rsync.tls_port}/`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const links = async (root: string) => (await Deno.lstat(join(root, "hard"))).nlink;

Deno.test("rsyncd: a tree like the source, hard links included, without scratch space", async () => {
  await using s = await serve();
  const to = join(s.node.data, "to"), source = join(s.node.data, "static/arch");
  const { code, stderr } = await run("rsync", ["-aH", "-z", `${s.url}arch/`, `${to}/`]);
  assertEquals(code, 0, stderr);
  assertEquals(await snapshot(to), await snapshot(source, /\.~tmp~/));
  assertEquals([await links(to), await links(source)], [2, 2]);
  for (
    const path of [
      "arch/.~tmp~/half",
      "arch/pool/.~tmp~/half",
      "arch/../../secret",
      "arch/../closed/partial",
    ]
  ) {
    const { code } = await run("rsync", ["-a", s.url + path, join(s.node.data, "got")]);
    assert(code !== 0, path);
  }
});

Deno.test("rsyncd: writing, deleting, reading everything, and closed modules are refused", async () => {
  await using s = await serve();
  const before = await snapshot(join(s.node.data, "static"));
  const from = join(s.node.data, "from");
  await Deno.mkdir(from);
  await Deno.writeTextFile(join(from, "new"), "new");
  const cases: [string[], RegExp][] = [
    [["-a", `${from}/`, `${s.url}arch/`], /read only/],
    [["-a", "--delete", `${from}/`, `${s.url}arch/`], /read only/],
    [["-ac", `${s.url}arch/`, join(s.node.data, "to")], /refuse/],
    [["-a", `${s.url}closed/`, join(s.node.data, "to")], /Unknown module/],
    [["-a", `${s.url}state/`, join(s.node.data, "to")], /Unknown module/],
  ];
  for (const [args, said] of cases) {
    const { code, stderr } = await run("rsync", args);
    assertEquals([args, code !== 0, said.test(stderr)], [args, true, true], stderr);
  }
  assertEquals(await snapshot(join(s.node.data, "static")), before);
  const { stdout } = await run("rsync", [s.url]);
  assertEquals(stdout.trim(), "arch           \tarch of mirror.example.org");
  await s.node.ready("closed");
  await alignModules(s.config);
  assertStringIncludes((await run("rsync", [s.url])).stdout, "closed");
  assertEquals(
    (await run("rsync", ["-a", `${s.url}closed/partial`, join(s.node.data, "p")])).code,
    0,
  );
});

for (const tls of ["nginx", "stunnel"] as const) {
  Deno.test(`rsync over TLS by ${tls}: rsync-ssl with a test CA; without it, refused`, async () => {
    await using s = await serve(tls);
    const to = join(s.node.data, "to");
    const args = ["-aH", `${s.tlsUrl}arch/`, `${to}/`];
    const env = { RSYNC_SSL_TYPE: "openssl" };
    assert((await run("rsync-ssl", args, env)).code !== 0);
    const ca = { ...env, RSYNC_SSL_CA_CERT: join(s.node.data, "cert.pem") };
    const { code, stderr } = await run("rsync-ssl", args, ca);
    assertEquals(code, 0, stderr);
    const source = join(s.node.data, "static/arch");
    assertEquals(await snapshot(to), await snapshot(source, /\.~tmp~/));
    assertEquals(await links(to), 2);
  });
}

Deno.test("rsyncd: with allow and deny, who is in neither is refused", async () => {
  await using node = await makeNode({ arch: "/arch/" });
  const toml = `[site]\nname = "m.example.org"\n[server.rsync]\nallow = ["192.0.2.0/24"]\n` +
    `deny = ["198.51.100.0/24"]\n` +
    `[[repo]]\nname = "arch"\nprofile = "generic"\nupstream = ["/srv/x/"]\n`;
  const config = forTest(readConfig(toml, "mirror.toml", node.data), node.data);
  await node.ready("arch");
  await alignModules(config);
  const site = await writeServers(config, node.data, join(node.data, "web"));
  await using _daemon = await startRsyncd(site, config);
  const url = `rsync://127.0.0.1:${config.server.rsync.port}/arch/`;
  const { code, stderr } = await run("rsync", [url]);
  assertEquals(code, 5);
  assertStringIncludes(stderr, "access denied");
});

Deno.test("rsyncd.conf: taken by the daemon with every option set", async () => {
  await using node = await makeNode({ arch: "/arch/" });
  const toml = `[site]\nname = "m.example.org"\n[server.rsync]\nallow = ["127.0.0.0/8"]\n` +
    `deny = ["10.0.0.0/8"]\nrate = "1m"\nmax_connections = 3\nlog_addresses = true\n` +
    `[[repo]]\nname = "arch"\nprofile = "generic"\nupstream = ["/srv/x/"]\n`;
  const config = forTest(readConfig(toml, "mirror.toml", node.data), node.data);
  await node.ready("arch");
  await alignModules(config);
  const site = await writeServers(config, node.data, join(node.data, "web"));
  await using _daemon = await startRsyncd(site, config);
  const { stdout } = await run("rsync", [`rsync://127.0.0.1:${config.server.rsync.port}/`]);
  assertStringIncludes(stdout, "arch of m.example.org");
});
