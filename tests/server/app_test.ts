/** Every URL of the embedded server, without a port. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/posix";
import { takeLock } from "../../scripts/lib/lock.ts";
import { makeNode, MTIME, NOW } from "./fixture.ts";

const ETAG = `"${MTIME.toString(16)}-${(26).toString(16)}"`;
const DATE = new Date(MTIME * 1000).toUTCString();

async function node() {
  const made = await makeNode({ arch: "/arch/", new: "/new/" });
  await made.ready("arch");
  await made.write("arch/abc", "abcdefghijklmnopqrstuvwxyz");
  await made.write("arch/pool/x.pkg.tar.zst", "12345");
  await made.write("new/partial", "x");
  for (const directory of ["/arch/", "/arch/pool/"]) await made.list(directory);
  return made;
}

Deno.test("GET of a file: ranges and conditions, status, body and fields", async () => {
  await using n = await node();
  const cases: [Record<string, string>, number, string, Record<string, string | null>][] = [
    [{}, 200, "abcdefghijklmnopqrstuvwxyz", {
      "etag": ETAG,
      "last-modified": DATE,
      "accept-ranges": "bytes",
      "content-length": "26",
      "content-encoding": null,
      "x-content-type-options": "nosniff",
      "server": null,
    }],
    [{ range: "bytes=1-3" }, 206, "bcd", {
      "content-range": "bytes 1-3/26",
      "content-length": "3",
      "etag": ETAG,
    }],
    [{ range: "bytes=24-" }, 206, "yz", { "content-range": "bytes 24-25/26" }],
    [{ range: "bytes=-2" }, 206, "yz", { "content-range": "bytes 24-25/26" }],
    [{ range: "bytes=1-3", "if-range": ETAG }, 206, "bcd", {}],
    [{ range: "bytes=1-3", "if-range": DATE }, 206, "bcd", {}],
    [{ range: "bytes=1-3", "if-range": '"x"' }, 200, "abcdefghijklmnopqrstuvwxyz", {}],
    [{ "if-none-match": ETAG }, 304, "", { "etag": ETAG, "content-type": null }],
    [{ "if-none-match": ETAG, range: "bytes=1-3" }, 304, "", {}],
    [{ "if-modified-since": DATE }, 304, "", { "last-modified": DATE }],
  ];
  for (const [headers, status, body, fields] of cases) {
    const response = await n.get("/arch/abc", headers);
    assertEquals([headers, response.status, await response.text()], [headers, status, body]);
    for (const [name, value] of Object.entries(fields)) {
      assertEquals([headers, name, response.headers.get(name)], [headers, name, value]);
    }
  }
});

Deno.test("GET of a file: what cannot be done, is said", async () => {
  await using n = await node();
  const range = await n.get("/arch/abc", { range: "bytes=26-" });
  assertEquals([range.status, range.headers.get("content-range")], [416, "bytes */26"]);
  assertStringIncludes(await range.text(), "26 bytes");
  const match = await n.get("/arch/abc", { "if-match": '"x"' });
  assertEquals(match.status, 412);
  await match.body?.cancel();
});

Deno.test("GET with several ranges: parts with their own fields, exact length", async () => {
  await using n = await node();
  const response = await n.get("/arch/abc", { range: "bytes=0-1, -1" });
  const body = await response.text();
  assertEquals(response.status, 206);
  assertEquals(response.headers.get("content-length"), String(body.length));
  const boundary = /^multipart\/byteranges; boundary=(\w+)$/.exec(
    response.headers.get("content-type")!,
  )![1];
  const part = (range: string, text: string) =>
    `\r\n--${boundary}\r\nContent-Type: application/octet-stream\r\n` +
    `Content-Range: bytes ${range}/26\r\n\r\n${text}`;
  assertEquals(body, part("0-1", "ab") + part("25-25", "z") + `\r\n--${boundary}--\r\n`);
});

