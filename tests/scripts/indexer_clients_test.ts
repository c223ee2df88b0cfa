/** The plain HTML listing and the programs that read it: text browsers at 80 columns, and walkers. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path/posix";
import { Mirror } from "./indexer_helpers.ts";

const FILES = [
  "a b.txt",
  "100%.txt",
  "a#b?c.txt",
  "colon:name.txt",
  "é.txt",
  "deep/er/quote'&.txt",
  "package-1.0-1-x86_64.pkg.tar.zst",
];

/** Serves listings and files, as little as walkers need. */
function serve(m: Mirror): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const path = decodeURIComponent(new URL(request.url).pathname);
    const listing = path.endsWith("/");
    const room = listing ? "indexes" : "static";
    try {
      const bytes = await Deno.readFile(join(m.data, room, path, listing ? "index.html" : ""));
      const type = listing ? "text/html; charset=utf-8" : "application/octet-stream";
      return new Response(bytes, { headers: { "content-type": type } });
    } catch {
      return new Response(null, { status: 404 });
    }
  });
}

async function output(command: string, ...args: string[]): Promise<string> {
  const env = { LC_ALL: "C.UTF-8", HOME: "/nonexistent", TERM: "dumb" };
  const { stdout } = await new Deno.Command(command, { args, env, stderr: "null" }).output();
  return new TextDecoder().decode(stdout);
}

const filesBelow = (dir: string) =>
  output("find", dir, "-type", "f", "-printf", "%P\\n").then((s) => s.split("\n").filter(Boolean));

async function withServer(test: (m: Mirror, url: string) => Promise<void>) {
  using m = new Mirror();
  for (const path of FILES) m.file(path, 1634);
  m.link("circle", ".");
  await m.index();
  const server = serve(m);
  try {
    await test(m, `http://127.0.0.1:${server.addr.port}/r/`);
  } finally {
    await server.shutdown();
  }
}

Deno.test("index.html: rclone, lftp and wget walk the whole tree", () =>
  withServer(async (m, url) => {
    const listed = await output("rclone", "lsf", "-R", "--files-only", ":http:", "--http-url", url);
    const found = listed.split("\n").filter((line) => line && line !== "circle");
    assertEquals(found.toSorted(), FILES.toSorted());

    const lftp = join(m.data, "lftp"), wget = join(m.data, "wget");
    await output("lftp", "-c", `set net:max-retries 1; mirror ${url} ${lftp}`);
    assertEquals((await filesBelow(lftp)).toSorted(), FILES.toSorted());

    await output(
      "wget",
      "-q",
      "-r",
      "-np",
      "-nH",
      "--cut-dirs=1",
      "-e",
      "robots=off",
      "-P",
      wget,
      url,
    );
    const saved = (await filesBelow(wget)).filter((path) => !path.endsWith("index.html"));
    assertEquals(saved.toSorted(), FILES.toSorted());
  }));

Deno.test("index.html: lynx, w3m and links show time, size and name in 80 columns", () =>
  withServer(async (_, url) => {
    const browsers = [
      ["lynx", "-dump", "-nolist", "-width=80", url],
      ["w3m", "-dump", "-cols", "80", url],
      ["links", "-dump", "-width", "80", url],
    ];
    for (const [command, ...args] of browsers) {
      const text = await output(command, ...args);
      const row = text.split("\n").find((line) => line.includes("package-1.0"))?.trim();
      assertEquals(
        [command, row],
        [command, "2023-11-14 22:13   1.6 KiB  package-1.0-1-x86_64.pkg.tar.zst"],
      );
    }
  }));
