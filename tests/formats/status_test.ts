import { assertEquals } from "@std/assert";
import { freshness } from "../../formats/freshness.ts";
import { newStatus, readStatus, type RepoStatus } from "../../formats/status.ts";

const status = (more: Partial<RepoStatus>): RepoStatus => ({
  ...newStatus("a", "/a/", "arch"),
  ...more,
});

Deno.test("readStatus: reads what is written, undefined for anything else", () => {
  const s = status({ lastSuccess: 5, size: { bytes: 1, files: 2 } });
  assertEquals(readStatus(JSON.stringify(s)), s);
  const bad = [
    "",
    "{",
    "null",
    "[]",
    `{"v":2}`,
    JSON.stringify({ ...s, outcome: "fine" }),
    JSON.stringify({ ...s, bytes: "1" }),
  ];
  for (const text of bad) assertEquals([text, readStatus(text)], [text, undefined]);
});

Deno.test("freshness: by readiness and age; an unknown is never fresh", () => {
  const failed = { at: 90, message: "no route", hint: null };
  const table: [RepoStatus | undefined, boolean, string, RegExp][] = [
    [status({ lastSuccess: 100 }), true, "fresh", /last synced 10 s ago/],
    [status({ lastSuccess: 100, lastError: failed }), true, "fresh", /ago$/],
    [
      status({ lastSuccess: 40, lastError: failed }),
      true,
      "stale",
      /allowed are 1 min; .*failed: no route/,
    ],
    [status({}), true, "stale", /not known/],
    [undefined, true, "stale", /not known/],
    [undefined, false, "initial", /has not completed$/],
    [status({ lastError: failed }), false, "initial", /has not completed: no route/],
  ];
  for (const [s, ready, state, reason] of table) {
    const result = freshness(s, ready, 60, 110);
    assertEquals([result.state, reason.test(result.reason)], [state, true], result.reason);
  }
});
