/** The listing page's pure parts: from bytes to what is shown, without a browser. */
import { setImmediate } from "node:timers";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { compareEntries, type Entry, renderJson } from "../../formats/listing.ts";
import { translator } from "../../formats/messages.ts";
import { readAddress, readFragment, writeAddress } from "../../web/listing/address.ts";
import { agoOf } from "../../web/listing/ago.ts";
import { Arrival, childOf } from "../../web/listing/arrival.ts";
import { hashName, isSums, readSums } from "../../web/listing/checksums.ts";
import { curlLine, quote, wgetLine } from "../../web/listing/commands.ts";
import { filterWord, findName, findPrefix, words } from "../../web/listing/filter.ts";
import { Heights, linesOf } from "../../web/listing/heights.ts";
import { Kept } from "../../web/listing/kept.ts";
import { moved, moveOf, TypeAhead } from "../../web/listing/keys.ts";
import { kindOf } from "../../formats/kinds.ts";
import { Loader } from "../../web/listing/load.ts";
import { countDirs, readNumbers } from "../../web/listing/lines.ts";
import { sorted } from "../../web/listing/order.ts";
import { prefetchUrl } from "../../web/listing/prefetch.ts";
import { findReadme } from "../../web/listing/readme.ts";
import { Selection } from "../../web/listing/selection.ts";
import { type Command, commandOf } from "../../web/listing/shortcuts.ts";
import { Shown } from "../../web/listing/shown.ts";
import { readSignature, unarmour } from "../../web/listing/signature.ts";
import { Track } from "../../web/listing/track.ts";
import { crumbsOf, isRedirected, rowOf } from "../../formats/listing_view.ts";
import { wantedOf } from "../../web/listing/wanted.ts";

const FILE = { name: "가.zst", bytes: 812, mtime: 1763632800 };
const HEAD = { v: 1 as const, path: "/a/", bytes: 1624, mtime: 1763632800, files: 2, dirs: 1 };
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** A listing's text, kept in pieces of `size` bytes. */
function keep(text: string, size = 65536): Kept {
  const bytes = bytesOf(text), kept = new Kept();
  for (let i = 0; i < bytes.length; i += size) kept.push(bytes.subarray(i, i + size));
  return kept;
}

const keepEntries = (entries: Entry[]) => keep(renderJson({ ...HEAD, entries }));
const named = (names: string[]): Entry[] => names.map((name, i) => ({ ...FILE, name, bytes: i }));
const namesOf = (kept: Kept, rows: Iterable<number>) => [...rows].map((i) => kept.entry(i).name);

const KINDS: Entry[] = [
  { ...FILE, name: "d/", files: 1, dirs: 0 } as Entry,
  FILE,
  { ...FILE, name: 'q"\\\n\u2028', target: "x" } as Entry,
  { ...FILE, name: "\ufffd", href: "%FF" },
];

Deno.test("Kept: pieces of any size, the same entries", () => {
  for (const entries of [KINDS, []]) {
    for (const size of [1, 2, 3, 7, 64, 4096]) {
      const kept = keep(renderJson({ ...HEAD, entries }), size);
      assertEquals([kept.head, kept.complete], [HEAD, true]);
      assertEquals(entries.map((_, i) => kept.entry(i)), entries);
      assertEquals(kept.count, entries.length);
    }
  }
});

Deno.test("Kept: entries are there with the line that ends them", () => {
  const kept = new Kept(), [head, row] = renderJson({ ...HEAD, entries: [FILE] }).split("\n");
  kept.push(bytesOf(head));
  assertEquals(kept.head, undefined);
  kept.push(bytesOf("\n" + row));
  assertEquals([kept.head, kept.count], [HEAD, 0]);
  kept.push(bytesOf("\n"));
  assertEquals([kept.count, kept.entry(0), kept.complete], [1, FILE, false]);
});

Deno.test("Kept: more than a segment, and no line in two of them", () => {
  const entries = Array.from({ length: 30_000 }, (_, i) => ({ ...FILE, name: `${i}가.zst` }));
  const kept = keep(renderJson({ ...HEAD, entries }), 10_007);
  assert(kept.bytes > 1 << 20);
  for (let i = 0; i < entries.length; i += 7) assertEquals(kept.entry(i), entries[i]);
});

