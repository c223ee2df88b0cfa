/** Wrong configurations, names and storages: one clear message each, and nothing touched. */
import { assertEquals, assertMatch } from "@std/assert";
import { tempDir, TestNode } from "../helpers/node.ts";
import { ArchTree } from "../helpers/arch.ts";

const repo = (upstream: string, more = "") =>
  `[[repo]]\nname = "archlinux"\nprofile = "arch"\nretries = 0\nupstream = ["${upstream}"]\n${more}`;

Deno.test("syncrepo: a wrong configuration, exit 2, nothing touched", async () => {
  await using node = await TestNode.make(repo("gopher://x/y"));
  const { code, stderr } = await node.sync();
  assertEquals(code, 2);
  assertMatch(
    stderr,
    /mirror\.toml: repo\[0\]\.upstream\[0\] = "gopher:\/\/x\/y" is not allowed; allowed is rsync:/,
  );
  assertEquals((await Array.fromAsync(Deno.readDir(node.dir))).map((e) => e.name), ["mirror.toml"]);
});

Deno.test("syncrepo: usage, each mistake is named with exit 2", async () => {
  await using node = await TestNode.make(repo("/nowhere/"));
  const table: [string[], RegExp][] = [
    [["archlinx"], /No repository "archlinx".*Did you mean archlinux\?/],
    [["--froce"], /Unknown option "--froce"\. Did you mean --force\?/],
    [["--allow-delete", "many"], /--allow-delete "many" is not allowed/],
    [["--config", "/nowhere.toml"], /No configuration at \/nowhere\.toml/],
  ];
  for (const [args, message] of table) {
    const { code, stderr } = await node.sync(...args);
    assertEquals([args, code], [args, 2], stderr);
    assertMatch(stderr, message);
  }
  assertEquals((await Array.fromAsync(Deno.readDir(node.dir))).map((e) => e.name), ["mirror.toml"]);
});

Deno.test("syncrepo: storage that can't be used, one message", async () => {
  await using node = await TestNode.make(repo("/nowhere/"));
  await Deno.mkdir(node.path());
  await Deno.writeTextFile(node.path("static"), "");
  const file = await node.sync();
  assertEquals(file.code, 1);
  assertMatch(
    file.stderr,
    /^error: Cannot use .*\/static: it is not a directory\.\n {2}hint: .*\n$/,
  );
  await Deno.remove(node.path("static"));
  await Deno.mkdir(node.path("static"));
  await Deno.writeTextFile(node.path("static/archlinux"), "");
  for (const flags of [[], ["--dry-run"]]) {
    const { code, stderr } = await node.sync(...flags);
    assertEquals(code, 1);
    assertMatch(stderr, /^error: Cannot use .*\/static\/archlinux: it is not a directory\./);
  }
  for (const room of ["static", "indexes", "state"]) {
    await Deno.remove(node.path(room), { recursive: true }).catch(() => {});
  }
  // As another user, who may read everything and write nothing.
  for (const path of [node.dir, node.path()]) await Deno.chmod(path, 0o755);
  await Deno.chmod(node.config, 0o644);
  const args = [
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    Deno.execPath(),
    "run",
    "-A",
    "--no-check",
  ];
  const script = new URL("../../scripts/syncrepo.ts", import.meta.url).pathname;
  const env = { MIRROR_CONFIG: node.config, MIRROR_DATA: node.path(), NO_COLOR: "1" };
  const { code, stderr } = await new Deno.Command("setpriv", { args: [...args, script], env })
    .output();
  const said = new TextDecoder().decode(stderr);
  assertEquals(code, 1, said);
  assertMatch(said, /Cannot write to .*\/static: permission denied for user id 65534/);
});

Deno.test("syncrepo: an upstream directory that is not there, exit 1 and the status says so", async () => {
  await using node = await TestNode.make(repo("/nowhere/"));
  const { code, stderr, stdout } = await node.sync("--json");
  assertEquals(code, 1);
  assertMatch(stderr, /\/nowhere\/.*No such file/);
  assertMatch(JSON.parse(stdout)[0].error, /No such file/);
  assertEquals((await node.status("archlinux")).outcome, "failed");
});

