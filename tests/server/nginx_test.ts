/** What nginx with our configuration does beyond the rules that it shares with the embedded server. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/posix";
import { forTest, startNginx, writeServers } from "../helpers/daemons.ts";
import { ask, requestText } from "../helpers/raw_http.ts";
import { output } from "../helpers/serving.ts";
import { startPair } from "./conformance/storage.ts";
import { makeNode } from "./fixture.ts";

const HTML = { accept: "text/html,*/*;q=0.8", "user-agent": "Mozilla/5.0 Chrome/130.0" };
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("nginx while Deno is down: files, listings and pages are served, the rest says so", async () => {
  await using pair = await startPair();
  const cases: [string, Record<string, string>, number, string][] = [
    ["/arch/abc", {}, 200, "abcdef"],
    ["/arch/", {}, 200, "<title>Index of /arch/"],
    ["/arch/?format=json", {}, 200, '{"v":1,"path":"/arch/"'],
    ["/arch/", HTML, 200, "<title>shell</title>"],
    ["/.mirrorkit/assets/page-ABC123.js", {}, 200, "export {}"],
    ["/arch/?format=text", {}, 200, "<title>Index of /arch/"],
    ["/arch/", { accept: "text/html;q=0.1, */*;q=0.2" }, 200, "<title>Index of /arch/"],
    ["/", {}, 200, '<a href="arch/">'],
    ["/", HTML, 200, '<a href="arch/">'],
    ["/pub/", HTML, 200, "<title>shell</title>"],
    ["/.mirrorkit/site.css", {}, 200, "--languages"],
    ["/.mirrorkit/", HTML, 503, "This part of the mirror restarts"],
    ["/pub/", {}, 200, '<a href="b/">'],
    ["/arch", {}, 308, ""],
    ["/arch/nix", {}, 404, "There is nothing"],
    ["/arch/nix/", {}, 404, "There is nothing"],
    ["/arch/nix", { ...HTML, "accept-language": "ko" }, 404, "아무것도 없습니다"],
    ["/arch/unlisted/", {}, 503, ""],
    ["/new/", {}, 503, "initial sync"],
    ["/healthz", {}, 503, "is being restarted"],
    ["/status.json", { accept: "application/json" }, 503, '"status":503'],
    ["/metrics", {}, 503, "is being restarted"],
    ["/sse", {}, 503, "is being restarted"],
  ];
  await pair.down();
  for (const [target, headers, status, part] of cases) {
    const answer = await ask(pair.nginx, requestText(target, headers));
    const start = [target, answer.status, text(answer.body).includes(part)];
    assertEquals(start, [target, status, true], text(answer.body));
    if (status === 503) assert(answer.headers.has("retry-after"), target);
  }
  pair.up();
  const healthz = await ask(pair.nginx, requestText("/healthz"));
  assertStringIncludes(text(healthz.body), "arch:");
});

Deno.test("nginx: no stale database and no 404 of what has come, while a sync is at work and after it", async () => {
  await using pair = await startPair();
  const get = async (target: string) => {
    const { status, body } = await ask(pair.nginx, requestText(`/arch/${target}`));
    return [status, text(body)];
  };
  const put = async (name: string, content: string) => {
    const path = join(pair.node.data, "static/arch", name);
    await Deno.writeTextFile(`${path}.new`, content);
    await Deno.rename(`${path}.new`, path);
  };
  const scratch = join(pair.node.data, "static/arch/.~tmp~");
  await Deno.remove(scratch, { recursive: true });
  const names = ["core/os/x86_64/core.db.tar.gz", "dists/sid/InRelease", "lastupdate", "fresh.iso"];
  const all = (version: string) => names.map(() => [200, version]);
  // core.db is a link to the first.
  const seen = async () => {
    const [linked, ...rest] = await Promise.all(["core/os/x86_64/core.db", ...names].map(get));
    assertEquals(linked, rest[0]);
    return rest;
  };
  assertEquals((await get("fresh.iso"))[0], 404);
  assertEquals((await get("pool/fresh-1.pkg.tar.zst"))[0], 404);
  await put("pool/fresh-1.pkg.tar.zst", "fresh");
  assertEquals(await get("pool/fresh-1.pkg.tar.zst"), [200, "fresh"]);
  for (let round = 0; round < 3; round++) {
    const began = Date.now();
    await Deno.mkdir(scratch);
    for (const version of [`first ${round}`, `second ${round}`]) {
      for (const name of names) await put(name, version);
      assertEquals(await seen(), all(version));
    }
    for (const name of names) await put(name, `last ${round}`);
    // As syncrepo does it (outlast in scripts/syncrepo/attempt.ts).
    const untilMs = Math.floor(began / 1000) * 1000 + 1100;
    await new Promise((resolve) => setTimeout(resolve, untilMs - Date.now()));
    await Deno.remove(scratch);
    assertEquals(await seen(), all(`last ${round}`));
  }
  await pair.node.listing("arch/pool/index.html", "second listing");
  assertEquals(await get("pool/"), [200, "second listing"]);
  await Deno.remove(join(pair.node.data, "state/arch.ready"));
  // The one thing that is known for a second.
  await new Promise((resolve) => setTimeout(resolve, 2100));
  assertEquals((await get("abc"))[0], 503);
});