Deno.test("Kept: what is no listing, an error; what is cut, not complete", () => {
  const text = renderJson({ ...HEAD, entries: [FILE, FILE] });
  for (const cut of ["", text.slice(0, 20), text.slice(0, -3), text.slice(0, -30)]) {
    assertEquals([cut, keep(cut).complete], [cut, false]);
  }
  const none = [
    "<html>\n",
    '{"v":1,"entries":[\nx\n',
    text + text,
    "[]\n",
    "[".repeat(2 ** 20 + 1),
  ];
  for (const text of none) assertThrows(() => keep(text));
  assertThrows(() => keep('{"v":2,"entries":[\n]}\n'), Error, "version 2");
  assertEquals(keep('{"v":1,"entries":[\n{"name":"x\n]}\n').entry(0).name, "\ufffd");
});

/** A server that answers with each of some bodies, one after another; an error cuts the connection. */
function answers(...bodies: { text: string; cut?: boolean; tag?: string; status?: number }[]) {
  return (() => {
    const { text, cut, tag = '"1"', status = 200 } = bodies.shift()!;
    const body = new ReadableStream(
      {
        pull(controller) {
          if (this.sent) return cut ? controller.error(new Error("cut")) : controller.close();
          this.sent = true;
          controller.enqueue(bytesOf(text));
        },
        sent: false,
      } as UnderlyingDefaultSource & { sent: boolean },
    );
    return Promise.resolve(new Response(body, { status, headers: { etag: tag } }));
  }) as typeof fetch;
}

Deno.test("Loader: goes on after a cut, reads anew what is another listing, gives up where there is none", async () => {
  const text = renderJson({ ...HEAD, entries: named(["a", "b", "c"]) });
  const other = renderJson({ ...HEAD, entries: named(["x"]) });
  const part = { text: text.slice(0, -60), cut: true };
  const run = async (...bodies: Parameters<typeof answers>) => {
    const phases: string[] = [];
    const loader: Loader = new Loader("?format=json", () => phases.push(loader.phase), {
      fetch: answers(...bodies),
      pause: () => 0,
    });
    const { kept } = loader;
    await loader.run();
    const rows = Array.from({ length: loader.kept.count }, (_, i) => i);
    return [loader.kept === kept, loader.phase, namesOf(loader.kept, rows).join(" "), phases.at(1)];
  };
  assertEquals(await run({ text }), [true, "complete", "a b c", "complete"]);
  assertEquals(await run(part, { text }), [true, "complete", "a b c", "cut"]);
  assertEquals(await run(part, part, { text }), [true, "complete", "a b c", "cut"]);
  assertEquals(await run(part, { text: other, tag: '"2"' }), [false, "complete", "x", "cut"]);
  assertEquals((await run({ text: "{}", status: 404 }))[1], "refused");
  assertEquals((await run({ text: "<html>\n" }))[1], "refused");
  assertEquals((await run({ text: "", status: 503 }, { text }))[1], "complete");
});

Deno.test("Loader: reads what is there in one go; where that takes long, others have their turn", async () => {
  const text = renderJson({ ...HEAD, entries: named("abcdefghijklmnopqrstuvwxyz".split("")) });
  const turnsOf = async (msPerLine: number) => {
    let clock = 0, turns = 0;
    const body = new ReadableStream({
      start(controller) {
        for (const line of text.split(/(?<=\n)/)) controller.enqueue(bytesOf(line));
        controller.close();
      },
    });
    const seen: number[] = [];
    const changed = () => {
      clock += msPerLine;
      seen.push(turns);
    };
    const answer = () => Promise.resolve(new Response(body));
    const options = { fetch: answer as typeof fetch, now: () => clock };
    let running = true;
    const turn = () => {
      turns++;
      if (running) setImmediate(turn);
    };
    turn();
    await new Loader("?format=json", changed, options).run();
    running = false;
    return seen.at(-1)! - seen[0];
  };
  assertEquals(await turnsOf(0.1), 0);
  assert(await turnsOf(10) > 0);
});

Deno.test("Loader: on a slow line, what comes is let gather, for a tenth of the time; else it is read at once", async () => {
  const names = Array.from({ length: 40 }, (_, i) => `f${i}`);
  const lines = renderJson({ ...HEAD, entries: named(names) }).split(/(?<=\n)/);
  const restsOf = async (msPerLine: number) => {
    let clock = 0;
    const left = [...lines], rests: number[] = [];
    const body = new ReadableStream({
      pull(controller) {
        clock += msPerLine;
        const line = left.shift();
        if (line === undefined) controller.close();
        else controller.enqueue(bytesOf(line));
      },
    }, { highWaterMark: 0 });
    const sleep = (ms: number) => {
      rests.push(ms);
      clock += ms;
      return Promise.resolve();
    };
    const answer = () => Promise.resolve(new Response(body));
    const options = { fetch: answer as typeof fetch, now: () => clock, sleep };
    await new Loader("?format=json", () => {}, options).run();
    return rests;
  };
  const rests = await restsOf(50);
  // Nothing within the first quarter of a second, nothing once all is there.
  assertEquals([rests[0], rests.at(-1), rests.length], [25, 100, lines.length - 5]);
  assertEquals(await restsOf(1), []);
});

