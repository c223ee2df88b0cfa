/** Counting logs: each line once, whatever happens to the file, and never an address. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path/posix";
import { trafficToday } from "../../../formats/traffic.ts";
import { readConfig } from "../../../scripts/lib/config.ts";
import { readNew } from "../../../scripts/statcat/tail.ts";
import { countLogs, newTraffic, TrafficCount } from "../../../scripts/statcat/traffic.ts";
import { tempDir } from "../../helpers/node.ts";

const REPOS = ["arch", "debian"].map((n) =>
  `[[repo]]\nname = "${n}"\nprofile = "generic"\nupstream = ["/u/"]\n`
).join("");
const configOf = (dir: string) => {
  const logs = `nginx = "${dir}/n.log", rsync = "${dir}/r.log", ftp = "${dir}/f.log"`;
  return readConfig(`[site]\nname = "m"\n[statcat]\nlogs = { ${logs} }\n${REPOS}`, "/m.toml", dir);
};
const NOW = Date.parse("2026-11-22T12:00:00Z") / 1000;
const line = (path: string, bytes = 10, time = "2026-11-22T11:59:00+00:00") =>
  `${time} HTTP/1.1 GET ${path} 200 ${bytes} 0.001 "-" "x" 192.0.2.77\n`;

Deno.test("readNew: every line once, over rotation, emptying in place, and half a line", async () => {
  await using dir = await tempDir();
  const log = join(dir.path, "a.log"), lines: string[] = [];
  let cursors = await readNew(log, [], (l) => lines.push(l));
  const read = async () => {
    lines.length = 0;
    cursors = await readNew(log, cursors, (l) => lines.push(l));
    return lines.join();
  };
  const add = (text: string, to = log) => Deno.writeTextFile(to, text, { append: true });
  assertEquals(cursors, []);
  await add("1\n2\nhal");
  assertEquals(await read(), "1,2");
  assertEquals(await read(), "");
  await add("f\n3\n");
  assertEquals(await read(), "half,3");
  // The server still writes to the old file after the rotation, and to the new one.
  await Deno.rename(log, log + ".1");
  await add("4\n", log + ".1");
  assertEquals(await read(), "4");
  await add("5\n", log + ".1");
  await add("6\n");
  assertEquals(await read(), "5,6");
  await add("late\n", log + ".1");
  assertEquals(await read(), "late");
  // Rotated again, compressed: what was read is not read again.
  await Deno.rename(log + ".1", log + ".2.gz");
  await Deno.rename(log, log + ".1");
  await add("seventh\n");
  assertEquals(await read(), "seventh");
  await Deno.remove(log + ".2.gz");
  // Emptied in place.
  await Deno.truncate(log);
  await add("8\n");
  assertEquals(await read(), "8");
  assertEquals(cursors.length, 2);
  // A line without end is no reason to hold it in memory.
  await add("x".repeat(300_000));
  await read();
  await add("\n9\n");
  assertEquals((await read()).endsWith("9"), true);
});

Deno.test("countLogs: totals, today's files, no address, and a day that ends", async () => {
  await using dir = await tempDir();
  const config = configOf(dir.path), file = join(dir.path, "traffic.json");
  const run = (now: number) => countLogs(config, file, now, () => {});
  await Deno.writeTextFile(
    join(dir.path, "n.log"),
    line("/arch/a-1-any.pkg.tar.zst", 100) + line("/arch/a-1-any.pkg.tar.zst", 100) +
      line("/arch/core.db", 5) + line("/debian/pool/b.deb", 7) + line("/nowhere", 1) +
      line("/arch/old.pkg.tar", 3, "2026-11-21T23:59:59+00:00") + "garbage\n",
  );
  await Deno.writeTextFile(join(dir.path, "r.log"), `${NOW} arch 0 1000\n`);
  const { lines, state } = await run(NOW);
  assertEquals([lines, state.unread], [8, 1]);
  assertEquals(state.counts, [
    { repo: "arch", protocol: "http", status: "2xx", requests: 4, bytes: 208 },
    { repo: "debian", protocol: "http", status: "2xx", requests: 1, bytes: 7 },
    { repo: "", protocol: "http", status: "2xx", requests: 1, bytes: 1 },
    { repo: "arch", protocol: "rsync", status: "ok", requests: 1, bytes: 1000 },
  ]);
  assertEquals(trafficToday(state, NOW), {
    repos: [
      { repo: "arch", protocol: "rsync", requests: 1, bytes: 1000 },
      { repo: "arch", protocol: "http", requests: 3, bytes: 205 },
      { repo: "debian", protocol: "http", requests: 1, bytes: 7 },
    ],
    packages: [
      { path: "/arch/a-1-any.pkg.tar.zst", requests: 2 },
      { path: "/debian/pool/b.deb", requests: 1 },
    ],
  });
  assertEquals(/192\.0\.2/.test(await Deno.readTextFile(file)), false);
  // Nothing new: nothing is counted twice. The next day begins at nothing, totals go on.
  assertEquals((await run(NOW)).state.counts, state.counts);
  const next = (await run(NOW + 86_400)).state;
  assertEquals([next.counts, next.today, next.files], [state.counts, [], {}]);
});

Deno.test("TrafficCount: of very many files the most requested are kept", () => {
  const count = new TrafficCount(configOf("/x"), newTraffic(NOW), NOW);
  const of = (path: string) =>
    count.add({ protocol: "http", status: "2xx", bytes: 1, time: NOW, path, file: true });
  for (let n = 0; n < 50; n++) of("/arch/often.deb");
  for (let n = 0; n < 30_000; n++) of(`/arch/once-${n}.deb`);
  const { files, counts } = count.state(NOW, {});
  assertEquals([Object.keys(files).length, files["/arch/often.deb"]], [2000, 50]);
  assertEquals(counts[0].requests, 30_050);
});