Deno.test("nginx: headers and targets that are too large, and other protocols' bytes, are refused", async () => {
  await using pair = await startPair();
  const cases: [string, number[]][] = [
    [requestText("/arch/abc", { "x-large": "x".repeat(20_000) }), [400]],
    [requestText("/arch/abc", { "x-many": "x".repeat(7_000), "y-many": "y".repeat(7_000) }), [200]],
    [requestText("/arch/" + "a".repeat(20_000)), [414]],
    ["GET /arch/abc HTTP/1.0\r\n\r\n", [200]],
    ["GET /arch/abc HTTP/1.1\r\n\r\n", [400]],
    ["GET /arch/abc HTTP/9.9\r\nHost: x\r\n\r\n", [505, 400]],
    ["get /arch/abc HTTP/1.1\r\nHost: x\r\n\r\n", [400]],
    ["CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", [400, 405]],
    ["TRACE /arch/abc HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", [405]],
    ["\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", [400]],
    ["GET /arch/a\x01bc HTTP/1.1\r\nHost: x\r\n\r\n", [400]],
  ];
  for (const [request, allowed] of cases) {
    const { status } = await ask(pair.nginx, request);
    assert(allowed.includes(status), `${JSON.stringify(request.slice(0, 60))}: ${status}`);
  }
});

Deno.test("nginx: a link out of the repository to what another user owns is not followed", {
  ignore: Deno.uid() !== 0,
}, async () => {
  await using pair = await startPair();
  const at = (path: string) => join(pair.node.data, path);
  await Deno.writeTextFile(at("secret"), "top secret");
  const links = { abs: "/etc/passwd", rel: "../../secret", ok: "abc", "pool/up": "../abc" };
  for (const [name, target] of Object.entries(links)) {
    await Deno.symlink(target, at(`static/arch/${name}`));
  }
  await output("chown", ["-hR", "12345:12345", at("static/arch")]);
  const seen: Record<string, number> = {};
  for (const name of Object.keys(links)) {
    seen[name] = (await ask(pair.nginx, requestText(`/arch/${name}`))).status;
  }
  assertEquals(seen, { abs: 403, rel: 403, ok: 200, "pool/up": 200 });
});

Deno.test("nginx with TLS: HTTP/2, TLS 1.2 and nothing older, certbot's challenge, a log without addresses", async () => {
  await using stack = new AsyncDisposableStack();
  const node = stack.use(await makeNode({ arch: "/arch/" }));
  await Deno.chmod(node.data, 0o755);
  await node.write("arch/abc", "abc");
  await node.ready("arch");
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const files = ["-keyout", "key.pem", "-out", "cert.pem"];
  const kind = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"];
  await output("openssl", ["req", ...kind, ...subject, ...files], { cwd: node.data });
  const config = forTest(node.config, node.data), { nginx } = config.server;
  nginx.certificate = join(node.data, "cert.pem");
  nginx.certificate_key = join(node.data, "key.pem");
  await Deno.mkdir(join(nginx.acme, ".well-known/acme-challenge"), { recursive: true });
  await Deno.writeTextFile(join(nginx.acme, ".well-known/acme-challenge/token"), "proof");
  const site = await writeServers(config, node.data, join(node.data, "web"));
  const daemon = stack.use(await startNginx(site, config));
  const url = `https://localhost:${nginx.tls_port}`;
  const curl = (...args: string[]) =>
    output("curl", ["-sS", "--cacert", nginx.certificate!, ...args]);
  const format = ["-o", "/dev/null", "-w", "%{http_code} %{http_version}"];
  assertEquals(await curl(...format, `${url}/arch/abc`), "200 2");
  assertEquals(
    await curl(...format, "--http1.1", "--tls-max", "1.2", `${url}/arch/abc`),
    "200 1.1",
  );
  const old = await curl(...format, "--tls-max", "1.1", `${url}/arch/abc`).catch(() => "refused");
  assertEquals(old, "refused");
  assertEquals(await curl("-i", `${url}/nix`).then((t) => /nginx\/\d/.test(t)), false);
  const plain = `http://localhost:${nginx.port}/.well-known/acme-challenge/token`;
  assertEquals(await curl(plain), "proof");
  Deno.kill(daemon.pid, "SIGUSR1"); // opens its logs anew, and so writes what it holds back
  const log = join(node.data, "var/log/nginx/mirror.log");
  let written = "";
  for (let i = 0; i < 100 && !written; i++) {
    await new Promise((resolve) => setTimeout(resolve, 25));
    written = await Deno.readTextFile(log);
  }
  assertStringIncludes(written, "GET /arch/abc 200");
  const errors = await Deno.readTextFile(join(node.data, "var/log/nginx/error.log"));
  assertEquals(/127\.0\.0\.1|::1/.test(written + errors), false);
});
