/** Upstreams that break, lie and change: what is served stays complete, and a healthy run heals it. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ArchTree, incomplete, snapshot } from "../helpers/arch.ts";
import { type Done, tempDir, TestNode } from "../helpers/node.ts";
import { Relay } from "../helpers/relay.ts";
import { startRsyncDaemon } from "../../scripts/demo/rsyncd.ts";

/** A node that has synced once from an upstream behind a relay, over a real rsync daemon. */
async function scene(options: { extra?: string; packages?: number; bytes?: number } = {}) {
  const stack = new AsyncDisposableStack();
  const dir = stack.use(await tempDir());
  const up = new ArchTree(dir.path + "/up");
  await Deno.mkdir(up.root);
  await up.fill(options.packages ?? 12, options.bytes ?? 2000);
  const daemon = await startRsyncDaemon(dir.path, { arch: up.root });
  stack.defer(daemon.stop);
  const relay = stack.use(new Relay(daemon.port));
  const repo = `[[repo]]\nname = "arch"\nprofile = "arch"\nretries = 0\nio_timeout = "2 s"\n` +
    `max_delete = { percent = 30 }\n`;
  const node = stack.use(
    await TestNode.make(
      `${repo}upstream = ["rsync://127.0.0.1:${relay.port}/arch/"]\n${options.extra ?? ""}`,
    ),
  );
  assertDone(await node.sync());
  return { up, relay, node, dir: dir.path, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function assertDone({ code, stderr }: Done, expected = 0) {
  assertEquals(code, expected, stderr);
}

type Scene = Awaited<ReturnType<typeof scene>>;

/** The run fails as `message` says, what is served stays complete, and nothing of it is lost. */
async function assertRefused({ node }: Scene, message: RegExp, before: string[]) {
  const done = await node.sync();
  assertDone(done, 1);
  assertMatch(done.stderr, message);
  const status = await node.status();
  assertEquals(status.outcome, "failed");
  assertMatch(status.lastError!.message, message);
  assertEquals(await incomplete(node.tree()), []);
  const after = new Set(await snapshot(node.tree(), /\.~tmp~/));
  assertEquals(before.filter((line) => !after.has(line)), [], "nothing that was served is gone");
}

/** After a run the tree is what the upstream has, and nothing of ours lies about. */
async function assertHealed({ node, up }: Scene, ...args: string[]) {
  assertDone(await node.sync(...args));
  assertEquals(await snapshot(node.tree()), await snapshot(up.root, /^hostile/));
  assertEquals(await incomplete(node.tree()), []);
  assertDone(await node.sync("--verify"));
}

const served = (s: Scene) => snapshot(s.node.tree());

Deno.test("syncrepo: an upstream that becomes empty, nothing is deleted", async () => {
  await using s = await scene();
  const before = await served(s);
  await Deno.rename(s.up.root, s.up.root + ".away");
  await Deno.mkdir(s.up.root);
  await assertRefused(s, /lists no file at all/, before);
  await Deno.remove(s.up.root);
  await Deno.rename(s.up.root + ".away", s.up.root);
  await assertHealed(s);
});

Deno.test("syncrepo: an upstream that is not there, nothing is deleted", async () => {
  await using s = await scene();
  const before = await served(s);
  await Deno.rename(s.up.root, s.up.root + ".away");
  await assertRefused(s, /rsync exit/, before);
  await Deno.rename(s.up.root + ".away", s.up.root);
  await assertHealed(s);
});

Deno.test("syncrepo: an upstream that loses 60 % of its packages, the plan is refused whole", async () => {
  await using s = await scene();
  const before = await served(s);
  for (const pkg of [...s.up.packages.values()].slice(0, 7)) await s.up.drop(pkg);
  await s.up.commit();
  await assertRefused(s, /lacks 14 files of our 29 \(48 %\); max_delete allows 8/, before);
  const { stderr } = await s.node.sync();
  assertMatch(stderr, /--allow-delete 14/);
  assertMatch(stderr, /It would delete core\/os\/x86_64\/pkg5-1-1-any/);
  const dry = await s.node.sync("--dry-run");
  assertEquals(dry.code, 1);
  assertMatch(dry.stdout, /^- pool\/packages\/pkg0-1-1-any\.pkg\.tar\.zst$/m);
  assertDone(await s.node.sync("--allow-delete", "13"), 1);
  await assertHealed(s, "--allow-delete", "14");
});

Deno.test("syncrepo: packages lost upstream but named by its databases, they are kept here", async () => {
  await using s = await scene();
  const [pkg] = s.up.packages.values();
  await s.up.drop(pkg, false);
  await s.up.mark();
  assertDone(await s.node.sync());
  assertEquals((await s.node.status()).kept, 2);
  assertEquals(await incomplete(s.node.tree()), []);
  s.up.packages.delete(`${pkg.repo}/${pkg.name}`);
  await s.up.commit();
  await assertHealed(s);
});

Deno.test("syncrepo: a tree that was there before, what its databases name is kept from the first run on", async () => {
  await using s = await scene();
  // As if another program had filled it: complete, but never opened by us.
  await Deno.remove(s.node.path("state/arch.ready"));
  const [pkg] = s.up.packages.values();
  await s.up.drop(pkg, false);
  await s.up.mark();
  assertDone(await s.node.sync());
  assertEquals((await s.node.status()).kept, 2);
  assertEquals(await incomplete(s.node.tree()), []);
});

Deno.test("syncrepo: an upstream that went back in time, it is passed over", async () => {
  await using s = await scene();
  await s.up.update(["core/pkg1"]);
  assertDone(await s.node.sync());
  const before = await served(s);
  await s.up.mark(-100_000);
  await assertRefused(s, /went back in time: its lastupdate says/, before);
  const { config } = s.node;
  // With a second upstream that is up to date, the run goes on there.
  const good = s.dir + "/good";
  await new Deno.Command("cp", { args: ["-a", s.up.root, good] }).output();
  await Deno.writeTextFile(good + "/lastupdate", `${s.up.clock + 200_000}\n`);
  await Deno.writeTextFile(
    config,
    (await Deno.readTextFile(config)).replace(/upstream = \[(.*)\]/, `upstream = [$1, "${good}/"]`),
  );
  const done = await s.node.sync();
  assertDone(done);
  assertMatch(done.stderr, /went back in time/);
  assertEquals((await s.node.status()).upstream, good + "/");
});

Deno.test("syncrepo: a database that names what the upstream lacks, the old one stays", async () => {
  await using s = await scene();
  const before = await served(s);
  const ghost = await s.up.put("core", "ghost");
  await s.up.commit();
  await s.up.drop(ghost, false);
  await assertRefused(
    s,
    /not complete: core\/os\/x86_64\/ghost-1-1-any\.pkg\.tar\.zst is missing/,
    before,
  );
  await s.up.put("core", "ghost");
  await s.up.commit();
  await assertHealed(s);
});

Deno.test("syncrepo: a database that is garbage, the old one stays", async () => {
  await using s = await scene();
  const before = await served(s);
  await Deno.writeTextFile(s.up.path("core/os/x86_64/core.db.tar.gz"), "this is no tar file");
  await s.up.mark();
  await assertRefused(s, /core\.db\.tar\.gz cannot be read/, before);
  await s.up.commit();
  await assertHealed(s);
});

Deno.test("syncrepo: a package that was truncated upstream, ours stays whole", async () => {
  await using s = await scene();
  const before = await served(s);
  await Deno.truncate(s.up.path("pool/packages/pkg1-1-1-any.pkg.tar.zst"), 100);
  await s.up.mark();
  await assertRefused(s, /pkg1-1-1-any\.pkg\.tar\.zst has 100 bytes, not 2000/, before);
  await Deno.remove(s.up.path("pool/packages/pkg1-1-1-any.pkg.tar.zst"));
  await Deno.remove(s.up.path("core/os/x86_64/pkg1-1-1-any.pkg.tar.zst"));
  await s.up.put("core", "pkg1");
  await s.up.commit();
  await assertHealed(s);
});

Deno.test("syncrepo: a package that became a folder upstream, ours stays", async () => {
  await using s = await scene();
  const before = await served(s);
  const pool = s.up.path("pool/packages/pkg1-1-1-any.pkg.tar.zst");
  const content = await Deno.readFile(pool);
  await Deno.remove(pool);
  await Deno.mkdir(pool);
  await Deno.writeTextFile(pool + "/inside", "x");
  await s.up.mark();
  await assertRefused(s, /pkg1-1-1-any\.pkg\.tar\.zst is missing/, before);
  await Deno.remove(pool, { recursive: true });
  await Deno.writeFile(pool, content);
  await s.up.commit();
  await assertHealed(s);
});

Deno.test("syncrepo: folders become files, links become folders and back, the tree follows", async () => {
  await using s = await scene();
  const at = (path: string) => s.up.path("iso", path);
  await Deno.mkdir(at("a/deep"), { recursive: true });
  await Deno.writeTextFile(at("a/deep/file"), "1");
  await Deno.writeTextFile(at("b"), "2");
  await Deno.symlink("a", at("c"));
  await s.up.mark();
  await assertHealed(s);
  await Deno.remove(at("a"), { recursive: true });
  await Deno.writeTextFile(at("a"), "now a file");
  await Deno.remove(at("b"));
  await Deno.mkdir(at("b/x"), { recursive: true });
  await Deno.writeTextFile(at("b/x/y"), "now a folder");
  await Deno.remove(at("c"));
  await Deno.mkdir(at("c"));
  await Deno.writeTextFile(at("c/z"), "now a folder");
  await s.up.mark();
  await assertHealed(s);
  await Deno.remove(at("b"), { recursive: true });
  await Deno.symlink("c", at("b"));
  await s.up.mark();
  await assertHealed(s);
  assertEquals(await Deno.readTextFile(s.node.tree() + "/iso/b/z"), "now a folder");
});

Deno.test("syncrepo: links that lead out, devices and pipes, they never arrive", async () => {
  await using s = await scene();
  const at = (name: string) => s.up.path("hostile", name);
  await Deno.mkdir(at(""), { recursive: true });
  await Deno.symlink("../../../../../etc/passwd", at("up"));
  await Deno.symlink("/etc/passwd", at("absolute"));
  await Deno.symlink("../pool", at("inside"));
  await new Deno.Command("mkfifo", { args: [at("pipe")] }).output();
  await new Deno.Command("mknod", { args: [at("null"), "c", "1", "3"] }).output();
  await Deno.writeTextFile(at("setuid"), "x");
  await Deno.chmod(at("setuid"), 0o4777);
  await s.up.mark();
  assertDone(await s.node.sync());
  const tree = s.node.tree() + "/hostile";
  assertEquals(await snapshot(tree), ["inside -> ../pool", "setuid 1"]);
  assertEquals((await Deno.stat(tree + "/setuid")).mode! & 0o7777, 0o755);
});

Deno.test("syncrepo: names with every odd byte, they arrive and go as they are", async () => {
  await using s = await scene();
  const dir = s.up.path("hostile");
  const script = String.raw`
    mkdir -p "$1/"; cd "$1/"
    for n in ' lead' 'trail ' 'q"uo'\''te' '<b>&amp;' '100%' '#hash' ';semi' '?q=1' 'a\#012b' 'back\slash' '-rf' '~' '$(id)' \
      "$(printf 'new\nline')" "$(printf 'tab\tin')" "$(printf 'esc\033[31m')" "$(printf 'bad\377\376')" "$(printf 'caf\303\251')" \
      "$(head -c 255 /dev/zero | tr '\0' x)"; do printf x > "./$n"; mkdir -p "./$n.d"; printf y > "./$n.d/f" 2>/dev/null; done; true`;
  await new Deno.Command("sh", { args: ["-c", script, "sh", dir] }).output();
  const list = async (root: string) => {
    const args = ["-c", "find . -printf '%y %s %p\\0' | sort -z", "sh"];
    const { stdout } = await new Deno.Command("sh", { args, cwd: root, env: { LC_ALL: "C" } })
      .output();
    return new TextDecoder("latin1").decode(stdout).replace(/d \d+ /g, "d ").split("\0");
  };
  await s.up.mark();
  assertDone(await s.node.sync());
  const expected = await list(dir);
  assert(expected.length > 55);
  assertEquals(await list(s.node.tree() + "/hostile"), expected);
  assertDone(await s.node.sync("--force"));
  assertEquals((await s.node.status()).outcome, "unchanged");
  await Deno.remove(dir, { recursive: true });
  await s.up.mark();
  await assertHealed(s, "--allow-delete", "100");
});

Deno.test("syncrepo: a line that is cut, each time a bit later, nothing breaks and it gets there", async () => {
  await using s = await scene({ bytes: 60_000 });
  await s.up.update(["core/pkg1", "core/pkg2", "extra/pkg0", "extra/pkg3"]);
  for (const cutAfter of [0, 100, 1000, 3000, 30_000, 70_000, 130_000]) {
    s.relay.mood = { cutAfter };
    const done = await s.node.sync();
    assertDone(done, 1);
    assertMatch(done.stderr, /rsync exit (?:5|10|12|30|35)/);
    assertEquals(await incomplete(s.node.tree()), []);
  }
  s.relay.mood = {};
  await assertHealed(s);
});

Deno.test("syncrepo: a line that stalls, the run ends after io_timeout and the next one heals", async () => {
  await using s = await scene({ bytes: 60_000 });
  await s.up.update(["core/pkg1", "core/pkg2"]);
  s.relay.mood = { stallAfter: 5000 };
  const done = await s.node.sync();
  assertDone(done, 1);
  assertMatch(done.stderr, /no data came for the time allowed|rsync exit/);
  assertEquals(await incomplete(s.node.tree()), []);
  s.relay.mood = {};
  await assertHealed(s);
});

Deno.test("syncrepo: an upstream that refuses, it is tried again and then given up", async () => {
  await using s = await scene({ extra: "" });
  s.relay.mood = { refuse: true };
  const before = s.relay.connections;
  const config = (await Deno.readTextFile(s.node.config)).replace(
    "retries = 0",
    'retries = 2\nretry_delay = "0.05 s"',
  );
  await Deno.writeTextFile(s.node.config, config);
  const done = await s.node.sync();
  assertDone(done, 1);
  assertEquals(s.relay.connections - before, 3);
  assertMatch(done.stderr, /trying again in/);
  s.relay.mood = {};
  await s.up.update(["core/pkg1"]);
  await assertHealed(s);
});

Deno.test("syncrepo: an upstream that changes all the while, complete each time, then healed", async () => {
  await using s = await scene({ bytes: 60_000, extra: `bwlimit = "2m"\n` });
  let going = true;
  const names = [...s.up.packages.keys()];
  const churn = (async () => {
    for (let i = 0; going; i++) {
      await s.up.update([names[i % names.length], names[(i + 5) % names.length]]);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  })();
  try {
    for (let run = 0; run < 6; run++) {
      const { code, stderr } = await s.node.sync();
      assert(code === 0 || code === 1, stderr);
      assertEquals((await s.node.status()).outcome === "failed", code === 1);
      assertEquals(await incomplete(s.node.tree()), [], stderr);
    }
  } finally {
    going = false;
    await churn;
  }
  await assertHealed(s, "--allow-delete", "1000");
});
