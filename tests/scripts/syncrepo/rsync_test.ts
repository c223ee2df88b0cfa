import { assertEquals, assertMatch } from "@std/assert";
import {
  describeProgress,
  explainExit,
  type Item,
  patience,
  readItem,
  readProgress,
  readStats,
  rsync,
  type Source,
} from "../../../scripts/syncrepo/rsync.ts";
import { onlyVanished, Reporter } from "../../../scripts/syncrepo/transfer.ts";
import { Log } from "../../../scripts/lib/cli.ts";

const source = (upstream: string, more: Partial<Source> = {}): Source => ({
  upstream,
  exclude: ["/other"],
  protect: [],
  ioTimeoutSeconds: 600,
  tempDir: "/t",
  ...more,
});

Deno.test("rsync: command and connection flags by kind of upstream", () => {
  const flags = (url: string, more = {}) => {
    const { command, args } = rsync(source(url, more), "/to/", "T", "-r");
    return [
      command,
      ...args.filter((a) => /timeout|motd|password|^--bw/.test(a)),
      ...args.slice(-3),
    ];
  };
  assertEquals(flags("rsync://h/m/"), [
    "rsync",
    "--timeout=600",
    "--no-motd",
    "--contimeout=60",
    "--",
    "rsync://h/m/",
    "/to/",
  ]);
  assertEquals(flags("rsync-ssl://h/m/", { passwordFile: "/p" }), [
    "rsync-ssl",
    "--timeout=600",
    "--no-motd",
    "--password-file=/p",
    "--",
    "rsync://h/m/",
    "/to/",
  ]);
  assertEquals(flags("/a/dir/", { bwlimit: "5m" }), [
    "rsync",
    "--bwlimit=5m",
    "--",
    "/a/dir/",
    "/to/",
  ]);
  assertEquals(patience(source("/a/")), {});
  assertEquals(patience(source("rsync://h/m/")), { stalledAfterSeconds: 600 });
});

Deno.test("readItem: one table of lines", () => {
  const item = (more: Partial<Item>): Item => ({
    kind: "file",
    path: "a",
    dir: false,
    bytes: 0,
    created: false,
    content: true,
    ...more,
  });
  const table: [string, Item | undefined][] = [
    [">f+++++++++ 12 a@T@", item({ created: true, bytes: 12 })],
    [">f.st...... 12 a@T@", item({ bytes: 12 })],
    [".f..t...... 12 a@T@", item({ bytes: 12, content: false })],
    ["cd+++++++++ 4096 a/@T@", item({ kind: "dir", dir: true, bytes: 4096, created: true })],
    ["cL+++++++++ 3 a@T@ -> b c", item({ kind: "link", bytes: 3, created: true })],
    ["hf+++++++++ 5 a@T@ => lead er", item({ bytes: 5, created: true, hardLinkOf: "lead er" })],
    ["*deleting   0 a/@T@", item({ kind: "delete", dir: true })],
    [">f+++++++++ 0 caf\\#303\\#251@T@", item({ path: "caf\xc3\xa9", created: true })],
    [">f+++++++++ 0 new\\#012line -> x@T@", item({ path: "new\nline -> x", created: true })],
    [">f+++++++++ 0 a\\#134#012b@T@", item({ path: "a\\#012b", created: true })],
    [">f+++++++++ 0  lead and trail @T@", item({ path: " lead and trail ", created: true })],
    ['skipping non-regular file "fifo"', undefined],
    [">f+++++++++ 12 a", undefined],
    ["", undefined],
  ];
  for (const [line, expected] of table) {
    assertEquals([line, readItem(line, "@T@")], [line, expected]);
  }
});

Deno.test("readStats, readProgress: numbers with thousands and units", () => {
  const stats = { files: 0, regular: 0, links: 0, bytes: 0 };
  readStats("Number of files: 61,234 (reg: 30,000, dir: 1,234, link: 30,000)", stats);
  readStats("Total file size: 1,234,567 bytes", stats);
  assertEquals(stats, { files: 61234, regular: 30000, links: 30000, bytes: 1234567 });
  assertEquals(readProgress("  1,234,567  12%    1.50MB/s    0:00:12 (xfr#3, to-chk=12/34)"), {
    bytes: 1234567,
    files: 3,
    bytesPerSecond: 1.5 * 1024 ** 2,
  });
  assertEquals(readProgress("          4   9%    3.91kB/s    0:00:00  ")?.files, -1);
  assertEquals(readProgress(">f+++++++++ 12 a"), undefined);
});

Deno.test("describeProgress: files, bytes, rate, time left", () => {
  const text = describeProgress("core: new files", {
    bytes: 1024 ** 2,
    files: 3,
    bytesPerSecond: 1024 ** 2,
  }, {
    bytes: 61 * 1024 ** 2,
    files: 1200,
  });
  assertEquals(text, "core: new files: 3/1,200 files, 1.0 MiB of 61 MiB, 1.0 MiB/s, 1 min left");
});

Deno.test("Reporter: without a terminal, a line a minute; with one, ten a second", () => {
  const line = "  1,024  12%    1.00kB/s    0:00:12 (xfr#3, to-chk=12/34)";
  for (const [terminal, expected] of [[false, 2], [true, 5]] as const) {
    const said: string[] = [];
    let now = 0;
    const reporter = new Reporter(new Log(1, (t) => said.push(t), terminal), "x", {
      bytes: 2048,
      files: 6,
    }, () => now);
    for (now of [1000, 1050, 30_000, 60_000, 90_000, 121_000]) reporter.take(line);
    assertEquals([terminal, said.length], [terminal, expected]);
    assertMatch(said[0], /x: 3\/6 files, 1\.0 KiB of 2\.0 KiB, 1\.0 KiB\/s, 1 s left/);
  }
});

Deno.test("explainExit: meaning, and whether another try may help", () => {
  const explain = (code: number, stderr = "", signal: string | null = null) =>
    explainExit({ code, signal, stderr });
  assertEquals(explain(24).retry, true);
  assertEquals(explain(1).retry, false);
  assertMatch(
    explain(5, "@ERROR: Unknown module 'x'\n").message,
    /no such module.*exit 5: @ERROR: Unknown module/,
  );
  assertMatch(explain(137, "", "SIGKILL").message, /ended by SIGKILL/);
  assertEquals([explain(127).message, explain(127).retry], [
    "rsync is not installed: install it with deno task setup --for mirror (rsync exit 127)",
    false,
  ]);
  assertMatch(
    explainExit({ code: 20, signal: null, stderr: "", stalled: true }).message,
    /no data came/,
  );
});

Deno.test("onlyVanished: missing files of the list, and nothing else", () => {
  const gone = 'rsync: [sender] link_stat "a" (in m) failed: No such file or directory (2)\n';
  const total =
    "rsync error: some files/attrs were not transferred (see previous errors) (code 23) at main.c\n";
  const denied = 'rsync: [sender] send_files failed to open "b" (in m): Permission denied (13)\n';
  assertEquals([gone + total, denied + total, gone + denied + total, total].map(onlyVanished), [
    true,
    false,
    false,
    false,
  ]);
});
