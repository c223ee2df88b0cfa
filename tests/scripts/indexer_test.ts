import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/posix";
import { EXIT, Failure } from "../../scripts/lib/cli.ts";
import { main } from "../../scripts/indexer.ts";
import { takeLock } from "../../scripts/lib/lock.ts";
import { addChanges } from "../../scripts/lib/storage.ts";
import { Mirror } from "./indexer_helpers.ts";

const names = (mirror: Mirror, path = "") => mirror.listing(path).entries.map((e) => e.name);

Deno.test("index: a tree, listings with recursive totals and the newest time below", async () => {
  using m = new Mirror();
  m.file("a/b/one", 10, 1000);
  m.file("a/two", 5, 2000);
  m.file("three", 1, 500);
  Deno.mkdirSync(m.at("empty"));
  Deno.utimeSync(m.at("empty"), 3000, 3000);
  const { mode, dirs, written, problems } = await m.index();
  assertEquals([mode, dirs, written, problems], ["full", 4, 8, []]);
  assertEquals(m.listing(), {
    v: 1,
    path: "/r/",
    bytes: 16,
    mtime: 2000,
    files: 3,
    dirs: 3,
    entries: [
      { name: "a/", bytes: 15, mtime: 2000, files: 2, dirs: 1 },
      { name: "empty/", bytes: 0, mtime: 3000, files: 0, dirs: 0 },
      { name: "three", bytes: 1, mtime: 500 },
    ],
  });
  assertEquals(m.listing("a/b").entries, [{ name: "one", bytes: 10, mtime: 1000 }]);
  assertEquals((await m.index("check")).differences, []);
});

Deno.test("index: links, with size and time of the file that they lead to", async () => {
  using m = new Mirror();
  m.file("pool/p", 7, 1000);
  const targets: [string, string, Record<string, unknown>][] = [
    ["a-file", "../pool/p", { bytes: 7, mtime: 1000 }],
    ["b-link", "a-file", { bytes: 7, mtime: 1000 }],
    ["c-dir", "../pool", { dir: true }],
    ["d-through", "c-dir/p", { bytes: 7, mtime: 1000 }],
    ["e-up", "c-dir/../pool/./p", { bytes: 7, mtime: 1000 }],
    ["f-here", ".", { dir: true }],
    ["g-dangling", "nothing", { broken: true }],
    ["h-absolute", "/etc/passwd", { broken: true }],
    ["i-out", "../../r/pool/p", { broken: true }],
    ["j-loop", "k-loop", { broken: true }],
    ["k-loop", "j-loop", { broken: true }],
    ["l-slash", "../pool/p/", { broken: true }],
    ["m-below-file", "../pool/p/x", { broken: true }],
    ["n-root", "..", { dir: true }],
    ["o-through-broken", "g-dangling/../../pool/p", { broken: true }],
    ["p-unfinished", "../pool/.~tmp~/q", { broken: true }],
  ];
  m.file("pool/.~tmp~/q");
  for (const [name, target] of targets) m.link(`l/${name}`, target);
  m.shell("touch -h -d @9000 l/*");
  await m.index();
  assertEquals(
    m.listing("l").entries,
    targets.map(([name, target, rest]) => ({ name, bytes: 0, mtime: 9000, target, ...rest })),
  );
  assertEquals([m.listing("l").files, m.listing("l").bytes], [0, 0]);
});

Deno.test("index: names of all kinds, each listed and linked by its bytes", async () => {
  using m = new Mirror();
  const strange = [
    " ",
    "a b",
    `q"'<&>`,
    "100%",
    "#?;:",
    "nl\nx",
    "\x01\x7f",
    "-n",
    "x".repeat(255),
    "é",
    "\\",
  ];
  for (const name of strange) {
    m.file(`files/${name}`);
    m.file(`dirs/${name}/f`);
  }
  m.shell(
    `touch $'files/\\xff\\xfe'; mkdir $'dirs/\\xc3'; touch $'dirs/\\xc3/f' ; ln -s $'../files/\\xff\\xfe' dirs/l`,
  );
  const { problems } = await m.index();
  assertEquals(problems, [
    "dirs/%C3: listed, but has no listing of its own: its name is not UTF-8",
  ]);
  assertEquals(new Set(names(m, "files")), new Set([...strange, "\ufffd\ufffd"]));
  for (const name of strange) assertEquals(names(m, `dirs/${name}`), ["f"]);
  const entries = m.listing("dirs").entries;
  assertEquals(entries.find((e) => e.href), {
    name: "\ufffd/",
    bytes: 0,
    mtime: entries.find((e) => e.href)!.mtime,
    files: 1,
    dirs: 0,
    href: "%C3/",
  });
  assertEquals(entries.at(-1)!.name, "l");
  assertEquals("broken" in entries.at(-1)!, false);
  assertEquals((await m.index("check")).differences, []);
  assertEquals((await m.index()).written, 0);
});

