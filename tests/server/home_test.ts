/** The home page as the server sends it: whole without script, in the browser's language, and safe. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/posix";
import { readConfig } from "../../scripts/lib/config.ts";
import { startServer } from "../../server/listen.ts";
import { rootsOf } from "../../server/home/model.ts";
import { output } from "../helpers/serving.ts";
import { makeHomeNode } from "../web/home_node.ts";
import { makeNode, NOW, type TestNode } from "./fixture.ts";

const HTML = { accept: "text/html,*/*;q=0.8", "user-agent": "Lynx/2.9" };

async function withShell(node: TestNode): Promise<TestNode> {
  await Deno.mkdir(join(node.data, "web"));
  await Deno.writeTextFile(join(node.data, "web/home.html"), "<html lang={{language}}>{{ body }}");
  return node;
}

const page = async (node: TestNode, headers = {}, path = "/") =>
  await (await node.get(path, { ...HTML, ...headers })).text();

Deno.test("home: who names HTML gets it, who walks links or asks for a format the listing", async () => {
  await using n = await withShell(await makeNode({ arch: "/arch/" }));
  const cases: [string, Record<string, string>, boolean][] = [
    ["/", HTML, true],
    ["/", { ...HTML, "user-agent": "Mozilla/5.0 Chrome/130.0" }, true],
    ["/.mirrorkit/", HTML, false],
    ["/", { accept: "*/*", "user-agent": "Links (2.29; Linux)" }, true],
    ["/", {}, false],
    ["/", { accept: "*/*" }, false],
    ["/", { accept: "application/json" }, false],
    ["/?format=html", HTML, false],
    ["/?format=json", HTML, false],
  ];
  for (const [path, headers, home] of cases) {
    const text = await (await n.get(path, headers)).text();
    assertEquals([path, headers, text.includes("<h1>mirror.example.org</h1>")], [
      path,
      headers,
      home,
    ]);
  }
});

Deno.test("home: its own address leads to /", async () => {
  await using n = await withShell(await makeNode({ arch: "/arch/" }));
  const response = await n.get("/.mirrorkit/", HTML);
  assertEquals([response.status, response.headers.get("location")], [307, "/"]);
});

Deno.test("home: with a repository at /, that is listed, and the home page has its own address", async () => {
  await using n = await withShell(await makeNode({ root: "/" }));
  await n.ready("root");
  await n.list("/");
  assertStringIncludes(await page(n), "Index of /");
  assertStringIncludes(await page(n, {}, "/.mirrorkit/"), "<h1>mirror.example.org</h1>");
});

Deno.test("home: states, configuration, images with their sums, and what the operator says", async () => {
  await using n = await withShell(await makeHomeNode());
  const text = await page(n);
  for (
    const part of [
      "Example University Mirror",
      "run by its students since 2004",
      "Up to date",
      "Stale",
      "Failing",
      "First sync",
      "rsync ended with 30: timeout in",
      "4 min ago",
      "Server = https://mirror.example.org/archlinux/$repo/os/$arch",
      "Server = http://mirror.example.org/archlinux/$repo/os/$arch",
      "rsync://mirror.example.org/archlinux/",
      // The link dists/stable says which release that is.
      "Suites: trixie trixie-updates",
      '<a href="/archlinux/iso/latest/archlinux-2026.11.01-x86_64.iso">',
      "0e5f2b1c".repeat(8),
      'href="mailto:mirror@example.org"',
      "https://code.example.org/mirrorkit",
      "Students&#39; union",
    ]
  ) assertStringIncludes(text, part);
  // What is not served yet has nothing to be copied.
  assert(!text.includes("fedora-mirror.repo"));
});

Deno.test("home: in the first language of the browser that the site offers", async () => {
  await using n = await withShell(await makeHomeNode());
  const cases: [string, string, string][] = [
    ["ko-KR,ko;q=0.9,en;q=0.8", "ko", "저장소"],
    ["de,en;q=0.5", "en", "Repositories"],
    ["", "en", "Repositories"],
  ];
  for (const [accepted, language, word] of cases) {
    const response = await n.get("/", { ...HTML, "accept-language": accepted });
    const text = await response.text();
    assertEquals(response.headers.get("content-language"), language);
    assertStringIncludes(response.headers.get("vary")!, "Accept-Language");
    assertStringIncludes(text, `<html lang=${language}>`);
    assertStringIncludes(text, word);
  }
});

