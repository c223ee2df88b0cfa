/**
 * The gate of a repository whose initial sync runs, at every server at once: nothing until it is complete,
 * then everything, without a restart and without a moment in between.
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/posix";
import { type Config, readConfig } from "../../scripts/lib/config.ts";
import { alignModules } from "../../scripts/lib/gate.ts";
import { closedFiles, closeGate, openGate } from "../../scripts/syncrepo/gate.ts";
import { startServer } from "../../server/listen.ts";
import { snapshot } from "../helpers/arch.ts";
import { forTest, startNginx, startRsyncd, startVsftpd, writeServers } from "../helpers/daemons.ts";
import { tempDir, TestNode } from "../helpers/node.ts";

const root = Deno.uid() === 0;
const text = new TextDecoder();

async function run(program: string, args: string[]) {
  const { code, stdout } = await new Deno.Command(program, { args, stdin: "null", stderr: "null" })
    .output();
  return { code, stdout: text.decode(stdout) };
}

/** All servers over the storage of a node. */
async function serveAll(node: TestNode, toml: string) {
  await using stack = new AsyncDisposableStack();
  await Deno.chmod(node.dir, 0o755);
  for (const dir of ["static", "indexes", "state"]) {
    await Deno.mkdir(node.path(dir), { recursive: true });
  }
  const site = `[site]\nname = "mirror.test"\n\n`;
  const config = forTest(readConfig(site + toml, node.config, node.path()), node.dir);
  await alignModules(config);
  const embedded = startServer(config, { port: 0 });
  stack.defer(async () => void await embedded.shutdown(0));
  const behind = startServer(config, { socket: config.server.socket });
  stack.defer(async () => void await behind.shutdown(0));
  const written = await writeServers(config, node.dir, join(node.dir, "web"));
  stack.use(await startNginx(written, config));
  stack.use(await startRsyncd(written, config));
  if (root) stack.use(await startVsftpd(written, config));
  const owned = stack.move();
  return {
    config,
    urls: [embedded.url, `http://127.0.0.1:${config.server.nginx.port}/`],
    rsync: `rsync://127.0.0.1:${config.server.rsync.port}/`,
    ftp: `ftp://127.0.0.1:${config.server.ftp.port}/`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
type All = Awaited<ReturnType<typeof serveAll>>;

/** What each server shows of a repository: HTTP's status of a file, rsync's and FTP's names in it. */
async function look(all: All, path: string, file: string) {
  const http = await Promise.all(all.urls.map(async (url) => {
    const response = await fetch(`${url}${path}${file}`);
    await response.body?.cancel();
    return [response.status, response.headers.get("retry-after")];
  }));
  const names = (listing: string) =>
    listing.split("\n").map((l) => l.split(" ").pop()!).filter((n) => n && n !== ".").sort();
  const module = await run("rsync", ["--list-only", `${all.rsync}${path}`]);
  const listed = (await run("rsync", [all.rsync])).stdout.includes(path.replace(/\/$/, ""));
  const ftp = root ? await run("curl", ["-sS", `${all.ftp}${path}`]) : module;
  const above = root ? names((await run("curl", ["-sS", all.ftp])).stdout) : listed ? ["new"] : [];
  return {
    http,
    listed,
    above,
    rsync: module.code === 0 ? names(module.stdout) : "nothing",
    ftp: ftp.code === 0 ? names(ftp.stdout) : "nothing",
  };
}

const CLOSED = {
  http: [[503, "300"], [503, "300"]],
  listed: false,
  above: [] as string[],
  rsync: "nothing",
  ftp: "nothing",
};
const OPEN = (names: string[]) => ({
  http: [[200, null], [200, null]],
  listed: true,
  above: ["new"],
  rsync: names,
  ftp: names,
});

Deno.test("gate: no server shows a repository during its initial sync, all do after it", async () => {
  await using dir = await tempDir();
  const upstream = join(dir.path, "up");
  for (const name of ["pool", "dists", "z"]) {
    await Deno.mkdir(join(upstream, name), { recursive: true });
  }
  for (let i = 0; i < 30; i++) {
    await Deno.writeFile(join(upstream, `pool/p${i}`), new Uint8Array(40_000).fill(i));
  }
  await Deno.writeTextFile(join(upstream, "dists/db"), "db");
  await Deno.writeTextFile(join(upstream, "z/file"), "z");
  const toml =
    `[[repo]]\nname = "new"\nprofile = "generic"\nupstream = ["${upstream}/"]\nbwlimit = "600"\n`;
  await using node = await TestNode.make(toml);
  await using all = await serveAll(node, toml);
  const first = node.start("scripts/syncrepo.ts");
  const closed = node.path("static/.~tmp~/=new/pool");
  for (let i = 0; i < 400; i++) {
    const some = await Array.fromAsync(Deno.readDir(closed)).catch(() => []);
    if (some.some((entry) => entry.isFile)) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assertEquals(await look(all, "new/", "dists/db"), CLOSED);
  first.kill("SIGTERM");
  await first.output();
  assertEquals(await look(all, "new/", "dists/db"), CLOSED, "after it was stopped");
  const dry = await node.sync("--dry-run", "--json");
  const [{ added }] = JSON.parse(dry.stdout);
  assertEquals(added > 0 && added < 32, true, `${added} files are missing of 32`);
  const second = node.start("scripts/syncrepo.ts");
  let done = false;
  const ended = second.output().finally(() => done = true);
  const seen = new Set<string>();
  while (!done) seen.add(JSON.stringify((await look(all, "new/", "dists/db")).ftp));
  assertEquals((await ended).code, 0);
  const names = ["dists", "pool", "z"];
  assertEquals(await look(all, "new/", "dists/db"), OPEN(names));
  if (root) assertEquals(seen.has(JSON.stringify("nothing")), true);
  seen.delete(JSON.stringify("nothing"));
  seen.delete(JSON.stringify(names));
  assertEquals([...seen], [], "what FTP showed beside nothing and everything");
  assertEquals(await snapshot(node.tree("new")), await snapshot(upstream));
});

/** A tree in place, its gate never opened. */
async function adopted(repos: string) {
  const dir = await tempDir();
  const config = readConfig(`[site]\nname = "m"\n${repos}`, "mirror.toml", dir.path);
  const put = async (path: string) => {
    await Deno.mkdir(join(dir.path, "static", path, ".."), { recursive: true });
    await Deno.writeTextFile(join(dir.path, "static", path), path);
  };
  return { config, put, dir: dir.path, [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() };
}
const mode = async (path: string) => (await Deno.stat(path)).mode! & 0o777;
const generic = (name: string, path: string) =>
  `[[repo]]\nname = "${name}"\npath = "${path}"\nprofile = "generic"\nupstream = ["/srv/x/"]\n`;
const repoOf = (config: Config, name: string) => config.repos.find((r) => r.name === name)!;

Deno.test("closeGate, openGate: a tree that stood there is closed, stays whole, and opens again", async () => {
  await using a = await adopted(generic("b", "/b/"));
  for (const path of ["b/pool/x", "b/y", "b/.~tmp~/half"]) await a.put(path);
  const repo = repoOf(a.config, "b"), tree = join(a.dir, "static/b");
  await closeGate(a.config, repo);
  assertEquals(await mode(tree), 0o700);
  assertEquals((await Array.fromAsync(Deno.readDir(tree))).map((e) => e.name), [".~tmp~"]);
  // A run that ended while it opened: closing again loses nothing.
  const closed = (await closedFiles(a.config, repo)).static;
  await Deno.rename(join(closed, "y"), join(tree, "y"));
  await closeGate(a.config, repo);
  assertEquals(await snapshot(closed), ["pool/", "pool/x 8", "y 3"]);
  await openGate(a.config, repo, 1);
  assertEquals([await mode(tree), await snapshot(tree)], [0o755, ["pool/", "pool/x 8", "y 3"]]);
  assertStringIncludes(await Deno.readTextFile(join(a.dir, "state/rsyncd.d/b.conf")), "[b]");
});

Deno.test("closeGate, openGate: what is new stands beside, and is there whole at once", async () => {
  await using a = await adopted(generic("b", "/pub/b/") + generic("c", "/pub/c/"));
  const [b, c] = ["b", "c"].map((name) => repoOf(a.config, name)), tree = join(a.dir, "static");
  await Deno.mkdir(tree);
  const closed = await closeGate(a.config, b);
  await closeGate(a.config, c);
  await Deno.writeTextFile(join(closed.static, "x"), "x");
  const seen = async () => (await snapshot(tree)).filter((line) => !line.endsWith("/"));
  assertEquals(await seen(), [".~tmp~/=b/x 1"]);
  // Stopped and gone on with.
  assertEquals((await closeGate(a.config, b)).static, closed.static);
  await openGate(a.config, b, 1);
  assertEquals(await seen(), ["pub/b/x 1"]);
  assertEquals(await mode(join(tree, "pub/b")), 0o755);
  // Its disk was mounted meanwhile, or somebody made the folder: what came is moved into it.
  await Deno.mkdir(join(tree, "pub/c"));
  await Deno.writeTextFile(join(tree, ".~tmp~/=c/y"), "y");
  await openGate(a.config, c, 1);
  assertEquals(await snapshot(tree), ["pub/", "pub/b/", "pub/b/x 1", "pub/c/", "pub/c/y 1"]);
  // Opened, but killed before anybody knew: closed again where it stands.
  await Deno.remove(join(a.dir, "state/b.ready"));
  await closeGate(a.config, b);
  assertEquals(await seen(), ["pub/b/.~tmp~/=initial/x 1", "pub/c/y 1"]);
  assertEquals(await mode(join(tree, "pub/b")), 0o700);
  await openGate(a.config, b, 2);
  assertEquals(await seen(), ["pub/b/x 1", "pub/c/y 1"]);
});

Deno.test(
  "closeGate, openGate: a disk that is mounted at the repository's place, also when it had begun",
  {
    ignore: !root,
  },
  async () => {
    await using a = await adopted(generic("b", "/pub/b/"));
    const repo = repoOf(a.config, "b"), tree = join(a.dir, "static");
    await Deno.mkdir(tree);
    const begun = (await closeGate(a.config, repo)).static;
    await Deno.writeTextFile(join(begun, "half"), "half");
    await Deno.mkdir(join(tree, "pub/b"), { recursive: true });
    assertEquals((await run("mount", ["-t", "tmpfs", "tmpfs", join(tree, "pub/b")])).code, 0);
    try {
      const closed = (await closeGate(a.config, repo)).static;
      assertEquals(closed, join(tree, "pub/b/.~tmp~/=initial"));
      await Deno.writeTextFile(join(closed, "x"), "x");
      await openGate(a.config, repo, 1);
      assertEquals(await snapshot(tree), ["pub/", "pub/b/", "pub/b/x 1"]);
    } finally {
      await run("umount", [join(tree, "pub/b")]);
    }
  },
);

Deno.test("closeGate: a repository at / leaves others where they are, and open", async () => {
  await using a = await adopted(
    generic("root", "/") + generic("b", "/pub/b/") + generic("c", "/c/"),
  );
  for (const path of ["own/x", "pub/own", "pub/b/x", "c/x"]) await a.put(path);
  const repo = repoOf(a.config, "root"), tree = join(a.dir, "static");
  const before = await snapshot(tree);
  await closeGate(a.config, repo);
  assertEquals(await snapshot(tree, /\.~tmp~/), ["c/", "c/x 3", "pub/", "pub/b/", "pub/b/x 7"]);
  assertEquals(await mode(tree), 0o755);
  await openGate(a.config, repo, 1);
  assertEquals(await snapshot(tree), before);
  const module = await Deno.readTextFile(join(a.dir, "state/rsyncd.d/root.conf"));
  assertMatch(module, /^exclude = \.~tmp~\/ \/pub\/b\/ \/c\/$/m);
});

Deno.test("nginx: what a sync brought is served when it has ended, also when it took but a moment", async () => {
  await using dir = await tempDir();
  const upstream = join(dir.path, "up"),
    put = (version: string) => Deno.writeTextFile(join(upstream, "db"), version);
  await Deno.mkdir(upstream);
  await put("version 0");
  const toml = `[[repo]]\nname = "new"\nprofile = "generic"\nupstream = ["${upstream}/"]\n`;
  await using node = await TestNode.make(toml);
  await using all = await serveAll(node, toml);
  assertEquals((await node.sync()).code, 0);
  const get = async () => await (await fetch(`${all.urls[1]}new/db`)).text();
  for (let round = 1; round <= 4; round++) {
    await put(`version ${round} is another`);
    let done = false;
    const ended = node.sync().finally(() => done = true);
    // Asked over and over, so that nginx has it open.
    while (!done) await get();
    assertEquals((await ended).code, 0);
    assertEquals(await get(), `version ${round} is another`);
  }
});