Deno.test("index: pipes and names of listings are reported, leftovers of rsync are not there", async () => {
  using m = new Mirror();
  m.file("index.json/index.html/f");
  m.file(".~tmp~/f");
  m.file(".hidden");
  m.shell("mkfifo pipe");
  const { problems } = await m.index();
  assertEquals(problems.toSorted(), [
    "index.json: listed, but has no listing of its own: its name is that of a listing",
    "pipe: not listed: it is a pipe",
  ]);
  assertEquals(names(m), ["index.json/", ".hidden"]);
  assertEquals(m.listing().files, 2);
  assertEquals((await m.index("check")).differences, []);
});

Deno.test("index: nothing changed, nothing is written", async () => {
  using m = new Mirror();
  for (let i = 0; i < 300; i++) m.file(`big/file-${i}`);
  m.file("small/f");
  m.link("small/l", "../big/file-1");
  await m.index();
  const before = m.published();
  assert("big/index.json.gz" in before && "big/index.html.gz" in before);
  assertEquals((await m.index()).mode, "scan");
  assertEquals((await m.index("full")).written, 0);
  assertEquals(m.published(), before);
});

Deno.test("index: something changed, only its listing and those above are written", async () => {
  using m = new Mirror();
  m.file("a/x");
  m.file("b/y");
  m.link("c/l", "../a/x");
  await m.index();
  const before = m.published();
  m.file("a/x", 2);
  assertEquals((await m.index()).written, 6);
  const after = m.published();
  const same = Object.keys(after).filter((path) => before[path] === after[path]);
  assertEquals(same.toSorted(), ["b/index.html", "b/index.json"]);
  assertEquals(m.listing("c").entries[0].bytes, 2);
});

Deno.test("index: directories that vanish, or change places with files, take their listings along", async () => {
  using m = new Mirror();
  m.file("gone/deep/f");
  m.file("to-file/f");
  m.file("to-dir");
  m.link("to-link", "gone");
  await m.index();
  m.remove("gone");
  m.remove("to-file");
  m.file("to-file");
  m.remove("to-dir");
  m.file("to-dir/f");
  await m.index();
  assertEquals(names(m), ["to-dir/", "to-file", "to-link"]);
  assertEquals(
    Object.keys(m.published()).toSorted(),
    ["index.html", "index.json", "to-dir/index.html", "to-dir/index.json"],
  );
  assertEquals((await m.index("check")).differences, []);
});

Deno.test("index: a listing that shrinks loses its .gz", async () => {
  using m = new Mirror();
  for (let i = 0; i < 300; i++) m.file(`d/file-${i}`);
  await m.index();
  m.remove("d");
  m.file("d/f");
  await m.index();
  assertEquals(Object.keys(m.published()).filter((p) => p.endsWith(".gz")), []);
});

Deno.test("index: what others left among the listings goes with --full", async () => {
  using m = new Mirror();
  m.file("a/f");
  await m.index();
  const put = (path: string) => Deno.writeTextFileSync(join(m.files.indexes, path), "x");
  put("a/index.html");
  put("a/index.html.gz");
  put("stray");
  Deno.mkdirSync(join(m.files.indexes, "old/deep"), { recursive: true });
  put("old/deep/index.json");
  assertEquals((await m.index("check")).differences.toSorted(), [
    "a/index.html: differs",
    "old/: is of a directory that is gone",
    "stray: does not belong here",
  ]);
  const { written, removed } = await m.index("full");
  assertEquals([written, removed], [1, 1]);
  assertEquals((await m.index("check")).differences, []);
});

Deno.test("index: state missing, damaged or of other listings, everything is compared", async () => {
  using m = new Mirror();
  m.file("a/f");
  await m.index();
  const good = Deno.readTextFileSync(m.files.index);
  const spoil = [
    () => Deno.removeSync(m.files.index),
    () => Deno.writeTextFileSync(m.files.index, good.slice(0, -1)),
    () => Deno.writeTextFileSync(m.files.index, good.replace("\na ", "\nb ")),
    () => Deno.writeTextFileSync(m.files.index, "garbage"),
    () => Deno.removeSync(join(m.files.indexes, "index.json")),
  ];
  for (const act of spoil) {
    act();
    assertEquals((await m.index()).mode, "full");
    assertEquals((await m.index()).mode, "scan");
  }
  assertEquals((await m.index("check")).differences, []);
});

Deno.test("index: a change list is taken only once its changes are in the listings", async () => {
  using m = new Mirror();
  m.file("a/f");
  await m.index();
  m.file("a/g");
  await addChanges(m.files, ["a/g"]);
  await m.index();
  assertEquals(names(m, "a"), ["f", "g"]);
  assertEquals([...Deno.readDirSync(join(m.data, "state"))].map((e) => e.name).toSorted(), [
    "r.changes.lock",
    "r.index",
    "r.index.lock",
  ]);
});

