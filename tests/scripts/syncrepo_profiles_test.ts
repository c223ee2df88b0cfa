/** The other profiles, on upstreams made with the distributions' own tools where Debian has them. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { snapshot } from "../helpers/arch.ts";
import { addDeb, writeIndexes, writeTrace } from "../helpers/debian.ts";
import { tempDir, TestNode } from "../helpers/node.ts";
import { startRsyncDaemon } from "../../scripts/demo/rsyncd.ts";

const repo = (profile: string, upstream: string, more = "") =>
  `[[repo]]\nname = "r"\nprofile = "${profile}"\nretries = 0\nmax_delete = { percent = 60 }\n` +
  `upstream = ["${upstream}"]\n${more}`;

async function good(node: TestNode, ...args: string[]) {
  const { code, stderr } = await node.sync(...args);
  assertEquals(code, 0, stderr);
  return stderr;
}

/** Inodes by path, to see hard links. */
async function inode(path: string) {
  return (await Deno.stat(path)).ino;
}

Deno.test("debian: indexes after packages, Release last, trace written, hard links kept", async () => {
  await using dir = await tempDir();
  const root = dir.path + "/up";
  await Deno.mkdir(root);
  await addDeb(root, "hello", "1.0");
  await addDeb(root, "world", "1.0");
  await writeIndexes(root, new Date("2026-11-01T00:00:00Z"));
  await writeTrace(root, 2026110101);
  const daemon = await startRsyncDaemon(dir.path, { debian: root });
  await using _stop = { [Symbol.asyncDispose]: daemon.stop };
  await using node = await TestNode.make(repo("debian", `${daemon.url}debian/`));
  await good(node);
  const tree = node.tree("r");
  const trace = /^project\/trace\/mirror\.test/;
  assertEquals(await snapshot(tree, trace), await snapshot(root));
  assertMatch(
    await Deno.readTextFile(tree + "/project/trace/mirror.test"),
    /^Date: .*GMT$[\s\S]*^Creator: mirrorkit$/m,
  );
  const dist = tree + "/dists/stable/main/binary-all";
  const linked = async () => {
    const hashes = await Array.fromAsync(Deno.readDir(dist + "/by-hash/SHA256"));
    const inodes = await Promise.all(hashes.map((h) => inode(`${dist}/by-hash/SHA256/${h.name}`)));
    return inodes.includes(await inode(dist + "/Packages.xz"));
  };
  assert(await linked(), "by-hash and Packages are one inode after the first sync");
  assertMatch(await good(node), /nothing changed/);

  await addDeb(root, "hello", "2.0");
  await Deno.remove(root + "/pool/main/hello_1.0_all.deb");
  await writeIndexes(root, new Date("2026-11-02T00:00:00Z"));
  await writeTrace(root, 2026110201);
  await good(node);
  assertEquals(await snapshot(tree, trace), await snapshot(root));
  assert(await linked(), "… and after an update");
  await good(node, "--verify");
  assertMatch(await good(node, "--force"), /nothing changed/);
});

Deno.test("debian: an upstream in the middle of its update, packages come, indexes stay", async () => {
  await using dir = await tempDir();
  const root = dir.path + "/up";
  await Deno.mkdir(root);
  await addDeb(root, "hello", "1.0");
  await writeIndexes(root, new Date("2026-11-01T00:00:00Z"));
  await using node = await TestNode.make(repo("debian", root));
  await good(node);
  const release = node.tree("r") + "/dists/stable/Release";
  const before = await Deno.readTextFile(release);
  await addDeb(root, "hello", "2.0");
  await writeIndexes(root, new Date("2026-11-02T00:00:00Z"));
  await Deno.writeTextFile(root + "/Archive-Update-in-Progress-t1.example.org", "");
  const { code, stderr } = await node.sync();
  assertEquals(code, 1);
  assertMatch(stderr, /the upstream is being updated; its indexes are left for later/);
  assertEquals(await Deno.readTextFile(release), before);
  assert((await Deno.stat(node.tree("r") + "/pool/main/hello_2.0_all.deb")).isFile);
  await Deno.remove(root + "/Archive-Update-in-Progress-t1.example.org");
  await good(node);
  assertEquals(
    await Deno.readTextFile(release),
    await Deno.readTextFile(root + "/dists/stable/Release"),
  );
});