Deno.test("lines: directories and numbers, read without decoding, are those of the entries", () => {
  const odd = { ...FILE, name: "odd", bytes: 2 ** 45, mtime: -5 };
  const entries = [...KINDS, odd], kept = keepEntries(entries);
  assertEquals(countDirs(kept), 1);
  assertEquals([...readNumbers(kept, "bytes")], entries.map((e) => e.bytes));
  assertEquals([...readNumbers(kept, "mtime")], entries.map((e) => e.mtime));
});

Deno.test("sorted: by each column, directories first, equals by name", () => {
  const dir = { ...FILE, name: "z/", bytes: 3, files: 1, dirs: 0 } as Entry;
  const entries = [dir, ...named(["a1", "a2", "a10"])];
  entries[3].bytes = 0;
  const kept = keepEntries(entries);
  const by = (key: "name" | "bytes" | "mtime", descending: boolean) =>
    namesOf(kept, sorted(kept, { key, descending }) ?? entries.keys()).join(" ");
  assertEquals(by("name", false), "z/ a1 a2 a10");
  assertEquals(by("name", true), "z/ a10 a2 a1");
  assertEquals(by("bytes", false), "z/ a1 a10 a2");
  assertEquals(by("bytes", true), "z/ a2 a1 a10");
  assertEquals(by("mtime", true), "z/ a1 a2 a10");
});

Deno.test("filter: words anywhere in a name, capitals or not, and never outside of it", () => {
  const kept = keepEntries(
    named(["Linux-6.1", "linux-doc", "bytes", "가나다", 'q"x', "back\\n", "É"]),
  );
  const cases: [string, string[]][] = [
    ["LINUX", ["Linux-6.1", "linux-doc"]],
    ["doc linux", ["linux-doc"]],
    ["bytes", ["bytes"]],
    ["mtime", []],
    ["나", ["가나다"]],
    ['"', ['q"x']],
    ["\\", ["back\\n"]],
    ["\n", kept ? ["Linux-6.1", "linux-doc", "bytes", "가나다", 'q"x', "back\\n", "É"] : []],
    ["é", ["É"]],
    ["x", ["Linux-6.1", "linux-doc", 'q"x']],
  ];
  for (const [text, found] of cases) {
    let rows: Uint32Array | undefined;
    for (const word of words(text)) rows = filterWord(kept, rows, word);
    const all = Array.from({ length: kept.count }, (_, i) => i);
    assertEquals([text, namesOf(kept, rows ?? all)], [text, found]);
  }
});

Deno.test("findPrefix: from the row on and around; findName: exactly, with or without a slash", () => {
  const kept = keepEntries([
    { ...FILE, name: "sub/", files: 0, dirs: 0 } as Entry,
    ...named(["alpha", "Beta", "beta2", "가"]),
  ]);
  const find = (prefix: string, from: number) => findPrefix(kept, undefined, prefix, from);
  assertEquals([find("b", 0), find("b", 3), find("b", 4), find("가", 0)], [2, 3, 2, 4]);
  assertEquals([find("x", 0), find("beta2", 0)], [-1, 3]);
  assertEquals(findPrefix(kept, new Uint32Array([3, 2]), "b", 0), 0);
  const cases: [string, number][] = [["beta2", 3], ["sub", 0], ["sub/", 0], ["beta", -1], [
    "가",
    4,
  ]];
  for (const [name, i] of cases) assertEquals([name, findName(kept, name)], [name, i]);
});

