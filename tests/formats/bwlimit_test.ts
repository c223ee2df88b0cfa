import { assertEquals } from "@std/assert";
import { readBwlimitStatus } from "../../formats/bwlimit.ts";
import { STATUS } from "./bwlimit_status.ts";

Deno.test("readBwlimitStatus: what was written is read; what is damaged is not", () => {
  const text = JSON.stringify(STATUS);
  assertEquals(readBwlimitStatus(text), STATUS);
  assertEquals(
    readBwlimitStatus(JSON.stringify({ ...STATUS, collector: null, difference: null }))?.v,
    1,
  );
  const damaged = [
    "",
    text.slice(0, -9),
    JSON.stringify({ ...STATUS, v: 2 }),
    JSON.stringify({ ...STATUS, mode: "off" }),
    JSON.stringify({ ...STATUS, watched: -1 }),
    JSON.stringify({ ...STATUS, bytes: null }),
    JSON.stringify({ ...STATUS, actions: { banned: "7" } }),
    JSON.stringify({ ...STATUS, collector: { packets: null } }),
    JSON.stringify({ ...STATUS, alarms: [1] }),
  ];
  for (const one of damaged) assertEquals([one, readBwlimitStatus(one)], [one, undefined]);
});
