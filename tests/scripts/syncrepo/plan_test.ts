import { assertEquals, assertMatch } from "@std/assert";
import { type Look, Planner, refusal } from "../../../scripts/syncrepo/plan.ts";
import { inOrder, splitDeletions } from "../../../scripts/syncrepo/publish.ts";
import { readItem } from "../../../scripts/syncrepo/rsync.ts";

/** Plans lines of rsync over a tree that holds what `here` says. */
function planOf(lines: string[], here: Record<string, "dir" | "other"> = {}, held = [/\.db$/]) {
  const direct: string[] = [];
  const look: Look = (path) => here[path] ?? "nothing";
  const planner = new Planner("list", { held }, look, (path) => direct.push(path));
  for (const line of lines) planner.add(readItem(line, "@")!);
  return { plan: planner.plan, direct, staged: [...planner.plan.staged.keys()] };
}

Deno.test("Planner: new files go in at once; links, databases and replacements are staged", () => {
  const { plan, direct, staged } = planOf([
    "cd+++++++++ 4096 new/@",
    ">f+++++++++ 10 new/pkg@",
    "cL+++++++++ 3 link@ -> pkg",
    ">f+++++++++ 5 core.db@",
    ">f.st...... 7 changed@",
    ".f..t...... 7 touched@",
    ".L..t...... 7 touched.link@ -> x",
    "*deleting   0 old@",
    "*deleting   0 olddir/@",
  ]);
  assertEquals(direct, ["new", "new/pkg", "touched", "touched.link"]);
  assertEquals(staged, ["link", "core.db", "changed"]);
  assertEquals([plan.direct.bytes, plan.stagedBytes, plan.added, plan.changed, plan.deleted], [
    10,
    12,
    3,
    3,
    1,
  ]);
  assertEquals(plan.changes, [
    "new/",
    "new/pkg",
    "link",
    "core.db",
    "changed",
    "touched",
    "touched.link",
    "old",
    "olddir/",
  ]);
});

Deno.test("Planner: what replaces another type is staged, with all below it", () => {
  const { plan, direct, staged } = planOf([
    "cd+++++++++ 4096 a/@",
    ">f+++++++++ 1 a/x@",
    ">f+++++++++ 1 b@",
    ">f+++++++++ 1 c@",
  ], { a: "other", b: "dir" });
  assertEquals([direct, staged, [...plan.typeChanges]], [["c"], ["a", "a/x", "b"], ["a", "b"]]);
});

Deno.test("Planner: both names of a hard link come in one transfer", () => {
  const { direct, staged } = planOf([
    "hf+++++++++ 5 copy@ => there",
    ">f.st...... 5 Packages.db@",
    "hf+++++++++ 5 by-hash/x@ => Packages.db",
  ]);
  assertEquals([direct, staged], [["copy", "there"], ["Packages.db", "by-hash/x"]]);
});

Deno.test("Planner: a name that Deno can't say is left to rsync", () => {
  const { direct, staged } = planOf([">f.st...... 5 bad\\#377.db@"]);
  assertEquals([direct, staged], [["bad\xff.db"], []]);
});

Deno.test("refusal: share and count, and what a person allowed", () => {
  const limits = { percent: 10, files: 50 };
  const table: [number, number, number | undefined, boolean][] = [
    [10, 100, undefined, false],
    [11, 100, undefined, true],
    [11, 100, 11, false],
    [12, 100, 11, true],
    [51, 10_000, undefined, true],
    [50, 10_000, undefined, false],
    [0, 0, undefined, false],
    [1, 1, undefined, true],
  ];
  for (const [deleted, local, allowed, refused] of table) {
    const reason = refusal({ deleted, local }, limits, allowed);
    assertEquals([deleted, local, allowed, reason !== undefined], [
      deleted,
      local,
      allowed,
      refused,
    ]);
  }
  assertMatch(
    refusal({ deleted: 60, local: 100 }, limits, undefined)!,
    /60 files of our 100 \(60 %\); max_delete allows 10,/,
  );
});

Deno.test("inOrder: what is held in no group first, then group after group", () => {
  const held = [/\/repodata\/(?!repomd)/, /repomd\.xml$/];
  const paths = ["x/repodata/repomd.xml", "x/Packages/link", "x/repodata/primary.xml.gz"];
  assertEquals(inOrder(paths, held), [
    "x/Packages/link",
    "x/repodata/primary.xml.gz",
    "x/repodata/repomd.xml",
  ]);
});

Deno.test("splitDeletions: needed is kept, and what lay below a changed type is left alone", () => {
  const items = ["*deleting   0 a@", "*deleting   0 b@", "*deleting   0 dir/x@"].map((l) =>
    readItem(l, "@")!
  );
  const { go, keep } = splitDeletions(items, new Set(["b"]), new Set(["dir"]));
  assertEquals([go.map((i) => i.path), keep.map((i) => i.path)], [["a"], ["b"]]);
});