Deno.test("ubuntu: a Release file that went back in time, or sizes that don't match, nothing is switched", async () => {
  await using dir = await tempDir();
  const root = dir.path + "/up";
  await Deno.mkdir(root);
  await addDeb(root, "hello", "1.0");
  await writeIndexes(root, new Date("2026-11-02T00:00:00Z"));
  await using node = await TestNode.make(repo("ubuntu", root));
  await good(node);
  await writeIndexes(root, new Date("2026-11-01T00:00:00Z"));
  const older = await node.sync();
  assertEquals(older.code, 1);
  assertMatch(
    older.stderr,
    /went back in time: its dists\/stable\/Release says 2026-11-01T00:00:00Z, ours 2026-11-02/,
  );
  await writeIndexes(root, new Date("2026-11-03T00:00:00Z"));
  await Deno.writeTextFile(
    root + "/dists/stable/main/binary-amd64/Packages.gz",
    "not what Release says",
  );
  const lying = await node.sync();
  assertEquals(lying.code, 1);
  assertMatch(
    lying.stderr,
    /binary-amd64\/Packages\.gz has 21 bytes, not \d+ \(dists\/stable\/Release\)/,
  );
  await writeIndexes(root, new Date("2026-11-04T00:00:00Z"));
  await good(node);
  await good(node, "--verify");
});

Deno.test("alpine: an APKINDEX that names what is not there is not published", async () => {
  await using dir = await tempDir();
  const root = dir.path + "/up", main = root + "/v3.24/main/x86_64";
  await Deno.mkdir(main, { recursive: true });
  const index = async (records: string, time: number) => {
    await Deno.writeTextFile(dir.path + "/APKINDEX", records);
    await new Deno.Command("tar", {
      args: ["-czf", main + "/APKINDEX.tar.gz", "APKINDEX"],
      cwd: dir.path,
    }).output();
    await Deno.writeTextFile(root + "/last-updated", `${time}\n`);
    await Deno.utime(main + "/APKINDEX.tar.gz", time, time);
  };
  await Deno.writeTextFile(main + "/musl-1-r0.apk", "1234567890");
  await index("P:musl\nV:1-r0\nS:10\n\n", 1790000000);
  await using node = await TestNode.make(repo("alpine", root));
  await good(node);
  await good(node, "--verify");
  await index("P:musl\nV:2-r0\nS:10\n\n", 1790000060);
  const { code, stderr } = await node.sync();
  assertEquals(code, 1);
  assertMatch(stderr, /v3\.24\/main\/x86_64\/musl-2-r0\.apk is missing/);
  await Deno.writeTextFile(main + "/musl-2-r0.apk", "1234567890");
  await good(node);
  assertEquals(await snapshot(node.tree("r")), await snapshot(root));
});