Deno.test("Shown: typing on, more rows and another order, each the same as from scratch", () => {
  const names = Array.from({ length: 300 }, (_, i) => `p${i}-${i % 7}`);
  const text = renderJson({ ...HEAD, entries: named(names) }), bytes = bytesOf(text);
  const kept = new Kept(), shown = new Shown(), sort = { key: "bytes", descending: true } as const;
  const states = ["", "1", "1 -", "1 -3", "1 -", "1", "", "1", "", "2"];
  for (let at = 0, step = 0; at < bytes.length + 500; at += 500, step++) {
    kept.push(bytes.slice(at, at + 500));
    const address = { sort, filter: states[step % states.length] };
    const rows = shown.update(kept, address) ??
      Uint32Array.from({ length: kept.count }, (_, i) => i);
    assertEquals(rows, new Shown().update(kept, address) ?? rows);
    for (const name of namesOf(kept, rows)) {
      for (const word of words(address.filter)) assert(name.includes(word));
    }
  }
  assertEquals(kept.complete, true);
  assertEquals(namesOf(kept, shown.update(kept, { sort, filter: "p29-" })!), ["p29-1"]);
  // Another order of what was found, without another search: what a sorted listing has of it.
  const by = (key: "bytes" | "name", descending: boolean, filter: string) =>
    namesOf(kept, shown.update(kept, { sort: { key, descending }, filter }) ?? []);
  const all = by("name", true, "");
  assertEquals(by("name", true, "1 -3"), all.filter((n) => n.includes("1") && n.includes("-3")));
  assertEquals(by("name", false, "1 -3"), by("name", true, "1 -3").toReversed());
});

Deno.test("Shown: a character taken back, what was found before without another search", () => {
  const kept = keepEntries(named(["a1", "a12", "b2"]));
  const shown = new Shown(), sort = { key: "name", descending: false } as const;
  const find = (filter: string) => shown.update(kept, { sort, filter });
  const one = find("1"), a = find("1 a");
  assertEquals([namesOf(kept, one!), namesOf(kept, a!)], [["a1", "a12"], ["a1", "a12"]]);
  assert(find("1") === one && find("") === undefined && find("1") === one);
  assertEquals(namesOf(kept, find("2")!), ["a12", "b2"]);
});

Deno.test("Heights: each row stands where those before it end, whatever their lines", () => {
  const long = "x".repeat(25);
  const kinds: Entry[] = [
    { ...FILE, name: "a" },
    { ...FILE, name: long },
    { ...FILE, name: "l", target: long } as Entry,
    { ...FILE, name: "가".repeat(9) },
    { ...FILE, name: long + "/", files: 1, dirs: 1 } as Entry,
    { ...FILE, name: "e\n".repeat(6) },
  ];
  const entries = Array.from({ length: 700 }, (_, i) => kinds[i % kinds.length]);
  const kept = keepEntries(entries), metrics = { base: 12, line: 20, columns: 10 };
  for (const rows of [undefined, Uint32Array.from({ length: 300 }, (_, i) => 699 - 2 * i)]) {
    const heights = new Heights(kept, rows, metrics);
    let top = 0;
    for (let k = 0; k < heights.count; k++) {
      if (k % 13 === 0) assertEquals([k, heights.top(k)], [k, top]);
      if (k % 13 === 0) assertEquals([k, heights.at(top), heights.at(top + 31)], [k, k, k]);
      top += heights.height(k);
    }
    assertEquals(heights.total, top);
    assertEquals([heights.at(-5), heights.at(top + 5)], [0, heights.count - 1]);
  }
  assertEquals(kinds.map((_, i) => new Heights(kept, undefined, metrics).lines(i)), [
    1,
    3,
    4,
    3,
    3,
    3,
  ]);
});

Deno.test("Heights: grown while rows arrive, the same as at once", () => {
  const bytes = bytesOf(renderJson({ ...HEAD, entries: named(Array(999).fill("x".repeat(30))) }));
  const kept = new Kept(), metrics = { base: 1, line: 3, columns: 10 };
  const grown = new Heights(kept, undefined, metrics);
  for (let i = 0; i < bytes.length; i += 3000) {
    kept.push(bytes.subarray(i, i + 3000));
    grown.extend();
  }
  const whole = new Heights(kept, undefined, metrics);
  assertEquals([grown.total, grown.top(777)], [whole.total, whole.top(777)]);
});

Deno.test("Heights: a link just fits where its arrow is as wide as other characters, else it gets more", () => {
  const kept = keepEntries([{ ...FILE, name: "abcde", target: "x".repeat(12) } as Entry]);
  const lines = (narrow?: boolean) =>
    new Heights(kept, undefined, { base: 12, line: 20, columns: 10, narrow }).lines(0);
  assertEquals([lines(true), lines(false), lines()], [2, 3, 3]);
});

Deno.test("linesOf: never fewer lines than a text needs", () => {
  const cases: [string, number, number][] = [
    ["", 10, 1],
    ["x".repeat(10), 10, 1],
    ["x".repeat(11), 10, 2],
    ["한".repeat(4), 10, 1],
    ["한".repeat(5), 10, 2],
    ["😀", 10, 1],
  ];
  for (const [text, columns, lines] of cases) {
    assertEquals([text, linesOf(text, columns)], [text, lines]);
  }
});