Deno.test("HEAD: the fields of GET without its body, everywhere", async () => {
  await using n = await node();
  const urls = ["/", "/arch", "/arch/", "/arch/abc", "/arch/nix", "/new/", "/healthz", "/metrics"];
  for (const url of [...urls, "/status.json", "/sse", "/.mirrorkit/x"]) {
    const [get, head] = [await n.get(url), await n.get(url, {}, "HEAD")];
    await get.body?.cancel();
    assertEquals([url, head.status, await head.text()], [url, get.status, ""]);
    const fields = (r: Response) =>
      [...r.headers].filter(([name]) => name !== "content-length" || url !== "/metrics");
    if (!["/healthz", "/metrics"].includes(url)) {
      assertEquals([url, fields(head)], [url, fields(get)]);
    }
  }
  // A Range is defined for GET alone (RFC 9110, 14.2).
  assertEquals((await n.get("/arch/abc", { range: "bytes=1-3" }, "HEAD")).status, 200);
});

Deno.test("other methods: 405 with Allow", async () => {
  await using n = await node();
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"]) {
    const response = await n.get("/arch/abc", {}, method);
    assertEquals([response.status, response.headers.get("allow")], [405, "GET, HEAD"]);
    await response.body?.cancel();
  }
});

Deno.test("GET of a directory: the format that was asked for", async () => {
  await using n = await node();
  const cases: [string, Record<string, string>, number, string, string][] = [
    ["/arch/", {}, 200, "text/html; charset=utf-8", "<!doctype html>"],
    ["/arch/", { accept: "application/json" }, 200, "application/json", '{"v":1,"path":"/arch/"'],
    ["/arch/", { accept: "text/plain" }, 200, "text/plain; charset=utf-8", "/arch/\n"],
    ["/arch/?format=json", { accept: "text/plain" }, 200, "application/json", '{"v":1'],
    ["/", {}, 200, "text/html; charset=utf-8", "<!doctype html>"],
    ["/?format=json", {}, 200, "application/json", '{"v":1,"path":"/"'],
    ["/?format=text", {}, 200, "text/plain; charset=utf-8", "/\n"],
    ["/arch/?format=pdf", {}, 400, "text/plain; charset=utf-8", "400 Bad request"],
    ["/?format=pdf", {}, 400, "text/plain; charset=utf-8", "400 Bad request"],
  ];
  for (const [url, headers, status, type, start] of cases) {
    const response = await n.get(url, headers);
    const body = await response.text();
    assertEquals(
      [url, response.status, response.headers.get("content-type"), body.slice(0, start.length)],
      [url, status, type, start],
    );
    if (status !== 200) continue;
    assertEquals(response.headers.get("cache-control"), "no-cache");
    assertEquals(response.headers.get("vary"), "Accept, User-Agent, Accept-Encoding");
    const again = await n.get(url, { ...headers, "if-none-match": response.headers.get("etag")! });
    assertEquals([url, again.status, again.headers.get("vary")], [
      url,
      304,
      "Accept, User-Agent, Accept-Encoding",
    ]);
  }
});

Deno.test("GET of a directory without its slash: 308 to it, query kept, never another host", async () => {
  await using n = await node();
  await Deno.mkdir(join(n.data, "static/arch/a b?#%"));
  const cases = [
    ["/arch?format=json", "/arch/?format=json"],
    ["/arch/pool", "/arch/pool/"],
    ["//arch//pool", "/arch/pool/"],
    ["/arch/a%20b%3F%23%25", "/arch/a%20b%3F%23%25/"],
  ];
  for (const [url, location] of cases) {
    const response = await n.get(url);
    assertEquals([url, response.status, response.headers.get("location")], [url, 308, location]);
  }
});

Deno.test("GET of a directory: a .gz sibling for those who take gzip, each with its own ETag", async () => {
  await using n = await node();
  const zipped = new Uint8Array([31, 139, 8, 0]);
  await Deno.writeFile(join(n.data, "indexes/arch/index.json.gz"), zipped);
  const url = "/arch/?format=json";
  const gz = await n.get(url, { "accept-encoding": "gzip" }), plain = await n.get(url);
  assertEquals(gz.headers.get("content-encoding"), "gzip");
  assertEquals(await gz.bytes(), zipped);
  assertEquals(plain.headers.get("content-encoding"), null);
  assertEquals(gz.headers.get("etag") === plain.headers.get("etag"), false);
  await plain.body?.cancel();
});

Deno.test("GET of a directory that is not indexed yet: 503 that says so", async () => {
  await using n = await node();
  await Deno.mkdir(join(n.data, "static/arch/fresh"));
  const response = await n.get("/arch/fresh/");
  assertEquals([response.status, response.headers.get("retry-after")], [503, "60"]);
  assertStringIncludes(await response.text(), "listing");
});

