import { assertEquals, assertStringIncludes } from "@std/assert";
import { STATUS } from "../formats/bwlimit_status.ts";
import { makeNode } from "./fixture.ts";

Deno.test("/status.json and /metrics: what bwlimit did, and nothing where it does not run", async () => {
  await using n = await makeNode({ arch: "/arch/" });
  const metrics = async () => await (await n.get("/metrics")).text();
  const status = async () => (await (await n.get("/status.json")).json()).bwlimit;
  assertEquals([await status(), (await metrics()).includes("bwlimit")], [undefined, false]);
  await Deno.mkdir(n.data + "/state/bwlimit", { recursive: true });
  await n.state("bwlimit/status.json", JSON.stringify(STATUS));
  assertEquals(await status(), STATUS);
  const text = await metrics();
  const lines = [
    "mirrorkit_bwlimit_last_look_timestamp_seconds 1800000000",
    "mirrorkit_bwlimit_enforcing 1",
    'mirrorkit_bwlimit_clients{state="banned"} 2',
    'mirrorkit_bwlimit_actions_total{did="banned"} 7',
    'mirrorkit_bwlimit_sent_bytes_total{protocol="tcp"} 5000',
    "mirrorkit_bwlimit_destinations 900",
    "mirrorkit_bwlimit_sources_difference_ratio 0.004",
    "mirrorkit_bwlimit_collector_lost 1",
    "mirrorkit_bwlimit_alarms 1",
  ];
  for (const line of lines) assertStringIncludes(text, line + "\n");
  await n.state("bwlimit/status.json", "{");
  assertEquals([await status(), (await metrics()).includes("bwlimit")], [undefined, false]);
});