Deno.test("index: repositories inside the one at / are listed, not counted or touched", async () => {
  using m = new Mirror("/", ["arch/", "x/deb/"]);
  m.file("own", 1);
  m.file("arch/p", 100);
  m.file("x/deb/p", 100);
  const foreign = join(m.files.indexes, "arch");
  Deno.mkdirSync(foreign, { recursive: true });
  Deno.writeTextFileSync(
    join(foreign, "index.json"),
    `{"v":1,"path":"/arch/","bytes":100,"mtime":77,"files":1,"dirs":0,"entries":[\n]}\n`,
  );
  await m.index();
  const { bytes, files, dirs, entries } = m.listing();
  assertEquals([bytes, files, dirs], [1, 1, 1]);
  assertEquals(entries[0], { name: "arch/", bytes: 100, mtime: 77, files: 1, dirs: 0 });
  assertEquals(names(m, "x"), ["deb/"]);
  assertEquals((await m.index("full")).removed, 0);
  m.remove("x");
  await m.index();
  assertEquals(names(m), ["arch/", "own"]);
  assertEquals("arch/index.json" in m.published(), true);
});

Deno.test("index: a second instance, a failure with exit code 75", async () => {
  using m = new Mirror();
  using _lock = await takeLock(m.files.indexLock, "x");
  const failure = await assertRejects(() => m.index(), Failure, "at work already");
  assertEquals(failure.exitCode, EXIT.busy);
});

Deno.test("index: a repository that is not there, a failure; its listings stay", async () => {
  using m = new Mirror();
  m.file("f");
  await m.index();
  Deno.removeSync(m.files.static, { recursive: true });
  await assertRejects(() => m.index(), Failure, "does not exist");
  assertEquals(names(m), ["f"]);
});

Deno.test("main: a node with one repository, exit codes and JSON", async () => {
  using m = new Mirror("/r/");
  m.file("f");
  const config = join(m.data, "mirror.toml");
  Deno.writeTextFileSync(
    config,
    `[site]\nname = "m"\n[[repo]]\nname = "r"\nprofile = "generic"\nupstream = ["/tmp/"]\n`,
  );
  const said: string[] = [], { log } = console;
  console.log = (text: string) => said.push(text);
  try {
    const run = (...args: string[]) => main(["-q", "--config", config, "--data", m.data, ...args]);
    assertEquals(await run("--json"), EXIT.done);
    assertEquals(JSON.parse(said[0])[0].written, 2);
    assertEquals(await run("--check"), EXIT.done);
    m.file("g");
    assertEquals(await run("--check", "r"), EXIT.failed);
    assertStringIncludes(said[1], "index.json: differs");
    assertEquals(await run("s"), EXIT.usage);
  } finally {
    console.log = log;
  }
});

Deno.test("index: large directories, made on another core, are as this one would make them; links find their files", async () => {
  using m = new Mirror();
  for (let i = 0; i < 2000; i++) m.file(`pool/package-${i}-x86_64.pkg.tar.zst`, i % 7, 1000 + i);
  m.file("pool/sub/x");
  m.file('pool/a<b> "c"');
  m.shell("touch -d @1000 $'pool/\\xff' pool/ü");
  for (let i = 0; i < 2000; i++) m.link(`l/${i}`, `../pool/package-${i}-x86_64.pkg.tar.zst`);
  m.link("l/dir", "../pool/sub");
  m.link("l/inner", "../pool/sub/x");
  m.link("l/lost", "../pool/nothing");
  m.link("l/ü", "../pool/ü");
  m.shell("ln -s $'../pool/\\xff' l/byte");
  const { entries, problems } = await m.index();
  assertEquals([entries, problems], [2 + 2004 + 1 + 2005, []]);
  // Whoever checks makes each listing itself.
  assertEquals((await m.index("check")).differences, []);
  const links = m.listing("l").entries.map(({ name, bytes, mtime, ...rest }) =>
    "broken" in rest
      ? `${name} broken`
      : "dir" in rest
      ? `${name} dir`
      : `${name} ${bytes} ${mtime}`
  );
  assertEquals(links.slice(0, 3), ["0 0 1000", "1 1 1001", "2 2 1002"]);
  assertEquals(links.slice(1999), [
    "1999 4 2999",
    "byte 0 1000",
    "dir dir",
    "inner 1 1700000000",
    "lost broken",
    "ü 0 1000",
  ]);
  const pool = m.listing("pool");
  assertEquals([pool.files, pool.dirs, pool.entries.length], [2004, 1, 2004]);
});
