/** Live statistics through nginx and through the embedded server: events at once, spokes let through. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path/posix";
import { readLiveEvent, readStats } from "../../formats/stats.ts";
import { denoCommand } from "../../scripts/lib/children.ts";
import { Log } from "../../scripts/lib/cli.ts";
import { eachLine } from "../../scripts/lib/run.ts";
import { statcatFiles } from "../../scripts/lib/statcat.ts";
import { startHub } from "../../scripts/statcat/run_hub.ts";
import { addToken } from "../../scripts/statcat/tokens.ts";
import { forTest, startNginx, writeServers } from "../helpers/daemons.ts";
import { output } from "../helpers/serving.ts";
import { connectSpoke } from "../helpers/statcat.ts";
import { startServer } from "../../server/listen.ts";
import { makeNode } from "./fixture.ts";

/** Some events, each with how late it came. */
async function listen(url: string, many: number, headers = {}) {
  const left = new AbortController(), late: number[] = [], ids: string[] = [];
  const response = await fetch(`${url}sse`, { headers, signal: left.signal });
  assertEquals(response.status, 200, await (response.ok ? "" : response.text()));
  let text = "";
  for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
    text += part;
    for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
      const event = readLiveEvent(/^data: (.*)$/m.exec(text.slice(0, end))?.[1] ?? "");
      if (!event) continue;
      ids.push(...event.spokes.map((s) => s.id));
      late.push(Date.now() - event.time * 1000 - 250);
    }
    if (late.length >= many) break;
  }
  left.abort();
  return { headers: response.headers, late, ids };
}

Deno.test("nginx and embedded server: events come at once, spokes by nginx, limits by the true address", async () => {
  await using node = await makeNode({ arch: "/arch/" });
  await Deno.chmod(node.data, 0o755);
  const config = forTest(node.config, node.data);
  config.statcat.clients_per_address = 2;
  const site = await writeServers(config, node.data, join(node.data, "web"));
  await using _nginx = await startNginx(site, config);
  const front = `http://127.0.0.1:${config.server.nginx.port}/`;
  // Without a hub both say so, and serve on.
  const server = startServer(config, { port: 0 });
  for (const url of [front, server.url]) {
    for (const path of ["sse", "stats.json"]) {
      const response = await fetch(url + path);
      assertEquals([url, path, response.status], [url, path, 503]);
      await response.body!.cancel();
    }
  }
  const hub = await startHub(config, new Log(0, () => {}));
  const { tokens } = statcatFiles(config.data);
  const spoke = await connectSpoke(front.slice(0, -1), await addToken(tokens, "seoul"));
  const talk = setInterval(() => spoke.say([["eth0", 1000, 2000, 3, 4]]), 500);
  await assertRejects(() => connectSpoke(front.slice(0, -1), "seoul.wrong"), Error, "401");
  const plain = await fetch(`${front}.mirrorkit/spoke`);
  assertEquals(plain.status, 404);
  await plain.body!.cancel();
  for (const url of [front, server.url]) {
    const { headers, late, ids } = await listen(url, 3);
    assertEquals([url, headers.get("content-type"), ids[0]], [url, "text/event-stream", "seoul"]);
    assertEquals(headers.get("content-encoding"), null);
    // The first is the last one kept; those after it are live, and not held back until there are more.
    assert(late.slice(1).every((ms) => ms < 3000), `${url}: ${late}`);
    const stats = readStats(await (await fetch(`${url}stats.json?span=day`)).text());
    assertEquals([url, stats?.span], [url, "day"]);
    // Who says to be somebody else is counted as who it is.
    const left = new AbortController(), statuses: number[] = [];
    for (const address of ["192.0.2.1", "192.0.2.2", "192.0.2.3"]) {
      const options = { headers: { "x-forwarded-for": address }, signal: left.signal };
      const response = await fetch(`${url}sse`, options);
      statuses.push(response.status);
      if (response.status === 503) assert(response.headers.has("retry-after"));
    }
    assertEquals([url, statuses], [url, [200, 200, 503]]);
    left.abort();
    for (let tries = 0; tries < 100 && hub.listeners() > 0; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assertEquals([url, hub.listeners()], [url, 0], "who leaves makes room");
  }
  // A listener holds up neither.
  const held = await fetch(`${server.url}sse`), started = performance.now();
  await server.shutdown();
  assert(performance.now() - started < 2000);
  await held.body!.cancel().catch(() => {});
  clearInterval(talk);
  spoke.ws.terminate();
  await hub.close();
});

Deno.test("wss: a real spoke through nginx's TLS, and one that does not know the certificate is told so", async () => {
  await using node = await makeNode({ arch: "/arch/" });
  await Deno.chmod(node.data, 0o755);
  const config = forTest(node.config, node.data), at = (name: string) => join(node.data, name);
  // A CA and what it signed: a certificate that signs itself is no CA for Deno.
  const request = ["req", "-newkey", "rsa:2048", "-nodes", "-days", "2"];
  const openssl = (...args: string[]) => output("openssl", args, { cwd: node.data });
  await openssl(...request, "-x509", "-subj", "/CN=test", "-keyout", "ca.key", "-out", "ca.pem");
  await openssl(...request, "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "request.pem");
  await Deno.writeTextFile(at("san"), "subjectAltName=DNS:localhost\n");
  await openssl(
    ...["x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key"],
    ...["-CAcreateserial", "-days", "2", "-extfile", "san", "-out", "cert.pem"],
  );
  Object.assign(config.server.nginx, {
    certificate: at("cert.pem"),
    certificate_key: at("key.pem"),
  });
  config.server.rsync.tls = "off";
  await using _nginx = await startNginx(await writeServers(config, node.data, at("web")), config);
  const hub = await startHub(config, new Log(0, () => {}));
  await Deno.writeTextFile(at("token"), await addToken(statcatFiles(config.data).tokens, "far"));
  const url = `wss://localhost:${config.server.nginx.tls_port}/.mirrorkit/spoke`;
  await Deno.writeTextFile(
    at("far.toml"),
    `[site]\nname = "far"\n[statcat]\nhub = false\ninterfaces = ["lo"]\n` +
      `send_to = [{ url = "${url}", token_file = "token" }]\n` +
      `[[repo]]\nname = "a"\nprofile = "generic"\nupstream = ["/u/"]\n`,
  );
  const spoke = (env: Record<string, string>, data: string) => {
    const where = ["--config", at("far.toml"), "--data", at(data)];
    const [program, ...args] = denoCommand("scripts/statcat.ts", ["spoke", ...where]);
    const child = new Deno.Command(program, {
      args,
      env,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    })
      .spawn();
    let said = "";
    const read = eachLine(child.stderr, (line) => void (said += line + "\n"));
    return {
      said: () => said,
      async stop() {
        child.kill("SIGTERM");
        assertEquals((await child.status).code, 0);
        await read;
      },
    };
  };
  const knows = spoke({ NODE_EXTRA_CA_CERTS: at("ca.pem") }, "far");
  const stranger = spoke({}, "stranger");
  const { ids } = await listen(`http://127.0.0.1:${hub.port}/`, 2);
  assertEquals(ids, ["far", "far"]);
  for (let tries = 0; tries < 100 && !/cut:/.test(stranger.said()); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assertMatch(stranger.said(), /hub localhost:\d+: cut: .*certificate/i);
  await knows.stop();
  await stranger.stop();
  assertMatch(knows.said(), /hub localhost:\d+: connected/);
  await hub.close();
});