Deno.test("Track: content that fits is scrolled as it is", () => {
  const track = new Track(5000, 800, 6000);
  assertEquals([track.height, track.toContent(123), track.toTrack(4200)], [5000, 123, 4200]);
});

Deno.test("Track: content that is taller, reached to its last pixel from any place and back", () => {
  const view = 800, content = 9_600_000, track = new Track(content, view, 60_000);
  assertEquals(track.height, 60_000);
  assertEquals([track.toContent(0), track.toContent(59_200)], [0, content - view]);
  for (const s of [-100, 0, 5, 14_000, 15_000, 29_000, 44_500, 59_000, 59_200, 59_900]) {
    assert(Math.abs(track.toTrack(track.toContent(s)) - s) < 1e-6, `${s}`);
  }
  let last = -1;
  for (let s = 0; s <= 59_200; s += 37) {
    const y = track.toContent(s);
    assert(y > last);
    last = y;
  }
});

Deno.test("Track: small steps move the content by as much, jumps in proportion, and nothing strays", () => {
  const view = 800, track = new Track(9_600_000, view, 60_000);
  let place = { s: 30_000, y: track.toContent(30_000) };
  const { y } = place;
  for (let k = 1; k <= 5; k++) {
    place = track.follow(place, 30_000 + 300 * k, view);
    assertEquals(place.y, y + 300 * k);
  }
  assertEquals(track.follow(place, 50_000, view), { s: 50_000, y: track.toContent(50_000) });
  assertEquals(track.strays({ s: 30_000, y }, view), false);
  // The track is at its upper end, the content is not: it has to be put right before it stops.
  assertEquals(track.strays({ s: 10, y: 200_000 }, view), true);
  assertEquals(track.strays({ s: 59_190, y: 9_000_000 }, view), true);
  assertEquals(track.strays({ s: -50, y: -50 }, view), false);
});

Deno.test("rowOf: each kind of entry, the row it becomes", () => {
  const at = { mtime: FILE.mtime, time: "2025-11-20 10:00", exact: "2025-11-20T10:00:00Z" };
  const file = { ...at, size: "812 B", bytes: 812, target: undefined, files: undefined };
  const cases: [Entry, Record<string, unknown>][] = [
    [FILE, { kind: "archive", name: "가.zst", href: "%EA%B0%80.zst", ...file }],
    [{ ...FILE, name: "a b/", files: 3, dirs: 1 } as Entry, {
      ...file,
      kind: "dir",
      name: "a b/",
      href: "a%20b/",
      files: 3,
    }],
    [{ ...FILE, bytes: 0, name: "l", target: "t", dir: true } as Entry, {
      ...file,
      kind: "dir",
      name: "l/",
      href: "l/",
      target: "t",
      size: "",
      bytes: 0,
    }],
    [{ ...FILE, bytes: 0, name: "l", target: "../..", broken: true } as Entry, {
      ...file,
      kind: "broken",
      name: "l",
      href: undefined,
      target: "../..",
      size: "",
      bytes: 0,
    }],
    [{ ...FILE, name: "\ufffd", href: "%FF" }, {
      ...file,
      kind: "file",
      name: "\ufffd",
      href: "%FF",
    }],
    [{ ...FILE, name: "javascript:alert(1)" }, {
      ...file,
      kind: "file",
      name: "javascript:alert(1)",
      href: "javascript%3Aalert(1)",
    }],
    [{ ...FILE, name: "a\u202eb\n" }, {
      ...file,
      kind: "file",
      name: "a\\u202eb\\x0a",
      href: "a%E2%80%AEb%0A",
    }],
    [{ ...FILE, name: "x", mtime: 0 }, {
      ...file,
      kind: "file",
      name: "x",
      href: "x",
      mtime: 0,
      time: "",
      exact: "",
    }],
  ];
  for (const [entry, row] of cases) assertEquals({ ...rowOf(entry) } as unknown, row);
});

Deno.test("kindOf: told by the name", () => {
  const cases: [string, string][] = [
    ["linux-6.1-1-x86_64.pkg.tar.zst", "package"],
    ["a_1.0_amd64.deb", "package"],
    ["a.pkg.tar.zst.sig", "signature"],
    ["SHA256SUMS", "checksum"],
    ["SHA256SUMS.gpg", "signature"],
    ["x.iso.sha256", "checksum"],
    ["Fedora-40-CHECKSUM", "checksum"],
    ["debian.iso", "disk"],
    ["core.db.tar.gz", "archive"],
    ["logo.PNG", "image"],
    ["README", "text"],
    ["InRelease", "text"],
    ["Packages", "text"],
    ["Packages.xz", "archive"],
    ["vmlinuz", "file"],
  ];
  for (const [name, kind] of cases) assertEquals([name, kindOf({ ...FILE, name })], [name, kind]);
});

