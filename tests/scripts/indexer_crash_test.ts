/** The indexer as a process: killed at any moment, run twice at once, on a tree that changes under it. */
import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path/posix";
import { addChanges } from "../../scripts/lib/storage.ts";
import { parseListing } from "../../formats/listing.ts";
import { Mirror } from "./indexer_helpers.ts";

const INDEXER = fromFileUrl(new URL("../../scripts/indexer.ts", import.meta.url));

/** A command line that runs the indexer. */
function commandLine(m: Mirror, ...args: string[]): string[] {
  const config = join(m.data, "mirror.toml");
  Deno.writeTextFileSync(
    config,
    `[site]\nname = "m"\n[[repo]]\nname = "r"\nprofile = "generic"\nupstream = ["/tmp/"]\n`,
  );
  const own = ["-q", "--config", config, "--data", m.data, ...args];
  return [Deno.execPath(), "run", "-A", "--no-check", INDEXER, ...own];
}

function start(m: Mirror, ...more: string[]): Deno.ChildProcess {
  const [command, ...args] = commandLine(m, ...more);
  return new Deno.Command(command, { args, stdout: "null", stderr: "null" }).spawn();
}

/** A tree with a large directory, many small ones, and links. */
function makeTree(m: Mirror) {
  for (let i = 0; i < 400; i++) {
    m.file(`pool/package-${i}.pkg`, i);
    m.link(`repo/package-${i}.pkg`, `../pool/package-${i}.pkg`);
    m.file(`small/${i % 60}/${i}`, i);
  }
  // So large that where it is new another core makes its listing.
  Deno.mkdirSync(m.at("large-0"));
  m.shell("touch large-0/a-name-as-long-as-that-of-a-package-{1..1500}-x86_64.pkg");
}

/** Changes a tree as a sync does; gives the change list. */
function change(m: Mirror, round: number): string[] {
  const changed: string[] = [];
  for (let i = round % 7; i < 400; i += 37) {
    m.file(`pool/package-${i}.pkg`, i + round);
    changed.push(`pool/package-${i}.pkg`);
  }
  const dir = `small/${round % 60}`, moved = `small/moved-${round % 5}`;
  for (const path of [dir, moved]) {
    if (Deno.statSync(m.at("small")) && exists(m.at(path))) m.remove(path);
    changed.push(path + "/");
  }
  m.file(`${moved}/deep/file`, round);
  const [from, to] = [`large-${round % 3}`, `large-${(round + 1) % 3}`];
  Deno.renameSync(m.at(from), m.at(to));
  changed.push(from + "/", to + "/");
  return changed;
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** Reads every listing as a client would, over and over; gives what was wrong with one. */
async function poll(m: Mirror, signal: AbortSignal): Promise<{ reads: number; bad: string[] }> {
  const bad: string[] = [];
  let reads = 0;
  while (!signal.aborted) {
    for (const dir of ["", "pool", "repo", "small", "small/moved-1", "small/3", "large-0"]) {
      for (const name of ["index.json", "index.html"]) {
        const path = join(m.files.indexes, dir, name);
        const text = await Deno.readTextFile(path).catch(() => undefined);
        if (text === undefined) continue;
        reads++;
        const good = name.endsWith("json") ? parseListing(text) : text.endsWith("</html>\n");
        if (!good) bad.push(path);
        const packed = await Deno.readFile(path + ".gz").catch(() => undefined);
        if (packed && !await unpacks(packed)) bad.push(path + ".gz");
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return { reads, bad };
}

async function unpacks(packed: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return await new Response(stream).text().then((t) => /(?:\]\}|<\/html>)\n$/.test(t), () => false);
}

Deno.test("indexer: kill -9 at 50 moments, no reader sees a broken listing and the next run heals", async () => {
  using m = new Mirror();
  makeTree(m);
  // A whole run, to know how long one takes here and now.
  const started = performance.now();
  await start(m).status;
  const runMs = performance.now() - started;
  const stop = new AbortController(), polled = poll(m, stop.signal);
  let killed = 0;
  for (let round = 0; round < 50; round++) {
    const changes = change(m, round);
    // Every other time the state is gone, so that everything is looked at and compared.
    if (round % 4 === 3) Deno.removeSync(m.files.index);
    await addChanges(m.files, round % 4 === 2 ? "everything" : changes);
    const child = start(m);
    await new Promise((resolve) => setTimeout(resolve, runMs * (round * 37 % 50) / 50));
    try {
      child.kill("SIGKILL");
    } catch { /* it was quick */ }
    if ((await child.status).signal) killed++;
    await m.index();
    assertEquals([round, (await m.index("check")).differences], [round, []]);
  }
  stop.abort();
  const { reads, bad } = await polled;
  assertEquals(bad, []);
  assertEquals(reads > 500, true, `${reads} reads`);
  assertEquals(killed > 15, true, `killed ${killed} of 50, a run takes ${runMs} ms`);
  assertEquals(exists(m.files.indexWork), false);
});

Deno.test("indexer: several at once, one works and the others exit with 75", async () => {
  using m = new Mirror();
  makeTree(m);
  const all = Array.from({ length: 4 }, () => start(m, "--full"));
  const codes = await Promise.all(all.map(async (child) => (await child.status).code));
  assertEquals(codes.every((code) => code === 0 || code === 75), true, codes.join());
  assertEquals(codes.includes(0), true);
  assertEquals((await m.index("check")).differences, []);
});

Deno.test("indexer: a tree that changes under the walk, the next run finds the rest", async () => {
  using m = new Mirror();
  makeTree(m);
  for (let round = 0; round < 10; round++) {
    const running = m.index(round % 2 ? undefined : "full");
    const changes: string[] = [];
    for (let i = 0; i < 5; i++) {
      changes.push(...change(m, round * 5 + i));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await running;
    await addChanges(m.files, changes);
    await m.index();
    assertEquals([round, (await m.index("check")).differences], [round, []]);
  }
});

Deno.test("indexer: an unreadable directory keeps its listing, is reported, and the rest is done", async () => {
  using m = new Mirror();
  m.file("open/f");
  m.file("shut/deep/f", 7);
  m.file("new/f");
  m.remove("new");
  await m.index();
  m.file("new/f");
  m.file("open/g");
  m.shell("chmod 0 shut new");
  // Root may read everything, unless it gives that up.
  const mortal = Deno.uid() === 0
    ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all", "--"]
    : [];
  for (const how of [[], ["--full"], ["--check"]]) {
    const [command, ...args] = [...mortal, ...commandLine(m, "--json", ...how)];
    const { code, stdout } = await new Deno.Command(command, { args }).output();
    const [outcome] = JSON.parse(new TextDecoder().decode(stdout));
    assertEquals([how, code, outcome.problems.toSorted(), outcome.differences], [how, 1, [
      "new: permission denied; what was known of it stays listed",
      "shut: permission denied; what was known of it stays listed",
    ], []]);
  }
  const { bytes, files, entries } = m.listing();
  assertEquals([bytes, files], [9, 3]);
  assertEquals(entries.map((e) => [e.name, e.bytes]), [["new/", 0], ["open/", 2], ["shut/", 7]]);
  assertEquals(m.listing("shut/deep").files, 1);
  assertEquals("new/index.json" in m.published(), false);
  m.shell("chmod 755 shut new");
  await m.index();
  assertEquals((await m.index("check")).differences, []);
  assertEquals(m.listing("new").files, 1);
});