Deno.test("fedora, el: repomd.xml comes after what it names, metadata and packages", async () => {
  for (const profile of ["fedora", "el"]) {
    await using dir = await tempDir();
    const root = dir.path + "/up", base = root + "/updates/44/x86_64";
    await Deno.mkdir(base + "/Packages/h", { recursive: true });
    await Deno.mkdir(base + "/repodata");
    const metadata = async (rpm: string, bytes: number, revision: number) => {
      for await (const old of Deno.readDir(base + "/repodata")) {
        await Deno.remove(`${base}/repodata/${old.name}`);
      }
      const primary = `${base}/repodata/${revision}-primary.xml`;
      await Deno.writeTextFile(
        primary,
        `<metadata>\n<package type="rpm">\n<size package="${bytes}"/>\n<location href="Packages/h/${rpm}"/>\n</package>\n</metadata>`,
      );
      await new Deno.Command("zstd", { args: ["-q", "--rm", primary] }).output();
      const { size } = await Deno.stat(primary + ".zst");
      await Deno.writeTextFile(
        base + "/repodata/repomd.xml",
        `<repomd><revision>${revision}</revision><data type="primary"><location href="repodata/${revision}-primary.xml.zst"/>` +
          `<size>${size}</size></data></repomd>`,
      );
    };
    await Deno.writeTextFile(base + "/Packages/h/h-1.rpm", "12345");
    await metadata("h-1.rpm", 5, 100);
    await using node = await TestNode.make(repo(profile, root));
    await good(node);
    await metadata("h-2.rpm", 5, 101);
    const lacking = await node.sync();
    assertEquals(lacking.code, 1);
    assertMatch(
      lacking.stderr,
      /Packages\/h\/h-2\.rpm is missing \(updates\/44\/x86_64\/repodata\/101-primary/,
    );
    await Deno.writeTextFile(base + "/Packages/h/h-2.rpm", "12345");
    await good(node);
    await metadata("h-2.rpm", 5, 99);
    assertMatch((await node.sync()).stderr, /went back in time: its .*repomd\.xml says/);
    await metadata("h-2.rpm", 5, 102);
    await good(node);
    await good(node, "--verify");
    assertEquals(await snapshot(node.tree("r")), await snapshot(root));
  }
});

Deno.test("generic: any tree, deletions included; two repositories, one at /", async () => {
  await using dir = await tempDir();
  const root = dir.path + "/up";
  await Deno.mkdir(root + "/docs", { recursive: true });
  await Deno.mkdir(root + "/pub/other", { recursive: true });
  for (const name of ["a", "b", "docs/c", "pub/other/theirs"]) {
    await Deno.writeTextFile(`${root}/${name}`, name);
  }
  await Deno.mkdir(dir.path + "/small");
  await Deno.writeTextFile(dir.path + "/small/ours", "ours");
  const at = `path = "/"\n`;
  await using node = await TestNode.make(
    repo("generic", root, at) +
      `\n[[repo]]\nname = "s"\npath = "/pub/other/"\nprofile = "generic"\nupstream = ["${dir.path}/small"]\n`,
  );
  await good(node);
  const tree = node.path("static");
  const expected = ["a 1", "b 1", "docs/", "docs/c 6", "pub/", "pub/other/", "pub/other/ours 4"];
  assertEquals(await snapshot(tree), expected);
  await Deno.remove(root + "/a");
  await Deno.remove(root + "/pub", { recursive: true });
  await good(node);
  assertEquals(await snapshot(tree), expected.slice(1));
  assertMatch(await good(node, "--force", "r"), /nothing changed/);
});

Deno.test("check: a URL that answers the marker ends the run; an unknown answer is asked of the upstream", async () => {
  await using dir = await tempDir();
  const root = dir.path + "/up";
  await Deno.mkdir(root + "/core/os/x86_64", { recursive: true });
  for (const name of ["lastupdate", "lastsync"]) {
    await Deno.writeTextFile(`${root}/${name}`, "1790000000\n");
  }
  await Deno.writeTextFile(root + "/file", "x");
  let answer = () => new Response("1790000000\n");
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => answer(),
  );
  await using node = await TestNode.make(
    repo("arch", root, `check = "http://127.0.0.1:${server.addr.port}/lastupdate"\n`),
  );
  await good(node);
  // The URL still says the same: the file that came since is not even looked for, only lastsync is.
  await Deno.writeTextFile(root + "/new", "y");
  await Deno.writeTextFile(root + "/lastupdate", "1790000060\n");
  await Deno.writeTextFile(root + "/lastsync", "1790000099\n");
  assertMatch(await good(node), /nothing changed/);
  assertEquals(await Deno.readTextFile(node.tree("r") + "/lastsync"), "1790000099\n");
  assertEquals((await snapshot(node.tree("r"))).includes("new 1"), false);
  const unknown = [
    () => new Response("no such page", { status: 404 }),
    () => new Response("x".repeat(2_000_000)),
    () => new Response("<html>moved</html>"),
  ];
  for (const [i, odd] of unknown.entries()) {
    answer = odd;
    const said = await good(node);
    assertEquals(/unknown whether anything changed: http/.test(said), i < 2, said);
  }
  assert((await snapshot(node.tree("r"))).includes("new 1"));
});