Deno.test("crumbsOf: a path, its steps from the host on", () => {
  const cases: [string, [string, string][]][] = [
    ["/", []],
    ["/a/b%20c/", [["a", "/a/"], ["b c", "/a/b%20c/"]]],
    ["//evil.example/x/", [["evil.example", "/evil.example/"], ["x", "/evil.example/x/"]]],
    ["/%FF/%zz/", [["\ufffd", "/%FF/"], ["%zz", "/%FF/%zz/"]]],
    ["/%0A/", [["\\x0a", "/%0A/"]]],
  ];
  for (const [path, steps] of cases) {
    const crumbs = crumbsOf("host", path).map((c) => [c.name, c.href]);
    assertEquals(crumbs, [["host", "/"], ...steps]);
  }
});

Deno.test("isRedirected: only where the URL is not the listing's own path", () => {
  const head = { ...HEAD, path: "/a b/c/" };
  const cases: [string, boolean][] = [
    ["/a%20b/c/", false],
    ["//a%20b/c/", false],
    ["/%61%20b/c/", false],
    ["/link/", true],
    ["/%zz/", true],
  ];
  for (const [path, real] of cases) assertEquals([path, isRedirected(head, path)], [path, real]);
});

Deno.test("address: what the URL says, and back", () => {
  const cases = [
    "",
    "?sort=-size",
    "?sort=time",
    "?sort=-name",
    "?filter=a+%26b",
    "?sort=-time&filter=x",
  ];
  for (const search of cases) assertEquals(writeAddress(readAddress(search)), search);
  assertEquals(writeAddress(readAddress("?sort=nonsense&x=y")), "");
  assertEquals([readFragment("#a%20b"), readFragment("#100%"), readFragment("")], [
    "a b",
    "100%",
    "",
  ]);
});

Deno.test("Arrival: where the reader was, or the name in the URL, once it has come", () => {
  const kept = keepEntries(named(["a", "b", "c"]));
  const left = { entry: 2, offset: 5, active: 1 };
  assertEquals(new Arrival(left, "#a", "", "").look(kept, false), { left });
  assertEquals(new Arrival(null, "#b", "", "").look(kept, false), { entry: 1 });
  assertEquals(new Arrival(null, "", "", "").done, true);
  const waiting = new Arrival(null, "#z", "", "");
  assertEquals(waiting.look(new Kept(), false), undefined);
  assertEquals(waiting.done, false);
  assertEquals([waiting.look(kept, false), waiting.done], [undefined, true]);
  const cases: [string, string, string][] = [
    ["http://h/a/b/", "http://h/a/", "b/"],
    ["http://h/a/b%20c/d/?x", "http://h/a/", "b c/"],
    ["http://h/a/", "http://h/a/", ""],
    ["http://other/a/b/", "http://h/a/", ""],
    ["", "http://h/a/", ""],
  ];
  for (const [from, here, child] of cases) assertEquals([from, childOf(from, here)], [from, child]);
});

Deno.test("moveOf, moved: keys, and where they lead", () => {
  const at = { count: 100, page: 20, shown: 7 };
  const go = (key: string, from: number) => moved(moveOf({ key })!, from, at);
  assertEquals([go("ArrowDown", -1), go("ArrowDown", 3), go("ArrowUp", 0)], [7, 4, 0]);
  assertEquals([go("PageDown", 3), go("PageDown", 95), go("PageUp", 3)], [23, 99, 0]);
  assertEquals([go("Home", 50), go("End", 0)], [0, 99]);
  assertEquals([moveOf({ key: "ArrowUp", altKey: true }), moveOf({ key: "x" })], [
    undefined,
    undefined,
  ]);
});

Deno.test("TypeAhead: a name's start, the same letter again, a pause, and keys that are none", () => {
  const typed = new TypeAhead(1000);
  const type = (key: string, now: number) => typed.type({ key }, now);
  assertEquals([type("l", 0), type("i", 500), type("b", 900)], ["l", "li", "lib"]);
  assertEquals([type("b", 5000), type("b", 5200)], ["b", "b"]);
  assertEquals([type("/", 9000), type(" ", 9000), type("Enter", 9000)], [
    undefined,
    undefined,
    undefined,
  ]);
  assertEquals(typed.type({ key: "a", ctrlKey: true }, 9000), undefined);
});

