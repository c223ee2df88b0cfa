/** `/metrics` as Prometheus wants it, and traffic counted from the logs of real servers. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/posix";
import { alignModules } from "../../scripts/lib/gate.ts";
import { statcatFiles } from "../../scripts/lib/statcat.ts";
import { countLogs } from "../../scripts/statcat/traffic.ts";
import { forTest, startNginx, startRsyncd, startVsftpd, writeServers } from "../helpers/daemons.ts";
import { output } from "../helpers/serving.ts";
import { connectSpoke, startTestHub } from "../helpers/statcat.ts";
import { createApp } from "../../server/app.ts";
import { makeNode } from "./fixture.ts";

/** What `promtool check metrics` says against a text; nothing where all is well. */
async function promtool(metrics: string): Promise<string> {
  const child = new Deno.Command("promtool", {
    args: ["check", "metrics"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(metrics));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  const said = text.decode(stdout) + text.decode(stderr);
  return code === 0 && !said ? "" : `${code}: ${said}`;
}

Deno.test("promtool: finds what is wrong", async () => {
  assertStringIncludes(await promtool("# TYPE a_ms gauge\na_ms 1\n"), "a_ms");
});

Deno.test("/metrics: everything there is, as promtool wants it, and no address", async () => {
  await using node = await makeNode({ arch: "/arch/" });
  await node.ready("arch");
  await node.write("arch/a", "a");
  await node.list("/arch/");
  const now = Math.floor(Date.now() / 1000);
  await node.status("arch", { lastAttempt: now, lastSuccess: now, outcome: "synced" });
  await using hub = await startTestHub(node.config);
  const spoke = await connectSpoke(hub.url, await hub.token("seoul"));
  for (let n = 0; n < 3; n++) spoke.say([["eth0", 1000, 2000, 3, 4], ["wg-0", 1, 1, 1, 1]]);
  await connectSpoke(hub.url, "seoul.wrong").catch(() => {});
  const logs = node.config.statcat.logs;
  logs.nginx = join(node.data, "n.log");
  await Deno.writeTextFile(
    logs.nginx,
    `2026-11-22T03:00:00+00:00 HTTP/1.1 GET /arch/a 200 812 0.1 "-" "x" 192.0.2.9\n`,
  );
  await countLogs(node.config, statcatFiles(node.data).traffic, now, () => {});
  const app = createApp({ config: node.config });
  let text = "";
  // What the hub leaves is written every ten seconds.
  for (let tries = 0; tries < 150 && !/receive_bytes_total/.test(text); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    text = await (await app.request("/metrics")).text();
  }
  assertEquals(await promtool(text), "");
  for (
    const line of [
      'mirrorkit_statcat_receive_bytes_total{spoke="seoul",interface="eth0"} 3000',
      'mirrorkit_statcat_transmit_bytes_per_second{spoke="seoul",interface="eth0"} 2000',
      'mirrorkit_statcat_spoke_connected{spoke="seoul"} 1',
      'mirrorkit_statcat_refused_total{reason="unauthorized"} 1',
      "mirrorkit_statcat_listeners 0",
      'mirrorkit_requests_total{repo="arch",protocol="http",status="2xx"} 1',
      'mirrorkit_sent_bytes_total{repo="arch",protocol="http",status="2xx"} 812',
      `mirrorkit_repo_last_success_timestamp_seconds{repo="arch"} ${now}`,
      "mirrorkit_log_lines_unread_total 0",
    ]
  ) assertStringIncludes(text, line + "\n");
  assertMatch(text, /^mirrorkit_storage_free_bytes \d+$/m);
  assertMatch(text, /^mirrorkit_repo_last_index_timestamp_seconds\{repo="arch"\} \d+$/m);
  assertEquals(/192\.0\.2|127\.0\.0\.1/.test(text), false);
  spoke.ws.terminate();
});

Deno.test({
  name: "logs of nginx, the rsync daemon and vsftpd: what real clients fetched, byte for byte",
  // vsftpd gives up its rights by itself, so it has to have them.
  ignore: Deno.uid() !== 0,
  async fn() {
    await using node = await makeNode({ arch: "/arch/" });
    await Deno.chmod(node.data, 0o755);
    await node.ready("arch");
    const bytes = 300_000;
    await node.write("arch/pool/big-1-any.pkg.tar.zst", new Uint8Array(bytes).fill(7));
    const config = forTest(node.config, node.data);
    config.server.ftp.log_addresses = true;
    await alignModules(config);
    const site = await writeServers(config, node.data, join(node.data, "web"));
    const got = join(node.data, "got"), name = "arch/pool/big-1-any.pkg.tar.zst";
    const curl = (url: string) => output("curl", ["-sS", "-o", got, url]);
    const { nginx, rsync, ftp } = config.server;
    {
      await using http = await startNginx(site, config);
      await using _rsync = await startRsyncd(site, config);
      await using _ftp = await startVsftpd(site, config);
      await curl(`http://127.0.0.1:${nginx.port}/${name}`);
      await curl(`http://127.0.0.1:${nginx.port}/${name}?again`);
      await curl(`http://127.0.0.1:${nginx.port}/arch/nix`);
      await output("rsync", ["-W", `rsync://127.0.0.1:${rsync.port}/${name}`, got]);
      await curl(`ftp://127.0.0.1:${ftp.port}/${name}`);
      // nginx holds lines back; a rotation makes it write them.
      await Deno.rename(config.statcat.logs.nginx, config.statcat.logs.nginx + ".1");
      http.kill("SIGUSR1");
      await new Promise((resolve) => setTimeout(resolve, 300));
      await curl(`http://127.0.0.1:${nginx.port}/${name}`);
    }
    const file = join(node.data, "traffic.json"), warnings: string[] = [];
    // The cursor knows the rotated file only if it was read before: so read it as the log first.
    const log = config.statcat.logs.nginx;
    config.statcat.logs.nginx = log + ".1";
    const warn = (message: string) => void warnings.push(message);
    await countLogs(config, file, Date.now() / 1000, warn);
    config.statcat.logs.nginx = log;
    const { state } = await countLogs(config, file, Date.now() / 1000, warn);
    assertEquals([warnings, state.unread], [[], 0]);
    const of = (protocol: string, status: string) =>
      state.counts.find((c) => c.repo === "arch" && c.protocol === protocol && c.status === status);
    assertEquals([of("http", "2xx")?.requests, of("http", "2xx")?.bytes], [3, 3 * bytes]);
    assertEquals(of("http", "4xx")?.requests, 1);
    assertEquals([of("ftp", "ok")?.requests, of("ftp", "ok")?.bytes], [1, bytes]);
    // rsync's own talk comes on top of the file.
    const sent = of("rsync", "ok");
    assertEquals(sent?.requests, 1);
    assert(sent!.bytes >= bytes && sent!.bytes < bytes * 1.02, `${sent!.bytes}`);
    assertEquals(state.files[`/${name}`], 4);
    const written = await Deno.readTextFile(file);
    assertEquals(/127\.0\.0\.1/.test(written + await Deno.readTextFile(log + ".1")), false);
    const transfers = await Deno.readTextFile(config.statcat.logs.rsync);
    assertMatch(transfers, /^\d+ arch 0 \d+\n$/);
  },
});
