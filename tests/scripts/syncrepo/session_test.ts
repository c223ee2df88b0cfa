import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Failure, Log } from "../../../scripts/lib/cli.ts";
import { readConfig } from "../../../scripts/lib/config.ts";
import { type Run, run } from "../../../scripts/lib/run.ts";
import { exitCode, syncRepo } from "../../../scripts/syncrepo/session.ts";
import { withoutUser } from "../../../scripts/syncrepo/source.ts";
import { backoff } from "../../../scripts/syncrepo/upstreams.ts";
import { tempDir } from "../../helpers/node.ts";

Deno.test("backoff: doubles up to 15 minutes, with full jitter", () => {
  assertEquals([1, 2, 3, 6, 20].map((n) => backoff(n, 30, () => 1)), [30, 60, 120, 900, 900]);
  assertEquals(backoff(3, 30, () => 0), 0);
});

Deno.test("exitCode: 75 only if all were busy", () => {
  const busy = new Failure("x", "", 75), failed = new Failure("x");
  assertEquals([[], [busy], [busy, failed], [failed]].map(exitCode), [0, 75, 1, 1]);
});

Deno.test("withoutUser: no user or password in what is shown", () => {
  assertEquals(withoutUser("rsync://me:secret@h/m/"), "rsync://h/m/");
  assertEquals(withoutUser("/a@b/"), "/a@b/");
});

/** A sync from two upstreams that never answer; what was run and how long it paused. */
async function hopeless(more: string) {
  await using dir = await tempDir();
  const config = readConfig(
    `[site]\nname = "m"\n[[repo]]\nname = "a"\nprofile = "generic"\n` +
      `upstream = ["rsync://one/m/", "rsync://two/m/"]\n${more}`,
    "f",
    dir.path,
  );
  const asked: string[] = [], pauses: number[] = [];
  let now = 1_000_000;
  const run: Run = (program) => {
    asked.push(program.args.at(-2)!);
    return Promise.resolve({ code: 10, signal: null, stderr: "failed to connect\n" });
  };
  const world = {
    run,
    log: new Log(0, () => {}),
    signal: new AbortController().signal,
    now: () => now,
    random: () => 1,
    sleep: (seconds: number) => {
      pauses.push(seconds);
      now += seconds;
      return Promise.resolve();
    },
  };
  const failure = await assertRejects(
    () => syncRepo(config, config.repos[0], { force: false }, world),
    Failure,
  );
  return { asked, pauses, failure };
}

Deno.test("syncRepo: every upstream in order, round after round with growing pauses", async () => {
  const { asked, pauses, failure } = await hopeless(`retries = 3`);
  const round = ["rsync://one/m/", "rsync://two/m/"];
  assertEquals(asked, [...round, ...round, ...round, ...round]);
  assertEquals(pauses, [30, 60, 120]);
  assertMatch(
    failure.message,
    /a: the upstream could not be listed: the connection failed \(rsync exit 10: failed to connect\)/,
  );
});

Deno.test("syncRepo: no pause beyond the time limit", async () => {
  const { pauses } = await hopeless(`retries = 50\ntime_limit = "200 s"`);
  assertEquals(pauses, [30, 60]);
});

Deno.test("syncRepo: what is not safe on the disk is not published", async () => {
  await using dir = await tempDir();
  const up = `${dir.path}/up`, static_ = `${dir.path}/static/a`;
  await Deno.mkdir(up);
  await Deno.writeTextFile(`${up}/old`, "1");
  const config = readConfig(
    `[site]\nname = "m"\n[[repo]]\nname = "a"\nprofile = "generic"\nupstream = ["${up}/"]\nretries = 0\n`,
    "f",
    dir.path,
  );
  for (const room of ["static", "indexes", "state"]) await Deno.mkdir(`${dir.path}/${room}`);
  const sync = (disk: "good" | "bad") => {
    const broken = { code: 1, signal: null, stderr: "sync: error syncing: Input/output error\n" };
    const onDisk: Run = (program, options) =>
      disk === "bad" && program.command === "sync"
        ? Promise.resolve(broken)
        : run(program, options);
    const world = {
      run: onDisk,
      log: new Log(0, () => {}),
      signal: new AbortController().signal,
      random: () => 1,
    };
    return syncRepo(config, config.repos[0], { force: false }, world);
  };
  await sync("good");
  await Deno.writeTextFile(`${up}/old`, "22");
  const failure = await assertRejects(() => sync("bad"), Failure);
  assertMatch(failure.message, /a: cannot write to .*: sync: error syncing: Input\/output error/);
  assertEquals(await Deno.readTextFile(`${static_}/old`), "1");
  await sync("good");
  assertEquals(await Deno.readTextFile(`${static_}/old`), "22");
});
