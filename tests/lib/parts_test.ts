/** The small shared parts: locks, whole files, programs, schedules, the change list's hand-over. */
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { writeChanges } from "../../formats/changes.ts";
import { Failure, UsageError } from "../../scripts/lib/cli.ts";
import type { Config } from "../../scripts/lib/config.ts";
import { exists, readText, writeWhole } from "../../scripts/lib/files.ts";
import { isLocked, takeLock } from "../../scripts/lib/lock.ts";
import { NO_PROGRAM, run, tied } from "../../scripts/lib/run.ts";
import { checkSchedules, fixMinute, nextRun, stableMinute } from "../../scripts/lib/schedule.ts";
import {
  addChanges,
  dropChanges,
  openStorage,
  repoFiles,
  takeChanges,
} from "../../scripts/lib/storage.ts";
import { tempDir } from "../helpers/node.ts";

Deno.test("takeLock: a second owner is told who and since when, and may when the first lets go", async () => {
  await using dir = await tempDir();
  const path = dir.path + "/x.lock";
  {
    using _lock = await takeLock(path, "The work");
    const failure = await assertRejects(() => takeLock(path, "The work"), Failure);
    assertEquals(failure.exitCode, 75);
    assertMatch(
      failure.message,
      new RegExp(`The work is at work already: process ${Deno.pid} since 20`),
    );
  }
  using _again = await takeLock(path, "The work");
});

Deno.test("isLocked: true only while somebody holds it; looking makes no file", async () => {
  await using dir = await tempDir();
  const path = dir.path + "/x.lock";
  assertEquals(await isLocked(path), false);
  assertEquals(await exists(path), false);
  {
    using _lock = await takeLock(path, "The work");
    assertEquals(await isLocked(path), true);
  }
  assertEquals(await isLocked(path), false);
});

Deno.test("checkSchedules: a pattern that croner does not take is named", () => {
  const check = (schedule?: string) => () =>
    checkSchedules({ file: "f", repos: [{ name: "a", schedule }] as Config["repos"] });
  for (const good of [undefined, "17 * * * *", "~ */6 * * *", "0 3 1 1 MON"]) check(good)();
  const { message } = assertThrows(check("61 * * * *"), UsageError);
  assertMatch(message, /^f: schedule = "61 \* \* \* \*" of a is not allowed; .*minute: 61/);
});

Deno.test("tied: a program whose parent is not who started it any more does not begin", async () => {
  await using dir = await tempDir();
  const touch = (name: string) => tied({ command: "touch", args: [`${dir.path}/${name}`] });
  const start = (command: string, args: string[]) => new Deno.Command(command, { args }).output();
  const own = touch("own"), orphan = touch("orphan");
  await start(own.command, own.args);
  // As after a parent that was killed between its fork and setpriv's call: somebody else is the parent.
  await start("sh", ["-c", '"$@"; :', "sh", orphan.command, ...orphan.args]);
  assertEquals((await Array.fromAsync(Deno.readDir(dir.path))).map(({ name }) => name), ["own"]);
});

Deno.test("run: a program that is not there, its code", async () => {
  assertEquals((await run({ command: "no-such-program", args: [] })).code, NO_PROGRAM);
});

Deno.test("writeWhole: replaces, makes folders, leaves nothing beside", async () => {
  await using dir = await tempDir();
  const path = dir.path + "/a/b";
  await writeWhole(path, "one");
  await writeWhole(path, "two");
  assertEquals(await readText(path), "two");
  assertEquals((await Array.fromAsync(Deno.readDir(dir.path + "/a"))).length, 1);
  await Deno.mkdir(dir.path + "/c/d", { recursive: true });
  await assertRejects(() => writeWhole(dir.path + "/c", "x"));
  assertEquals((await Array.fromAsync(Deno.readDir(dir.path))).length, 2);
});

Deno.test("run: lines, stderr, exit codes, signals, input", async () => {
  const lines: string[] = [];
  const onLine = (line: string) => lines.push(line);
  const result = await run({
    command: "sh",
    args: ["-c", "printf 'a\\rb\\n\\nc'; echo no >&2; exit 3"],
  }, { onLine });
  assertEquals([result, lines], [{ code: 3, signal: null, stderr: "no\n" }, ["a", "b", "", "c"]]);
  const echoed: string[] = [];
  const input = new TextEncoder().encode("x\ny\n");
  await run({ command: "cat", args: [] }, { input, onLine: (l) => echoed.push(l) });
  assertEquals(echoed, ["x", "y"]);
  const stop = AbortSignal.abort();
  assertEquals((await run({ command: "sleep", args: ["60"] }, { signal: stop })).signal, "SIGTERM");
});

Deno.test("run: a program that reads nothing any more is ended", async () => {
  const result = await run({ command: "sleep", args: ["60"] }, { stalledAfterSeconds: 0.4 });
  assertEquals([result.stalled, result.signal], [true, "SIGTERM"]);
});

Deno.test("run: children of a killed program are ended, and do not hold up the result", async () => {
  const script = "sleep 60 & echo $!; kill -KILL $$";
  let orphan = "";
  const started = performance.now();
  const result = await run({ command: "sh", args: ["-c", script] }, {
    onLine: (l) => orphan ||= l,
  });
  assertEquals(result.signal, "SIGKILL");
  assert(performance.now() - started < 10_000);
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "stat=", "-p", orphan] }).output();
  assertMatch(new TextDecoder().decode(stdout), /^(?:Z.*\n)?$/, "gone, or waiting to be reaped");
});

Deno.test("stableMinute, fixMinute: the same for the same host and job, spread over the hour", () => {
  const minutes = new Set<number>();
  for (let i = 0; i < 500; i++) minutes.add(stableMinute(`host${i}/arch`));
  assert(minutes.size > 50 && Math.max(...minutes) < 60);
  const fixed = fixMinute("~ * * * *", "m.example.org", "arch");
  assertEquals(fixed, fixMinute("~ * * * *", "m.example.org", "arch"));
  assertMatch(fixed, /^\d+ \* \* \* \*$/);
  assertEquals(fixMinute("17 * * * *", "x", "y"), "17 * * * *");
});

Deno.test("nextRun: after now", () => {
  const now = new Date("2026-11-21T23:50:00Z");
  assertEquals(nextRun("55 * * * *", now), now.getTime() / 1000 + 300);
});

Deno.test("takeChanges, dropChanges: what is taken comes again until it is dropped", async () => {
  await using dir = await tempDir();
  const files = repoFiles(dir.path, { name: "a", path: "/a/" });
  assertEquals(await takeChanges(files), undefined);
  await addChanges(files, ["x", "y"]);
  assertEquals(await takeChanges(files), new Set(["x", "y"]));
  await addChanges(files, ["z"]);
  assertEquals(await takeChanges(files), new Set(["x", "y", "z"]));
  await dropChanges(files);
  assertEquals(await takeChanges(files), undefined);
  assertEquals(writeChanges([]), "");
  await addChanges(files, []);
  assertEquals(await exists(files.changes), false);
});

Deno.test("openStorage: a file where a folder should be, one clear message", async () => {
  await using dir = await tempDir();
  await openStorage(dir.path + "/data");
  await Deno.remove(dir.path + "/data/static");
  await Deno.writeTextFile(dir.path + "/data/static", "");
  const failure = await assertRejects(() => openStorage(dir.path + "/data"), Failure);
  assertMatch(failure.message, /data\/static: it is not a directory/);
});