Deno.test("GET of what is not there: 404, in the format of the client", async () => {
  await using n = await node();
  const formats: [Record<string, string>, string][] = [
    [{}, "text/plain; charset=utf-8"],
    [{ accept: "application/json" }, "application/json"],
    [{ accept: "text/html" }, "text/html; charset=utf-8"],
  ];
  for (const url of ["/nix", "/arch/nix", "/arch/nix/", "/arch/abc/", "/arch/abc/x", "/ne"]) {
    for (const [headers, type] of formats) {
      const response = await n.get(url, headers);
      assertEquals([url, response.status, response.headers.get("content-type")], [url, 404, type]);
      assertEquals((await response.text()).includes(n.data), false);
    }
  }
  const long = await n.get("/arch/" + "x".repeat(300));
  assertEquals(long.status, 404);
  await long.body?.cancel();
});

Deno.test("gate: 503 with Retry-After until the repository is ready, then open", async () => {
  await using n = await node();
  for (const url of ["/new/", "/new", "/new/partial", "/new/nix", "/new/.~tmp~/x"]) {
    const response = await n.get(url);
    assertEquals([url, response.status, response.headers.get("retry-after")], [url, 503, "300"]);
    assertStringIncludes(await response.text(), "initial sync of new");
  }
  await n.ready("new");
  assertEquals(await (await n.get("/new/partial")).text(), "x");
});

Deno.test("links: followed inside the repository, past no gate, and not out of it", async () => {
  await using n = await node();
  const at = (path: string) => join(n.data, "static/arch", path);
  await Deno.writeTextFile(join(n.data, "secret"), "secret");
  await n.write("arch/.~tmp~/half", "half");
  const links: [string, string, number][] = [
    ["pool/x.pkg.tar.zst", "file", 200],
    ["file", "twice", 200],
    ["nix", "dangling", 404],
    ["loop2", "loop1", 404],
    ["loop1", "loop2", 404],
    ["../../secret", "out", 404],
    [join(n.data, "secret"), "absolute", 404],
    ["../../state/arch.ready", "state", 404],
    ["../new/partial", "ungated", 404],
    [".~tmp~/half", "temporary", 404],
    ["/proc/self/environ", "proc", 404],
  ];
  for (const [target, name] of links) await Deno.symlink(target, at(name));
  for (const [target, name, status] of links) {
    const response = await n.get(`/arch/${name}`);
    assertEquals([target, name, response.status], [target, name, status]);
    await response.body?.cancel();
  }
  await Deno.symlink("pool", at("linked"));
  await Deno.symlink("..", at("up"));
  assertStringIncludes(await (await n.get("/arch/linked/")).text(), "x.pkg.tar.zst");
  assertEquals((await n.get("/arch/linked")).headers.get("location"), "/arch/linked/");
  assertEquals(await (await n.get("/arch/linked/x.pkg.tar.zst")).text(), "12345");
  const up = await n.get("/arch/up/");
  assertEquals(up.status, 404);
  await up.body?.cancel();
});

Deno.test("a repository on another disk by a link of the operator: served", async () => {
  await using n = await makeNode({ arch: "/arch/" });
  await n.ready("arch");
  await Deno.rename(join(n.data, "static/arch"), join(n.data, "disk"));
  await Deno.symlink(join(n.data, "disk"), join(n.data, "static/arch"));
  await Deno.writeTextFile(join(n.data, "disk/a"), "a");
  assertEquals(await (await n.get("/arch/a")).text(), "a");
});

Deno.test("temporary, special and unreadable files: never served", async () => {
  await using n = await node();
  await n.write("arch/.~tmp~/x", "x");
  await n.write("arch/pool/.~tmp~/y", "y");
  await new Deno.Command("mkfifo", { args: [join(n.data, "static/arch/fifo")] }).output();
  for (const url of ["/arch/.~tmp~/x", "/arch/.~tmp~/", "/arch/pool/.~tmp~/y", "/arch/fifo"]) {
    const response = await n.get(url);
    assertEquals([url, response.status], [url, 404]);
    await response.body?.cancel();
  }
});

