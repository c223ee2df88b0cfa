import { assertEquals } from "@std/assert";
import { MAX_CHANGES, readChanges, writeChanges } from "../../formats/changes.ts";

Deno.test("change list: any name survives, each once", () => {
  const paths = ["pool/a b", "bad\xff\n", "dir/", "pool/a b", "#x"];
  assertEquals(readChanges(writeChanges(paths)), new Set(paths));
  assertEquals(readChanges(""), new Set());
});

Deno.test("change list: everything, too much and damage all mean everything", () => {
  assertEquals(writeChanges("everything"), "/\n");
  assertEquals(writeChanges(Array(MAX_CHANGES + 1).fill("x")), "/\n");
  const bad = [
    "/\n",
    "a\n/\nb\n",
    "a\nhalf a li",
    "%zz\n",
    "a//b\n",
    "../x\n",
    "a/./b\n",
    "/etc/passwd\n",
    "\n",
  ];
  for (const text of bad) assertEquals([text, readChanges(text)], [text, "everything"]);
});