Deno.test("commandOf: which keys are commands, and when", () => {
  const rows = { writing: false, atRows: true, selected: true, marked: false, beyond: true };
  const cases: [Parameters<typeof commandOf>[0], Partial<typeof rows>, Command | undefined][] = [
    [{ key: "/" }, {}, "filter"],
    [{ key: "/" }, { writing: true }, undefined],
    [{ key: "?" }, {}, "help"],
    [{ key: "f", ctrlKey: true }, {}, "find"],
    [{ key: "f", metaKey: true }, {}, "find"],
    [{ key: "f", ctrlKey: true }, { writing: true }, undefined],
    [{ key: "f", ctrlKey: true }, { beyond: false }, undefined],
    [{ key: "Backspace" }, {}, "parent"],
    [{ key: "Backspace" }, { writing: true }, undefined],
    [{ key: "ArrowUp", altKey: true }, {}, "parent"],
    [{ key: "a", ctrlKey: true }, {}, "all"],
    [{ key: "a", ctrlKey: true }, { atRows: false }, undefined],
    [{ key: "c", ctrlKey: true }, {}, "copy"],
    [{ key: "c", ctrlKey: true }, { marked: true }, undefined],
    [{ key: "c", ctrlKey: true }, { selected: false }, undefined],
    [{ key: "Escape" }, { writing: true }, "escape"],
    [{ key: "x" }, {}, undefined],
  ];
  for (const [pressed, at, command] of cases) {
    assertEquals([pressed, at, commandOf(pressed, { ...rows, ...at })], [pressed, at, command]);
  }
});

Deno.test("Selection: counted, listed in order, and as many as there are", () => {
  const selection = new Selection();
  for (const i of [5, 3, 99_999, 3]) selection.set(i, true);
  assertEquals([selection.size, selection.list(), selection.list(2)], [3, [3, 5, 99_999], [3, 5]]);
  selection.set(5, false);
  assertEquals([selection.size, selection.has(5), selection.has(3)], [2, false, true]);
  selection.clear();
  assertEquals([selection.size, selection.list()], [0, []]);
});

Deno.test("commands: lines that a shell reads as they were meant", () => {
  const kept = keepEntries([
    { ...FILE, name: "sub dir/", files: 1, dirs: 0 } as Entry,
    ...named(["a.iso", "b'c.iso", "가"]),
    { ...FILE, name: "gone", target: "/", broken: true } as Entry,
  ]);
  const all = new Selection();
  for (let i = 0; i < 5; i++) all.set(i, true);
  const wanted = wantedOf(kept, all, "https://m.example/x/?filter=a#b");
  assertEquals(wanted.map((w) => w.url), [
    "https://m.example/x/sub%20dir/",
    "https://m.example/x/a.iso",
    "https://m.example/x/b%27c.iso",
    "https://m.example/x/%EA%B0%80",
  ]);
  assertEquals(curlLine(wanted.slice(1, 2)), "curl -fL --globoff -O https://m.example/x/a.iso");
  assertEquals(
    curlLine(wanted),
    "curl -fL --globoff \\\n  -O https://m.example/x/a.iso \\\n" +
      `  -o 'b'\\''c.iso' https://m.example/x/b%27c.iso \\\n` +
      "  -o '가' https://m.example/x/%EA%B0%80",
  );
  assertEquals(curlLine(wanted.slice(0, 1)), "");
  // What would turn the pasted line around, or break it, stays escaped.
  for (const name of ["\u202egpj.sh", "a\u2028b", "a\nb"]) {
    const url = `https://m.example/x/${encodeURIComponent(name)}`;
    assertEquals(curlLine([{ url, name, dir: false }]), `curl -fL --globoff -O ${url}`);
  }
  assertEquals(
    wgetLine(wanted.slice(0, 2)),
    "wget -c https://m.example/x/a.iso\n" +
      "wget -c -r -np -nH -R 'index.html*' https://m.example/x/sub%20dir/",
  );
  assertEquals([quote("a b"), quote("$(x)"), quote("a;b"), quote("ok-1.0")], [
    "'a b'",
    "'$(x)'",
    "'a;b'",
    "ok-1.0",
  ]);
});

