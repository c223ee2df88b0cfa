import { assertEquals } from "@std/assert";
import { Table } from "../../scripts/indexer/table.ts";

const LINES = ["/ 1", "a 2", "a-b 3", "a/b 4", "a/b/c 5", "b 6"];
const text = (table: Table) =>
  table.pieces().map((piece) => new TextDecoder().decode(piece)).join("");

Deno.test("Table: what was never there, an empty table", () => {
  const table = Table.of([]);
  assertEquals([table.get("a"), table.startingWith(""), table.size, text(table)], [
    undefined,
    [],
    0,
    "",
  ]);
  table.set("a", "a 1");
  assertEquals([table.get("a"), table.size, text(table)], ["a 1", 1, "a 1\n"]);
});

Deno.test("Table: each line is found by its key, and nothing else is", () => {
  const table = Table.of(LINES.toReversed());
  for (const line of LINES) assertEquals(table.get(line.split(" ")[0]), line);
  for (const key of ["", "!", "a/", "a/b/", "aa", "b/", "c"]) {
    assertEquals([key, table.get(key)], [key, undefined]);
  }
  assertEquals(table.startingWith("a/"), ["a/b 4", "a/b/c 5"]);
  assertEquals(table.startingWith("b"), ["b 6"]);
  assertEquals(table.size, LINES.length);
});

Deno.test("Table: random edits, the same as a sorted list", () => {
  let seed = 1;
  const random = (n: number) => (seed = seed * 48271 % 0x7fffffff) % n;
  for (let round = 0; round < 200; round++) {
    const key = () => Array.from({ length: 1 + random(3) }, () => "a-/b$"[random(5)]).join("");
    const all = new Map(Array.from({ length: random(30) }, () => key()).map((k) => [k, `${k} 0`]));
    const table = Table.of([...all.values()]);
    for (let n = random(10); n > 0; n--) {
      const k = key(), line = random(2) ? `${k} ${n}` : undefined;
      table.set(k, line);
      if (line) all.set(k, line);
      else all.delete(k);
    }
    const sorted = [...all.values()].sort();
    assertEquals(table.all(), sorted);
    assertEquals(text(table), sorted.map((line) => line + "\n").join(""));
    assertEquals(table.size, sorted.length);
  }
});
