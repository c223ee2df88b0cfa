/** `/nodes.json` and the nodes' metrics, by the embedded server and by nginx, while Deno is down as well. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type NodesState, readNodes } from "../../formats/nodes.ts";
import { nodesFile } from "../../scripts/lib/storage.ts";
import { writeWhole } from "../../scripts/lib/files.ts";
import { nodesMetrics } from "../../server/nodes.ts";
import { renderMetrics } from "../../server/metrics.ts";
import { ask, requestText } from "../helpers/raw_http.ts";
import { startPair } from "./conformance/storage.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

const STATE: NodesState = {
  v: 1,
  name: "mirror.test",
  checker: "c",
  at: 1_790_000_000,
  intervalSeconds: 60,
  alarms: [{ code: "floor4", message: "few", since: 1_790_000_000 }],
  nodes: [{
    name: "a",
    state: "up",
    since: 1_780_000_000,
    drained: false,
    weight: 1,
    addresses: [{
      address: "2001:db8::1",
      family: 6,
      state: "up",
      since: 1_780_000_000,
      published: true,
      lastSync: 1_789_999_000,
      checks: [{ check: "http", ok: true, reason: "", durationMs: 1500, at: 1_790_000_000 }],
    }],
    days: [],
  }],
};

Deno.test("nodesMetrics: addresses, checks, alarms; nothing where nothing is known", () => {
  const metrics = renderMetrics(nodesMetrics(STATE));
  const labels = 'node="a",address="2001:db8::1"';
  for (
    const line of [
      `mirrorkit_node_up{${labels}} 1`,
      `mirrorkit_node_published{${labels}} 1`,
      `mirrorkit_node_last_sync_timestamp_seconds{${labels}} 1789999000`,
      `mirrorkit_node_check_good{${labels},check="http"} 1`,
      `mirrorkit_node_check_duration_seconds{${labels},check="http"} 1.5`,
      'mirrorkit_node_drained{node="a"} 0',
      'mirrorkit_healthz_alarm{code="floor4"} 1',
      "mirrorkit_healthz_last_run_timestamp_seconds 1790000000",
    ]
  ) assertStringIncludes(metrics, line + "\n");
  assertEquals(nodesMetrics(undefined), []);
  const unknown = structuredClone(STATE);
  unknown.nodes[0].addresses[0].state = "unknown";
  assert(!renderMetrics(nodesMetrics(unknown)).includes("mirrorkit_node_up"));
});

Deno.test("/nodes.json: as healthz left it, by both servers; 404 without, or where it is damaged", async () => {
  await using pair = await startPair();
  const answers = async () => {
    const list = [];
    for (const server of [pair.embedded, pair.nginx]) {
      const { status, headers, body } = await ask(server, requestText("/nodes.json"));
      list.push({ status, type: headers.get("content-type"), state: readNodes(text(body)) });
    }
    return list;
  };
  assertEquals((await answers()).map((a) => a.status), [404, 404]);
  await writeWhole(nodesFile(pair.node.data), JSON.stringify(STATE) + "\n");
  const good = { status: 200, type: "application/json", state: STATE };
  assertEquals(await answers(), [good, good]);
  const metrics = await ask(pair.nginx, requestText("/metrics"));
  assertStringIncludes(text(metrics.body), 'mirrorkit_node_drained{node="a"} 0\n');
  await writeWhole(nodesFile(pair.node.data), JSON.stringify({ ...STATE, nodes: [{ name: 1 }] }));
  assertEquals((await answers())[0].status, 404);
  await writeWhole(nodesFile(pair.node.data), JSON.stringify(STATE) + "\n");
  await pair.down();
  assertEquals((await ask(pair.nginx, requestText("/nodes.json"))).status, 200);
});