Deno.test("a file that is replaced all the time: every answer is one version, whole", async () => {
  await using n = await node();
  const path = join(n.data, "static/arch/busy");
  const versions = ["a".repeat(70_000), "b".repeat(140_000)];
  await Deno.writeTextFile(path, versions[0]);
  let done = false;
  const replacing = (async () => {
    for (let i = 0; !done; i++) {
      await Deno.writeTextFile(`${path}.next`, versions[i % 2]);
      await Deno.rename(`${path}.next`, path);
    }
  })();
  const wrong: unknown[] = [];
  for (let i = 0; i < 150; i++) {
    const response = await n.get("/arch/busy"), body = await response.text();
    const length = Number(response.headers.get("content-length"));
    const whole = versions.includes(body) && body.length === length;
    if (response.status !== 200 || !whole) wrong.push([response.status, body.slice(0, 100)]);
  }
  done = true;
  await replacing;
  assertEquals(wrong, []);
});

Deno.test("names: whatever a name holds, its URL leads to it", async () => {
  await using n = await node();
  for (const name of ["a b", "a%20b", "q?x=1", "h#x", "<b>", "\n", "\\", "..a", "가", "é", "'\""]) {
    await n.write(`arch/${name}`, name);
    const response = await n.get(`/arch/${encodeURIComponent(name)}`);
    assertEquals([name, response.status, await response.text()], [name, 200, name]);
  }
  const broken = await n.get("/arch/%FF");
  assertEquals(broken.status, 404);
  assertStringIncludes(await broken.text(), "not UTF-8");
});

Deno.test("active content of an upstream: inert", async () => {
  await using n = await node();
  for (const name of ["x.html", "x.svg", "x.xml", "x.xhtml"]) {
    await n.write(`arch/${name}`, "<script>alert(1)</script>");
    const response = await n.get(`/arch/${name}`);
    assertMatch(response.headers.get("content-security-policy")!, /^sandbox; default-src 'none'/);
    await response.body?.cancel();
  }
});

