/** Kills, full disks, signals and second instances: the promise holds at every moment. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { join } from "@std/path/posix";
import { ArchTree, incomplete, snapshot } from "../helpers/arch.ts";
import { tempDir, TestNode } from "../helpers/node.ts";
import { startRsyncDaemon } from "../../scripts/demo/rsyncd.ts";

async function scene(packages: number, bytes: number, extra = "") {
  const stack = new AsyncDisposableStack();
  const dir = stack.use(await tempDir());
  const up = new ArchTree(dir.path + "/up");
  await Deno.mkdir(up.root);
  await up.fill(packages, bytes);
  const daemon = await startRsyncDaemon(dir.path, { arch: up.root });
  stack.defer(daemon.stop);
  const node = stack.use(
    await TestNode.make(
      `[[repo]]\nname = "arch"\nprofile = "arch"\nretries = 0\nmax_delete = { percent = 100 }\n` +
        `upstream = ["${daemon.url}arch/"]\n${extra}`,
    ),
  );
  return { up, node, dir: dir.path, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Process ids of the rsync clients that work for a node. */
async function rsyncsOf(node: TestNode): Promise<number[]> {
  const { stdout } = await new Deno.Command("ps", { args: ["-eo", "pid=,args="] }).output();
  return new TextDecoder().decode(stdout).split("\n")
    .filter((line) => line.includes(node.dir) && /^\s*\d+ rsync /.test(line))
    .map((line) => parseInt(line));
}

async function noRsyncLeft(node: TestNode) {
  for (let tries = 0; (await rsyncsOf(node)).length > 0; tries++) {
    assert(tries < 100, "an rsync outlived the syncrepo that started it");
    await sleep(50);
  }
}

function kill(pid: number, signal: Deno.Signal) {
  try {
    Deno.kill(pid, signal);
  } catch { /* it has ended by itself */ }
}

