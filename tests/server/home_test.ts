/** The home page as the server sends it: whole without script, in the browser's language, and safe. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/posix";
import { readConfig } from "../../scripts/lib/config.ts";
import { startServer } from "../../server/listen.ts";
import { findImages } from "../../server/home/images.ts";
import { Store } from "../../server/store.ts";
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
    assertEquals([path, headers, text.includes("<h1>mirror.<wbr>example.<wbr>org</h1>")], [
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
  assertStringIncludes(await page(n, {}, "/.mirrorkit/"), "<h1>mirror.<wbr>example.<wbr>org</h1>");
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

Deno.test("findImages: where each distribution keeps them, the newest release, and its sums", async () => {
  const repo = (name: string, profile: string) =>
    `[[repo]]\nname = "${name}"\nprofile = "${profile}"\nupstream = ["/srv/x/"]\n`;
  const names = { a: "alpine", d: "debian", f: "fedora", e: "el", u: "ubuntu" };
  const repos = Object.entries(names).map(([name, profile]) => repo(name, profile)).join("");
  await using n = await makeNode(`[site]\nname = "m.x"\n${repos}`);
  const sum = (digit: string) => digit.repeat(64);
  const alpine = "alpine-standard-3.22.1-x86_64.iso";
  const fedora = "Fedora-Workstation-Live-43-1.6.x86_64.iso";
  const alma = "AlmaLinux-10.0-x86_64-minimal.iso";
  const files: Record<string, string> = {
    [`a/latest-stable/releases/x86_64/${alpine}`]: "x",
    [`a/latest-stable/releases/x86_64/${alpine}.sha256`]: `${sum("a")}  ${alpine}\n`,
    "d/dists/stable/main/installer-amd64/current/images/netboot/mini.iso": "x",
    "d/dists/stable/main/installer-amd64/current/images/SHA256SUMS": `${
      sum("d")
    }  ./netboot/mini.iso\n`,
    [`f/releases/43/Workstation/x86_64/iso/${fedora}`]: "x",
    "f/releases/43/Workstation/x86_64/iso/Fedora-Workstation-43-1.6-x86_64-CHECKSUM":
      `# ${fedora}: 5 bytes\nSHA256 (${fedora}) = ${sum("f")}\n`,
    // The next release is being prepared: it has no images yet.
    "f/releases/44/README": "x",
    "f/releases/9/Workstation/x86_64/iso/Fedora-Workstation-Live-9-1.6.x86_64.iso": "x",
    [`e/10/isos/x86_64/${alma}`]: "x",
    "e/9/isos/x86_64/AlmaLinux-9.6-x86_64-minimal.iso": "x",
  };
  const folders = new Set<string>();
  for (const [path, content] of Object.entries(files)) {
    await n.write(path, content);
    const parts = path.split("/");
    for (let i = 1; i < parts.length; i++) folders.add(`/${parts.slice(0, i).join("/")}/`);
  }
  for (const folder of folders) await n.list(folder);
  const store = new Store(n.config), found: [string, string | undefined][] = [];
  for (const repo of n.config.repos) {
    for (const { href, sha256 } of await findImages(store, repo)) found.push([href, sha256]);
  }
  assertEquals(found, [
    [`/a/latest-stable/releases/x86_64/${alpine}`, sum("a")],
    ["/d/dists/stable/main/installer-amd64/current/images/netboot/mini.iso", sum("d")],
    [`/f/releases/43/Workstation/x86_64/iso/${fedora}`, sum("f")],
    // Its list of sums is not there: none is shown.
    [`/e/10/isos/x86_64/${alma}`, undefined],
  ]);
});