Deno.test("home: compressed, revalidated by its content, and nothing from mirror.toml is markup", async () => {
  const toml = `[site]\nname = "m.example"\ntitle = "<b>\\"&"\nabout = "<script>"\n` +
    `links = [{ text = "<i>", url = "/x\u0027y" }]\n` +
    `[[repo]]\nname = "a"\nprofile = "arch"\nupstream = ["/srv/x/"]\n`;
  await using n = await withShell(await makeNode(toml));
  const text = await page(n);
  for (const markup of ["<b>", "<script", "<i>"]) assert(!text.includes(markup), markup);
  const zipped = await n.get("/", { ...HTML, "accept-encoding": "gzip" });
  assertEquals(zipped.headers.get("content-encoding"), "gzip");
  const plain = new Blob([await zipped.bytes()]).stream()
    .pipeThrough(new DecompressionStream("gzip"));
  assertEquals(await new Response(plain).text(), text);
  const etag = zipped.headers.get("etag")!;
  const again = await n.get("/", { ...HTML, "accept-encoding": "gzip", "if-none-match": etag });
  assertEquals([again.status, await again.text()], [304, ""]);
  assertEquals((await n.get("/", HTML)).headers.get("etag") === etag, false);
});

Deno.test("home: images only from lists and folders of the repository itself", async () => {
  await using n = await withShell(await makeHomeNode());
  const sums = join(n.data, "static/archlinux/iso/2026.11.01/sha256sums.txt");
  await Deno.writeTextFile(
    join(n.data, "secret"),
    `${"ff".repeat(32)}  archlinux-2026.11.01-x86_64.iso`,
  );
  await Deno.remove(sums);
  await Deno.symlink(join(n.data, "secret"), sums);
  const text = await page(n);
  assertStringIncludes(text, "archlinux-2026.11.01-x86_64.iso");
  assert(!text.includes("ff".repeat(32)));
});

Deno.test("rootsOf: what mirror.toml says, or what its nginx listens on", () => {
  const repo = `[[repo]]\nname = "a"\nprofile = "arch"\nupstream = ["/srv/x/"]\n`;
  const roots = (toml: string) => rootsOf(readConfig(`[site]\nname = "m.x"\n${toml}${repo}`, "m"));
  const tls = `certificate = "/c"\ncertificate_key = "/k"\n`;
  assertEquals(roots(""), ["http://m.x/"]);
  assertEquals(roots(`[server.nginx]\n${tls}`), ["https://m.x/", "http://m.x/"]);
  assertEquals(roots(`[server.nginx]\n${tls}tls_port = 8443\nport = 0\n`), ["https://m.x:8443/"]);
  assertEquals(roots(`urls = ["rsync://r.x/"]\n`), ["rsync://r.x/"]);
});

Deno.test("home: 80 columns of lynx, w3m and links hold it; a table stays a table", async () => {
  await using n = await withShell(await makeHomeNode());
  const server = startServer(n.config, { port: 0, now: () => NOW, web: join(n.data, "web") });
  try {
    const dump: [string, ...string[]][] = [
      ["lynx", "-width=80"],
      ["w3m", "-cols", "80"],
      ["links", "-width", "80"],
    ];
    for (const [program, ...width] of dump) {
      const args = ["-dump", ...width, server.url];
      const text = await output(program, args, { env: { LC_ALL: "C.UTF-8" } });
      for (const part of ["Up to date", "Failing", "Server = https://", "0e5f2b1c0e5f"]) {
        assertStringIncludes(text, part, program);
      }
      assert(
        /^ *(?:\[\d+\])?archlinux +Up to date +4 min ago +2 hours ago +0 s +88 GiB +in 56 min *$/m
          .test(text),
        text,
      );
    }
  } finally {
    await server.shutdown(0);
  }
});
