import { assertEquals } from "@std/assert";
import { restOfSecond } from "../../../scripts/syncrepo/attempt.ts";

Deno.test("restOfSecond: into the next second, and never less than no time", () => {
  const rows: [sinceMs: number, nowMs: number, ms: number][] = [
    [5000, 5000, 1100],
    [5999, 5999, 101],
    [5200, 5900, 200],
    [5200, 6100, 0],
    [5200, 9000, 0], // a timer with a negative time makes Deno complain
  ];
  for (const [since, now, ms] of rows) assertEquals(restOfSecond(since, now), ms);
});