Deno.test("readSums: GNU's, BSD's and a lone hash", () => {
  const [a, b, c] = ["a", "B", "c"].map((digit) => digit.repeat(64));
  const text = `# comment\n${a}  x.iso\n${b} *./y z.iso\r\nSHA256 (w.iso) = ${c}\n${
    c.slice(1)
  }  no\n`;
  assertEquals([...readSums(text, "SHA256SUMS")], [
    ["x.iso", a],
    ["y z.iso", b.toLowerCase()],
    ["w.iso", c],
  ]);
  assertEquals([...readSums(a + "\n", "x.iso.sha256")], [["x.iso", a]]);
  assertEquals([...readSums(a + "\n", "SHA256SUMS")], []);
  const names = ["SHA256SUMS", "sha256sum.txt", "sha256sums.txt", "x-CHECKSUM", "x.iso.sha256"];
  assertEquals(names.map(isSums), names.map(() => true));
  assertEquals(["x.iso", "SHA256SUMS.gpg", "SHA512SUMS"].map(isSums), [false, false, false]);
  assertEquals(hashName(`/d/by-hash/SHA256/${a}`), a);
  assertEquals(hashName(`/d/by-hash/MD5Sum/${a}`), undefined);
});

Deno.test("readSignature: who, when and with what, of old and new packets", () => {
  const subpackets = [
    [2, 0x65, 0x53, 0xf1, 0x00], // made 2023-11-14 22:13:20
    [33, 4, ...Array(20).fill(0xab)],
  ].flatMap((p) => [p.length, ...p]);
  const unhashed = [9, 16, 1, 2, 3, 4, 5, 6, 7, 8];
  const body = [
    4,
    0,
    22,
    8,
    0,
    subpackets.length,
    ...subpackets,
    0,
    unhashed.length,
    ...unhashed,
    9,
  ];
  const made = 0x6553f100, key = "AB".repeat(20), algorithm = "EdDSA";
  for (const head of [[0x88, body.length], [0x89, 0, body.length], [0xc2, body.length]]) {
    assertEquals(readSignature(Uint8Array.from([...head, ...body])), { made, key, algorithm });
  }
  const armoured = "-----BEGIN PGP SIGNATURE-----\nVersion: x\n\n" +
    btoa(String.fromCharCode(0x88, body.length, ...body)).replace(/.{40}/g, "$&\n") +
    "\n=abcd\n-----END PGP SIGNATURE-----\n";
  assertEquals(readSignature(unarmour("text\n" + armoured)!)?.key, key);
  const old = [3, 5, 0, 0x65, 0x53, 0xf1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 17, 2, 0, 0];
  assertEquals(readSignature(Uint8Array.from([0x88, old.length, ...old])), {
    made,
    key: "0102030405060708",
    algorithm: "DSA",
  });
  for (const none of [[], [1, 2, 3], [0x88], [0x99, 1, ...body], [0x88, 3, 4, 0, 1]]) {
    assertEquals(readSignature(Uint8Array.from(none)), undefined);
  }
  assertEquals(unarmour("untrusted comment: minisign"), undefined);
});

Deno.test("findReadme: the plainest, no directory, not an empty one", () => {
  const dir = { ...FILE, name: "readme/", files: 1, dirs: 0 } as Entry;
  const find = (...entries: Entry[]) => findReadme(keepEntries(entries))?.name;
  assertEquals(find(dir, ...named(["x", "README.html", "README.md", "readme.txt"])), "README.md");
  assertEquals(find(...named(["x", "README", "README.md"])), "README");
  assertEquals(find(dir, ...named(["README"])), undefined);
});

Deno.test("prefetchUrl: small directories only", () => {
  const dir = (files: number) => ({ ...FILE, name: "a b/", files, dirs: 0 } as Entry);
  assertEquals([prefetchUrl(dir(10)), prefetchUrl(dir(9999)), prefetchUrl(FILE)], [
    "a%20b/?format=json",
    undefined,
    undefined,
  ]);
});

Deno.test("agoOf: the largest whole unit", () => {
  const t = translator("en");
  const cases: [number, string][] = [
    [-5, "just now"],
    [59, "just now"],
    [120, "2 min ago"],
    [7199, "1 hour ago"],
    [86400 * 3, "3 days ago"],
    [86400 * 45, "1 month ago"],
    [86400 * 365 * 3, "2 years ago"],
  ];
  for (const [seconds, text] of cases) assertEquals([seconds, agoOf(seconds, t)], [seconds, text]);
});

Deno.test("Kept: the order of the listing is kept as the indexer wrote it", () => {
  const entries = named(["a10", "a2", "B", "z"]).sort(compareEntries);
  assertEquals(namesOf(keepEntries(entries), [0, 1, 2, 3]), ["B", "a2", "a10", "z"]);
});
