/** One storage, served by both: the embedded server at an address, and nginx with it behind a socket. */
import { join } from "@std/path/posix";
import { startServer } from "../../../server/listen.ts";
import { type Daemon, forTest, startNginx, writeServers } from "../../helpers/daemons.ts";
import { makeNode, type TestNode } from "../fixture.ts";

/** Both servers over one node. */
export interface Pair extends AsyncDisposable {
  node: TestNode;
  embedded: number;
  nginx: number;
  daemon: Daemon;
  /** Stops and starts the embedded server behind nginx. */
  down(): Promise<void>;
  up(): void;
}

const ALPHABET = "abcdefghijklmnopqrstuvwxyz";

/** Files of every kind. */
async function fill(n: TestNode) {
  await n.write("arch/abc", ALPHABET);
  await n.write("arch/empty", "");
  await n.write("arch/one", "1");
  await n.write("arch/big.iso", new Uint8Array(300_000).map((_, i) => i * 7 + (i >> 8)));
  const plain = ["core/os/x86_64/core.db.tar.gz", "pool/x-1-any.pkg.tar.zst", "lastupdate"];
  const debian = ["dists/sid/Release", "dists/sid/InRelease", "pool/main/a/a_1.dsc", "a_1.deb"];
  const others = ["x.html", "x.svg", "x.xml", "x.js", "x.css", "x.txt", "x.unknown", "x.TXT"];
  const odd = ["a b", "q?x=1", "h#x", "<b>", "100%", "가나", "é", "'\"", "..a", "\\", "a+b", "a:b"];
  const more = ["index.html", "index.json", "README", "SHA256SUMS", "project/trace/m.example.org"];
  for (const name of [...plain, ...debian, ...others, ...odd, ...more, ".hidden", "~x", "x.gz"]) {
    await n.write(`arch/${name}`, `this is ${name}\n`);
  }
  await n.write(`arch/by-hash/SHA256/${"ab".repeat(32)}`, "by hash");
  await n.write("arch/.~tmp~/half", "half");
  await n.write("arch/pool/.~tmp~/half", "half");
  await n.write("new/partial", "partial");
  await n.write("pub/b/x", "b");
  const at = (path: string) => join(n.data, "static/arch", path);
  await Deno.symlink("core.db.tar.gz", at("core/os/x86_64/core.db"));
  await Deno.symlink("../../../pool/x-1-any.pkg.tar.zst", at("core/os/x86_64/x-1-any.pkg.tar.zst"));
  await Deno.symlink("core", at("linked"));
  await Deno.symlink("nix", at("dangling"));
  await Deno.mkdir(at("a dir?#%"));
  await Deno.mkdir(at("unlisted"));
  const listed = ["", "core/", "core/os/", "core/os/x86_64/", "pool/", "a dir?#%/", "dists/"];
  for (const directory of listed) await n.list(`/arch/${directory}`);
  await n.list("/pub/b/");
  for (const kind of ["json", "html"]) {
    const path = join(n.data, `indexes/arch/index.${kind}`);
    const zipped = new Blob([await Deno.readFile(path)]).stream()
      .pipeThrough(new CompressionStream("gzip"));
    await n.listing(`arch/index.${kind}.gz`, await new Response(zipped).bytes());
  }
}

/** A web page that is small and whole. */
async function fillWeb(web: string) {
  await Deno.mkdir(join(web, "assets"), { recursive: true });
  await Deno.writeTextFile(join(web, "index.html"), "<!doctype html><title>shell</title>");
  await Deno.writeTextFile(join(web, "index.html.gz"), "zipped shell");
  await Deno.writeTextFile(join(web, "home.html"), "<!doctype html><title>home</title>{{body}}");
  await Deno.writeTextFile(join(web, "early.js"), "{}");
  await Deno.writeTextFile(join(web, "assets/page-ABC123.js"), "export {}");
  await Deno.writeTextFile(join(web, "assets/page-ABC123.js.gz"), "zipped script");
  await Deno.writeTextFile(join(web, "assets/page-ABC123.css"), "a{}");
  await Deno.writeTextFile(join(web, "assets/icon-ABC123.svg"), "<svg/>");
  await Deno.writeTextFile(join(web, "assets/secret.txt"), "not to be served");
}

/** Starts both on a filled node. */
export async function startPair(): Promise<Pair> {
  await using stack = new AsyncDisposableStack();
  const node = stack.use(await makeNode({ arch: "/arch/", new: "/new/", b: "/pub/b/" }));
  await Deno.chmod(node.data, 0o755);
  await fill(node);
  const web = join(node.data, "web");
  await fillWeb(web);
  for (const repo of ["arch", "b"]) await node.ready(repo);
  const config = forTest(node.config, node.data), { port } = config.server.nginx;
  const start = (where: { port: 0 } | { socket: string }) =>
    startServer(config, { ...where, web, report: () => {} });
  const alone = start({ port: 0 });
  stack.defer(async () => void await alone.shutdown(0));
  const behind = () => start({ socket: config.server.socket });
  let inner: ReturnType<typeof start> | undefined = behind();
  const down = async () => {
    await inner?.shutdown(1000);
    inner = undefined;
  };
  stack.defer(down);
  const site = await writeServers(config, node.data, web);
  const daemon = stack.use(await startNginx(site, config));
  const owned = stack.move();
  return {
    node,
    embedded: alone.port,
    nginx: port,
    daemon,
    down,
    up: () => void (inner = behind()),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