async function output(child: Deno.ChildProcess) {
  const { code, stderr } = await child.output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

Deno.test("syncrepo: killed at 30 random moments of a changing sync, always complete, then healed", async () => {
  await using s = await scene(24, 40_000, `bwlimit = "20m"\n`);
  assertEquals((await s.node.sync()).code, 0);
  const names = [...s.up.packages.keys()];
  let cut = 0;
  for (let i = 0; i < 30; i++) {
    const some = names.filter((_, n) => (n + i) % 5 === 0);
    // The upstream changes while it is being synced, half of the time before and half during it.
    const change = sleep(i % 2 ? 200 : 0).then(() => s.up.update(some));
    if (i % 2 === 0) await change;
    const child = s.node.start("scripts/syncrepo.ts", "-q");
    const ended = output(child);
    await sleep(150 + Math.random() * 800);
    // Sometimes only its rsync is killed, sometimes syncrepo itself.
    if (i % 3 === 0) (await rsyncsOf(s.node)).forEach((pid) => kill(pid, "SIGKILL"));
    else kill(child.pid, "SIGKILL");
    if ((await ended).code !== 0) cut++;
    assertEquals(await incomplete(s.node.tree()), [], `after kill ${i}`);
    await change;
    await noRsyncLeft(s.node);
  }
  assert(cut >= 10 && cut < 30, `${cut} of 30 runs were cut: the moments miss the work`);
  const { code, stderr } = await s.node.sync();
  assertEquals(code, 0, stderr);
  assertEquals(await snapshot(s.node.tree()), await snapshot(s.up.root));
  assertEquals((await s.node.sync("--verify")).code, 0);
});

Deno.test("syncrepo: a file system that fills up, always complete, then healed", async () => {
  await using s = await scene(12, 60_000);
  const mount = async (...args: string[]) => {
    const { success, stderr } = await new Deno.Command(args[0], { args: args.slice(1) }).output();
    assert(success, new TextDecoder().decode(stderr));
  };
  await Deno.mkdir(s.node.path());
  await mount("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", s.node.path());
  try {
    assertEquals((await s.node.sync()).code, 0);
    const ballast = s.node.path("ballast");
    const names = [...s.up.packages.keys()];
    let failures = 0;
    for (const kept of [400, 300, 200, 120, 60, 20, 8, 4, 0]) {
      await s.up.update(names.slice(0, 6));
      await fill(ballast, kept * 1024);
      const done = await s.node.sync();
      assertEquals(await incomplete(s.node.tree()), [], `with ${kept} KiB free`);
      if (done.code !== 0) {
        failures++;
        assertMatch(done.stderr, /disk is (?:too )?full|No space left|Cannot write/);
      }
      await Deno.remove(ballast);
    }
    assert(failures >= 5, `only ${failures} runs met a full disk`);
    const { code, stderr } = await s.node.sync();
    assertEquals(code, 0, stderr);
    assertEquals(await snapshot(s.node.tree()), await snapshot(s.up.root));
  } finally {
    await mount("umount", s.node.path());
  }
});

/** Writes until the disk is full, then takes back `free` bytes. */
async function fill(path: string, free: number) {
  const args = ["if=/dev/zero", `of=${path}`, "bs=1024", "count=4096"];
  await new Deno.Command("dd", { args, stderr: "null" }).output();
  const { size } = await Deno.stat(path);
  await Deno.truncate(path, Math.max(0, size - free));
}

Deno.test("syncrepo: killed before it could tell the indexer, the next run names everything", async () => {
  await using s = await scene(6, 200_000, `bwlimit = "300k"\n`);
  const child = s.node.start("scripts/syncrepo.ts", "-q");
  const ended = output(child);
  while ((await rsyncsOf(s.node)).length === 0) await sleep(20);
  await sleep(700);
  kill(child.pid, "SIGKILL");
  await ended;
  assertEquals((await s.node.status()).outcome, "running");
  await s.node.configure(
    (await Deno.readTextFile(s.node.config)).replace(/^[\s\S]*?(?=\[\[repo)/, "").replace(
      "300k",
      "90m",
    ),
  );
  assertEquals((await s.node.sync()).code, 0);
  assertMatch(await Deno.readTextFile(s.node.path("state/arch.changes")), /^\/$/m);
});

Deno.test("syncrepo: two instances, the second exits 75 and says who holds the lock since when", async () => {
  await using s = await scene(6, 200_000, `bwlimit = "300k"\n`);
  const first = s.node.start("scripts/syncrepo.ts", "-q");
  const ended = output(first);
  while ((await rsyncsOf(s.node)).length === 0) await sleep(20);
  const second = await s.node.sync();
  assertEquals(second.code, 75);
  assertMatch(
    second.stderr,
    new RegExp(`A sync of arch is at work already: process ${first.pid} since 20`),
  );
  kill(first.pid, "SIGKILL");
  await ended;
  // Its owner is dead: the lock file is still there, and does not block.
  assert((await Deno.stat(s.node.path("state/arch.lock"))).isFile);
  assertEquals((await s.node.sync("--dry-run")).code, 0);
  await noRsyncLeft(s.node);
  const third = s.node.start("scripts/syncrepo.ts", "-q");
  const thirdEnded = output(third);
  while ((await rsyncsOf(s.node)).length === 0) await sleep(20);
  kill(third.pid, "SIGTERM");
  assertEquals((await thirdEnded).code, 1);
});

Deno.test("syncrepo: SIGTERM, rsync is stopped, parts are kept, the lock is free, the status is true", async () => {
  await using s = await scene(3, 900_000, `bwlimit = "500k"\n`);
  const child = s.node.start("scripts/syncrepo.ts");
  const ended = output(child);
  while ((await rsyncsOf(s.node)).length === 0) await sleep(20);
  await sleep(1500);
  kill(child.pid, "SIGTERM");
  const { code, stderr } = await ended;
  assertEquals(code, 1);
  assertMatch(stderr, /stopped by SIGTERM; what was fetched is kept/);
  assertEquals(await rsyncsOf(s.node), []);
  const status = await s.node.status();
  assertEquals(status.outcome, "failed");
  assertMatch(status.lastError!.message, /stopped by SIGTERM/);
  const kept = await Array.fromAsync(walkFiles(s.node.path("static")));
  assertNotEquals(kept.filter((path) => path.includes(".~tmp~/pkg")), []);
  await s.node.configure(
    (await Deno.readTextFile(s.node.config)).replace(/^[\s\S]*?(?=\[\[repo)/, "").replace(
      "500k",
      "90m",
    ),
  );
  assertEquals((await s.node.sync()).code, 0);
  assertEquals(await snapshot(s.node.tree()), await snapshot(s.up.root));
});

async function* walkFiles(dir: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(dir)) {
    const path = join(dir, entry.name);
    if (entry.isDirectory) yield* walkFiles(path);
    else yield path;
  }
}
