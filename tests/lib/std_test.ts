/** The ambient declarations in scripts/lib/std.d.ts are true of the real library. */
import { assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { parseArgs } from "@std/cli/parse-args";
import * as path from "@std/path/posix";
import { closestString } from "@std/text/closest-string";
import { parse } from "@std/toml";

Deno.test("std: the functions that are declared exist and behave as declared", () => {
  assertEquals(parseArgs(["-q", "--data", "x", "y"], { string: ["data"], alias: { q: "quiet" } }), {
    _: ["y"],
    q: true,
    quiet: true,
    data: "x",
  });
  assertEquals(concat([new Uint8Array([1]), new Uint8Array([2, 3])]), new Uint8Array([1, 2, 3]));
  assertEquals(closestString("archlinx", ["debian", "archlinux"]), "archlinux");
  assertEquals(parse("[a]\nb = [1]"), { a: { b: [1] } });
  assertThrows(() => parse("a="), Error);
  assertEquals(path.join("/a", "../b/"), "/b/");
  for (const name of ["dirname", "basename", "resolve", "relative", "normalize", "fromFileUrl"]) {
    assertEquals(typeof path[name as keyof typeof path], "function");
  }
});
