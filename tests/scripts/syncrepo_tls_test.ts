/** An upstream over TLS: rsync-ssl to a real stunnel in front of a real rsync daemon. */
import { assertEquals, assertMatch } from "@std/assert";
import { ArchTree, snapshot } from "../helpers/arch.ts";
import { tempDir, TestNode } from "../helpers/node.ts";
import { output } from "../helpers/serving.ts";
import { freePort, startRsyncDaemon } from "../../scripts/demo/rsyncd.ts";

Deno.test("syncrepo: rsync-ssl with a test CA; without it, the certificate is refused", async () => {
  await using stack = new AsyncDisposableStack();
  const dir = stack.use(await tempDir()).path;
  const up = new ArchTree(dir + "/up");
  await Deno.mkdir(up.root);
  await up.fill(4);
  const daemon = await startRsyncDaemon(dir, { arch: up.root });
  stack.defer(daemon.stop);
  const ssl = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
  const names = [
    "-addext",
    "subjectAltName=DNS:localhost",
    "-keyout",
    "key.pem",
    "-out",
    "cert.pem",
  ];
  await output("openssl", ["req", ...ssl, ...names], { cwd: dir });
  const port = freePort();
  await Deno.writeTextFile(
    dir + "/stunnel.conf",
    `foreground = yes\npid =\nsyslog = no\n[rsync]\naccept = 127.0.0.1:${port}\n` +
      `connect = 127.0.0.1:${daemon.port}\ncert = ${dir}/cert.pem\nkey = ${dir}/key.pem\n`,
  );
  const stunnel = new Deno.Command("stunnel", { args: [dir + "/stunnel.conf"], stderr: "null" })
    .spawn();
  stack.defer(async () => {
    stunnel.kill("SIGTERM");
    await stunnel.status;
  });
  for (let tries = 0; tries < 100; tries++) {
    const open = await Deno.connect({ port }).then((c) => (c.close(), true), () => false);
    if (open) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const node = stack.use(
    await TestNode.make(
      `[[repo]]\nname = "arch"\nprofile = "arch"\nretries = 0\nupstream = ["rsync-ssl://localhost:${port}/arch/"]\n`,
    ),
  );
  const refused = await node.sync();
  assertEquals(refused.code, 1);
  assertMatch(refused.stderr, /rsync exit/);
  Deno.env.set("RSYNC_SSL_CA_CERT", dir + "/cert.pem");
  stack.defer(() => Deno.env.delete("RSYNC_SSL_CA_CERT"));
  const { code, stderr } = await node.sync();
  assertEquals(code, 0, stderr);
  assertEquals(await snapshot(node.tree()), await snapshot(up.root));
  assertEquals((await node.status()).upstream, `rsync-ssl://localhost:${port}/arch/`);
});