Deno.test("404 for a browser: the nearest folder that is there is named", async () => {
  await using n = await makeNode({ arch: "/arch/" });
  await n.ready("arch");
  await n.write("arch/a b/c/x", "x");
  const cases: [string, string][] = [
    ["/arch/nix", "/arch/"],
    ["/arch/a%20b/nix/y/", "/arch/a%20b/"],
    ["/arch/a%20b/c/x/", "/arch/a%20b/c/"],
    ["/arch/a%20b/c/x/y", "/arch/a%20b/c/"],
  ];
  for (const [path, up] of cases) {
    const response = await n.get(path, { accept: "text/html" });
    assertEquals(response.status, 404);
    assertStringIncludes(await response.text(), `: <a href="${up}">`);
  }
  const outside = await n.get("/nix", { accept: "text/html" });
  assertEquals((await outside.text()).match(/<a href="[^"]*"/g), ['<a href="/"']);
});

Deno.test("a repository at /: the server's own URLs win, other repositories keep their gate", async () => {
  await using n = await makeNode({ root: "/", arch: "/arch/" });
  await n.ready("root");
  for (const name of ["healthz", "status.json", "metrics", "sse", ".mirrorkit/assets/x.js", "a"]) {
    await n.write(name, "upstream's");
  }
  await n.write("arch/x", "x");
  await n.list("/");
  const body = async (url: string) => await (await n.get(url)).text();
  assertEquals(await body("/a"), "upstream's");
  for (const url of ["/healthz", "/%68ealthz", "//healthz", "/status.json", "/metrics", "/sse"]) {
    assertEquals((await body(url)).includes("upstream's"), false);
  }
  assertEquals((await body("/.mirrorkit/assets/x.js")).includes("upstream's"), false);
  assertStringIncludes(await body("/?format=json"), '"path":"/"');
  assertStringIncludes(await body("/arch/x"), "initial sync of arch");
});

Deno.test("a directory above repositories: listed from mirror.toml, with their totals", async () => {
  await using n = await makeNode({ a: "/pub/a/", b: "/pub/b/", c: "/c/" });
  await n.ready("a");
  await n.list("/pub/a/");
  const entries = async (url: string) =>
    (await (await n.get(url, { accept: "application/json" })).json()).entries.map((
      e: { name: string; bytes: number; files: number; dirs: number },
    ) => [e.name, e.bytes, e.files, e.dirs]);
  assertEquals(await entries("/"), [["c/", 0, 0, 0], ["pub/", 5, 1, 2]]);
  assertEquals(await entries("/pub/"), [["a/", 5, 1, 0], ["b/", 0, 0, 0]]);
  assertEquals((await n.get("/pub")).headers.get("location"), "/pub/");
});

Deno.test("/healthz: 200 only when every repository is ready and fresh", async () => {
  await using n = await node();
  const health = async () => {
    const response = await n.get("/healthz");
    return [response.status, (await response.text()).split("\n")[0]];
  };
  await n.status("arch", { lastSuccess: NOW - 60, outcome: "synced" });
  assertEquals(await health(), [503, "not ok"]);
  await n.ready("new");
  await n.status("new", { lastSuccess: NOW - 60, outcome: "synced" });
  assertEquals(await health(), [200, "ok"]);
  await n.status("new", { lastSuccess: NOW - 90_000, outcome: "failed" });
  assertEquals(await health(), [503, "not ok"]);
  const json = await (await n.get("/healthz", { accept: "application/json" })).json();
  assertEquals(json.repos.map((r: { state: string }) => r.state), ["fresh", "stale"]);
});

Deno.test("/status.json and /metrics: every repository, and no path of the machine", async () => {
  await using n = await node();
  await n.status("arch", {
    lastSuccess: NOW - 60,
    outcome: "failed",
    size: { bytes: 31, files: 2 },
    lastError: { at: NOW, message: `Cannot write ${n.data}/static`, hint: `df ${n.data}` },
  });
  const text = await (await n.get("/status.json")).text();
  assertEquals(text.includes(n.data), false);
  assertStringIncludes(text, "Cannot write $DATA/static");
  const metrics = await (await n.get("/metrics")).text();
  for (
    const line of [
      'mirrorkit_repo_ready{repo="new"} 0',
      'mirrorkit_repo_fresh{repo="arch"} 1',
      `mirrorkit_repo_last_success_timestamp_seconds{repo="arch"} ${NOW - 60}`,
      // What is served, as its listing counts, not what rsync counted.
      'mirrorkit_repo_size_bytes{repo="arch"} 5',
      'mirrorkit_repo_last_sync_outcome{repo="arch",outcome="failed"} 1',
    ]
  ) assertStringIncludes(metrics, line + "\n");
  // Each line is a comment or a sample, as Prometheus reads them.
  for (const line of metrics.trimEnd().split("\n")) {
    assertMatch(line, /^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{[^{}]+\})? [\d.e+-]+)$/);
  }
});

Deno.test("/status.json: a sync that says it runs, but holds no lock, was interrupted", async () => {
  await using n = await node();
  await n.status("arch", { lastSuccess: NOW - 60, outcome: "running" });
  const outcome = async () => {
    const { repos } = await (await n.get("/status.json")).json();
    return repos.find((r: { repo: string }) => r.repo === "arch").outcome;
  };
  assertEquals(await outcome(), "interrupted");
  using _lock = await takeLock(join(n.data, "state/arch.lock"), "A sync");
  assertEquals(await outcome(), "running");
});

Deno.test("/status.json: a next run is told while a scheduler is at work, else nobody knows it", async () => {
  await using n = await node();
  await n.status("arch", { lastSuccess: NOW - 60, outcome: "synced", nextRun: NOW + 60 });
  const next = async () => {
    const { repos } = await (await n.get("/status.json")).json();
    return repos.find((r: { repo: string }) => r.repo === "arch").nextRun;
  };
  assertEquals(await next(), null);
  using _lock = await takeLock(join(n.data, "state/scheduler.lock"), "A scheduler");
  assertEquals(await next(), NOW + 60);
});

Deno.test("a fault inside: 500 without details, the details to the operator", async () => {
  const reports: string[] = [];
  await using n = await makeNode({ arch: "/arch/" }, { report: (m) => reports.push(m) });
  await n.ready("arch");
  // A status that is a directory cannot be read: no case the server foresees.
  await Deno.mkdir(join(n.data, "state/arch.json"));
  const response = await n.get("/status.json");
  assertEquals(response.status, 500);
  assertEquals((await response.text()).includes(n.data), false);
  assertEquals(reports.length, 1);
  assertStringIncludes(reports[0], "cannot answer GET /status.json");
});