Deno.test("syncrepo: --json prints the status, --dry-run the plan, and touches nothing", async () => {
  await using dir = await tempDir();
  const up = new ArchTree(dir.path);
  await up.fill(3);
  await using node = await TestNode.make(repo(dir.path));
  const dry = await node.sync("--dry-run", "--json");
  assertEquals(dry.code, 0);
  const [plan] = JSON.parse(dry.stdout);
  assertEquals([
    plan.added,
    plan.deleted,
    plan.new.includes("pool/packages/pkg1-1-1-any.pkg.tar.zst"),
  ], [11, 0, true]);
  assertEquals((await Array.fromAsync(Deno.readDir(node.dir))).map((e) => e.name), ["mirror.toml"]);
  const done = await node.sync("--json", "--quiet");
  assertEquals([done.code, done.stderr, JSON.parse(done.stdout)[0].added], [0, "", 11]);
  const again = JSON.parse((await node.sync("--json")).stdout)[0];
  assertEquals([again.outcome, again.added], ["unchanged", 11]);
});

Deno.test("syncrepo: --init skips what is ready", async () => {
  await using dir = await tempDir();
  const up = new ArchTree(dir.path);
  await up.fill(3);
  await using node = await TestNode.make(repo(dir.path));
  assertEquals((await node.sync("--init")).code, 0);
  const first = await node.status("archlinux");
  await up.update(["core/pkg1"]);
  const again = await node.sync("--init");
  assertEquals(again.code, 0);
  assertMatch(again.stderr, /archlinux: is complete already; --init leaves it alone/);
  assertEquals(await node.status("archlinux"), first);
});

Deno.test("syncrepo: logs of the last twenty runs are kept", async () => {
  await using dir = await tempDir();
  const up = new ArchTree(dir.path);
  await up.fill(1);
  await using node = await TestNode.make(repo(dir.path));
  await Deno.mkdir(node.path("state/log"), { recursive: true });
  for (let i = 10; i < 35; i++) {
    await Deno.writeTextFile(node.path(`state/log/archlinux.202601${i}T000000Z.log`), "");
    await Deno.writeTextFile(node.path(`state/log/archlinux-extra.202601${i}T000000Z.log`), "");
  }
  await node.sync();
  const names = (await Array.fromAsync(Deno.readDir(node.path("state/log")))).map((e) => e.name);
  assertEquals(names.filter((n) => n.startsWith("archlinux.")).length, 20);
  assertEquals(names.filter((n) => n.startsWith("archlinux-extra.")).length, 25);
});

Deno.test("syncrepo: a tree that is empty all at once, its disk is asked for and nothing fetched", async () => {
  await using dir = await tempDir();
  const up = new ArchTree(dir.path);
  await up.fill(2);
  await using node = await TestNode.make(repo(dir.path));
  assertEquals((await node.sync()).code, 0);
  await Deno.remove(node.path("static/archlinux"), { recursive: true });
  await Deno.mkdir(node.path("static/archlinux"));
  const { code, stderr } = await node.sync("--force");
  assertEquals(code, 1);
  assertMatch(
    stderr,
    /static\/archlinux is empty, but 5 files were synced to it\n {2}hint: Is its disk mounted\?/,
  );
  assertEquals(await Array.fromAsync(Deno.readDir(node.path("static/archlinux"))), []);
  await Deno.remove(node.path("state/archlinux.ready"));
  assertEquals((await node.sync()).code, 0);
});

Deno.test("syncrepo: --verify --json has one shape, complete or not", async () => {
  await using dir = await tempDir();
  const up = new ArchTree(dir.path);
  await up.fill(3);
  await using node = await TestNode.make(repo(dir.path));
  await node.sync();
  const whole = await node.sync("--verify", "--json");
  assertEquals([whole.code, JSON.parse(whole.stdout)], [0, [
    { repo: "archlinux", complete: true, databases: 2, files: 3, gaps: [] },
  ]]);
  await Deno.remove(node.path("static/archlinux/pool/packages/pkg1-1-1-any.pkg.tar.zst"));
  const lacking = await node.sync("--verify", "--json");
  assertEquals(lacking.code, 1);
  const [{ complete, gaps }] = JSON.parse(lacking.stdout);
  assertEquals([complete, gaps[0].problem], [false, "is missing"]);
});
