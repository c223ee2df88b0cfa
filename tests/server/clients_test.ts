/** What people use: rclone, lftp and wget walk the listings; lynx, w3m and links show them. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { dirname, join } from "@std/path/posix";
import { startServer } from "../../server/listen.ts";
import { makeNode } from "./fixture.ts";

const INDEXER = new URL("../../scripts/indexer.ts", import.meta.url).pathname;

const PLAIN = ["core/os/x86_64/core.db", "core/os/x86_64/x-1:2.3-1-any.pkg.tar.zst", "lastupdate"];
/** Names that break what is put together carelessly. */
const HOSTILE = [
  "with space/a b",
  "q?x=1",
  "h#x",
  "100%",
  "%41",
  "a&b;c",
  "quote'\"",
  "<i>x",
  "back\\slash",
  "semi;colon",
  "a+b",
  "a=b",
  "[x]{y}",
  "~tilde",
  "가나다/라",
  "é",
  "-dash",
  "..dots",
  "a:b/x",
  "x".repeat(250),
];

async function run(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    env: { LC_ALL: "C.UTF-8", HOME: "/nonexistent" },
  }).output();
  assertEquals(code, 0, `${program}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** A synced and indexed repository on a port. */
async function mirror(names: string[]) {
  const node = await makeNode({ arch: "/arch/" });
  for (const name of names) await node.write(`arch/${name}`, `content of ${name}`);
  await node.ready("arch");
  const toml = join(node.data, "mirror.toml");
  await Deno.writeTextFile(
    toml,
    `[site]\nname = "x"\n[[repo]]\nname = "arch"\nprofile = "generic"\nupstream = ["/srv/x/"]\n`,
  );
  await run(Deno.execPath(), "run", "-A", INDEXER, "--config", toml, "--data", node.data);
  const server = startServer(node.config, { port: 0, web: join(node.data, "web") });
  return {
    node,
    url: server.url,
    async [Symbol.asyncDispose]() {
      await server.shutdown(1000);
      await node[Symbol.asyncDispose]();
    },
  };
}

Deno.test("rclone lsf -R: equals the tree, hostile names included", async () => {
  // rclone 1.60 asks for `./a:b/` and then takes what is in it for being elsewhere, from any server.
  const names = [...PLAIN, ...HOSTILE.filter((name) => name !== "a:b/x")];
  await using m = await mirror(names);
  const out = await run("rclone", "lsf", "-R", "--config", "", `:http,url="${m.url}arch/":`);
  const files = out.trimEnd().split("\n").filter((line) => !line.endsWith("/"));
  assertEquals(files.sort(), names.toSorted());
});

/** Every file below a directory with its content. */
async function tree(root: string, below = ""): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for await (const entry of Deno.readDir(join(root, below))) {
    const path = join(below, entry.name);
    if (entry.isDirectory) Object.assign(files, await tree(root, path));
    else files[path] = await Deno.readTextFile(join(root, path));
  }
  return files;
}

Deno.test("lftp mirror: equals the tree, hostile names included", async () => {
  // lftp reads ~tilde as somebody's home, from any server.
  await using m = await mirror([...PLAIN, ...HOSTILE.filter((name) => name !== "~tilde")]);
  const into = join(m.node.data, "lftp");
  await run("lftp", "-c", `set xfer:clobber on; open ${m.url}arch/; mirror . ${into}`);
  assertEquals(await tree(into), await tree(join(m.node.data, "static/arch")));
});

Deno.test("wget -r: equals the tree", async () => {
  // wget decodes names once too often and cuts long ones when it saves them, whoever the server is.
  const names = HOSTILE.filter((name) => name !== "%41" && name.length < 200);
  await using m = await mirror([...PLAIN, ...names]);
  const into = join(m.node.data, "wget");
  const where = ["-np", "-nH", "--cut-dirs=1", "-R", "index.html*", "-P", into];
  await run("wget", "-q", "-r", "--restrict-file-names=nocontrol", ...where, `${m.url}arch/`);
  // It also leaves the pages that it was told to reject under another name.
  const files = Object.entries(await tree(into)).filter(([n]) => !n.endsWith("index.html.tmp"));
  assertEquals(Object.fromEntries(files), await tree(join(m.node.data, "static/arch")));
});

Deno.test("lynx, w3m, links: name, date and size of each entry within 80 columns", async () => {
  await using m = await mirror(PLAIN.concat("a b", "<i>x", "가나다"));
  const url = `${m.url}arch/`;
  const home = dirname(m.node.data);
  for (
    const [program, ...args] of [
      ["lynx", "-dump", "-nolist", "-width=80"],
      ["w3m", "-dump", "-cols", "80"],
      ["links", "-dump", "-width", "80", "-codepage", "UTF-8"],
    ]
  ) {
    const { stdout } = await new Deno.Command(program, {
      args: [...args, url],
      env: { LC_ALL: "C.UTF-8", TERM: "dumb", HOME: home },
    }).output();
    const lines = new TextDecoder().decode(stdout).split("\n");
    const shown = (name: string) => lines.find((line) => line.includes(name)) ?? "";
    for (const name of ["lastupdate", "a b", "<i>x", "가나다", "core/"]) {
      assertMatch(shown(name), /\d{4}-\d\d-\d\d \d\d:\d\d.* \d+ B/, `${program}: ${name}`);
    }
    assert(lines.every((line) => [...line].length <= 80), `${program}: ${lines.join("\n")}`);
  }
});
