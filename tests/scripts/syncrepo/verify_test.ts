import { assertEquals } from "@std/assert";
import { profiles } from "../../../scripts/profiles/mod.ts";
import {
  describeGaps,
  find,
  gapOf,
  onePacking,
  type Overlay,
} from "../../../scripts/syncrepo/verify.ts";
import { tempDir } from "../../helpers/node.ts";

async function overlay(dir: string): Promise<Overlay> {
  await Deno.mkdir(dir + "/tree/pool", { recursive: true });
  await Deno.mkdir(dir + "/staged/pool", { recursive: true });
  await Deno.writeTextFile(dir + "/outside", "12345");
  await Deno.writeTextFile(dir + "/tree/pool/a", "123");
  await Deno.writeTextFile(dir + "/tree/pool/b", "123");
  await Deno.writeTextFile(dir + "/staged/pool/b", "1234");
  for (
    const [name, target] of [["link", "pool/b"], ["out", "../outside"], ["loop", "loop"], [
      "dangling",
      "pool/x",
    ]]
  ) {
    await Deno.symlink(target, `${dir}/tree/${name}`);
  }
  return { tree: dir + "/tree", stagedIn: dir + "/staged", staged: new Set(["pool/b"]) };
}

Deno.test("find: staged before served, through links, never out of the tree", async () => {
  await using dir = await tempDir();
  const o = await overlay(dir.path);
  const table: [string, number | undefined][] = [
    ["pool/a", 3],
    ["pool/b", 4],
    ["link", 4],
    ["x/../pool/a", 3],
    ["out", undefined],
    ["../outside", undefined],
    ["pool/../../outside", undefined],
    ["loop", undefined],
    ["dangling", undefined],
    ["pool", undefined],
  ];
  for (const [path, bytes] of table) assertEquals([path, find(o, path)?.bytes], [path, bytes]);
});

Deno.test("gapOf: missing, of another size, or optional", async () => {
  await using dir = await tempDir();
  const o = await overlay(dir.path);
  const problem = (path: string, bytes?: number, optional?: true) =>
    gapOf(o, "db", { path, bytes, optional })?.problem;
  assertEquals(problem("pool/a", 3), undefined);
  assertEquals(problem("pool/a"), undefined);
  assertEquals(problem("pool/a", 4), "has 3 bytes, not 4");
  assertEquals(problem("pool/c", 4), "is missing");
  assertEquals(problem("pool/c", 4, true), undefined);
  assertEquals(problem("pool/a", 4, true), "has 3 bytes, not 4");
});

Deno.test("onePacking: of Packages in several packings, the quickest to read", () => {
  const paths = ["Packages.xz", "Packages", "Packages.gz"].map((f) =>
    `dists/sid/main/binary-all/${f}`
  );
  assertEquals(onePacking(paths, profiles.debian.databases).map(([p]) => p), [paths[2]]);
});

Deno.test("describeGaps: three are shown, names can't command a terminal", () => {
  const gap = (path: string) => ({ database: "db", path, problem: "is missing" });
  assertEquals(describeGaps([gap("a\x1b[2J")]).includes("\x1b"), false);
  assertEquals(
    describeGaps(["a", "b", "c", "d"].map(gap)),
    "a is missing (db); b is missing (db); c is missing (db); and 1 more",
  );
});
