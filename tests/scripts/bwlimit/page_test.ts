/** What the refused are told, what operators are shown, and what is written down; without a kernel. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { answer } from "../../../scripts/bwlimit/answer.ts";
import { commandsOf } from "../../../scripts/bwlimit/commands.ts";
import {
  audit,
  changeOrders,
  filesIn,
  loadMemory,
  loadOrders,
  openFolder,
  pseudonyms,
  tidyAudit,
} from "../../../scripts/bwlimit/memory.ts";
import { elementsOf, transactions } from "../../../scripts/bwlimit/nft.ts";
import { formatFor, type Refusal } from "../../../scripts/bwlimit/page.ts";
import { tempDir } from "../../helpers/node.ts";
import { MIB } from "../../../scripts/demo/limited.ts";

const NOW = 1_800_000_000;
const REFUSAL: Refusal = {
  who: "192.0.2.7",
  why: "10 GiB within 1 h are <used> up",
  counted: { tcp: 10 * 1024 * MIB, udp: 0, other: 5 },
  limits: [{ seconds: 3600, bytes: 10 * 1024 * MIB }],
  until: NOW + 1799.2,
};
const HOST = { name: "mirror.example.org", contact: "admin@example.org" };

const ask = (accept: string, refusal: Refusal | undefined = REFUSAL, method = "GET") =>
  answer(new Request("http://x/iso", { method, headers: { accept } }), "192.0.2.7", {
    refused: () => Promise.resolve(refusal),
    host: HOST,
    now: () => NOW,
  });

Deno.test("formatFor: only who names HTML or JSON gets it", () => {
  const table: [string, string][] = [
    ["text/html,application/xhtml+xml,*/*;q=0.8", "html"],
    ["application/json", "json"],
    ["application/problem+json", "json"],
    ["*/*", "text"],
    ["", "text"],
  ];
  for (const [accept, format] of table) assertEquals([accept, formatFor(accept)], [accept, format]);
});

Deno.test("answer: 429 and Retry-After in whole seconds, never cached; nothing runs in its page", async () => {
  const html = await ask("text/html");
  const { headers } = html;
  assertEquals([html.status, headers.get("retry-after"), headers.get("cache-control")], [
    429,
    "1800",
    "no-store",
  ]);
  assertEquals(
    headers.get("content-security-policy"),
    "default-src 'none'; style-src 'unsafe-inline'",
  );
  const text = await html.text();
  assertStringIncludes(text, "<dd>10 GiB within 1 h are &#60;used");
  assertStringIncludes(text, '<a href="mailto:admin@example.org">admin@example.org</a>');
  const json = await (await ask("application/json")).json();
  assertEquals([json.status, json.retry_after, json.contact], [429, 1800, HOST.contact]);
  assertEquals([json.until, json.counted], ["2027-01-15T08:29:59Z", REFUSAL.counted]);
  assertMatch(
    await (await ask("*/*")).text(),
    /^429 Too many requests\n\nmirror\.example\.org is shared/,
  );
  assertEquals(await (await ask("*/*", REFUSAL, "HEAD")).text(), "");
});

Deno.test("answer: who is not refused is told so", async () => {
  const response = await answer(new Request("http://x/"), "192.0.2.8", {
    refused: () => Promise.resolve(undefined),
    host: HOST,
    now: () => NOW,
  });
  assertEquals([response.status, response.headers.get("retry-after")], [404, null]);
});

Deno.test("commandsOf: what is renewed or removed need not be there; a quota keeps what it has counted", () => {
  const table: [Parameters<typeof commandsOf>[0], string[]][] = [
    [{ do: "ban", id: "c4 192.0.2.7", seconds: 3600 }, [
      "add element inet mirrorkit ban_c4 { 192.0.2.7 }",
      "delete element inet mirrorkit ban_c4 { 192.0.2.7 }",
      "add element inet mirrorkit ban_c4 { 192.0.2.7 timeout 1h }",
      "add element inet mirrorkit block_c4 { 192.0.2.7 }",
      "delete element inet mirrorkit block_c4 { 192.0.2.7 }",
    ]],
    [{ do: "quota", id: "c6 2001:db8::", hard: 9, fresh: false }, [
      "add quota inet mirrorkit hard_c6_2001_db8__ { over 9 bytes }",
    ]],
    [{ do: "quota", id: "n4 192.0.2.0", hard: 9, soft: 5, fresh: true }, [
      "add quota inet mirrorkit hard_n4_192_0_2_0 { over 9 bytes }",
      'add element inet mirrorkit ownhard_n4 { 192.0.2.0 : "hard_n4_192_0_2_0" }',
      "add quota inet mirrorkit soft_n4_192_0_2_0 { over 5 bytes }",
      'add element inet mirrorkit ownsoft_n4 { 192.0.2.0 : "soft_n4_192_0_2_0" }',
      "add element inet mirrorkit own_n4 { 192.0.2.0 }",
    ]],
    [{ do: "free", id: "c4 192.0.2.7" }, ["add element inet mirrorkit free_c4 { 192.0.2.7 }"]],
  ];
  for (const [action, commands] of table) assertEquals(commandsOf(action), commands);
});

Deno.test("transactions: as few as fit, a group never split", () => {
  assertEquals(transactions([["a", "b"], ["c"], ["d"]], 6), ["a\nb\nc\n", "d\n"]);
  assertEquals([transactions([]), transactions([["longer than that"]], 5)], [[], [
    "longer than that\n",
  ]]);
});

Deno.test("elementsOf: with counters and times, bare, and none", () => {
  const json = (elem: string) => `{"nftables": [{"metainfo": {}}, {"set": {"name": "s"${elem}}}]}`;
  assertEquals(elementsOf(json("")), []);
  assertEquals(
    elementsOf(
      json(
        `, "elem": ["1.2.3.4", {"elem": {"val": {"concat": ["1.2.3.5", "tcp"]}, "expires": 9}}]`,
      ),
    ),
    [
      { val: "1.2.3.4" },
      { val: { concat: ["1.2.3.5", "tcp"] }, expires: 9 },
    ],
  );
});

Deno.test("audit: an address leaves the log after the time for which it may be known", async () => {
  await using dir = await tempDir();
  const files = filesIn(dir.path);
  await openFolder(files);
  const line = (at: number) => ({
    at,
    did: "banned" as const,
    who: "192.0.2.7",
    why: "w",
    by: "kernel" as const,
  });
  await audit(files, [line(NOW - 5000), line(NOW - 10)], "enforce");
  await tidyAudit(files, 3600, NOW);
  const lines = (await Deno.readTextFile(files.audit)).trim().split("\n").map((l) =>
    JSON.parse(l).who
  );
  assertEquals(lines, ["forgotten", "192.0.2.7"]);
});

Deno.test("memory: damaged is as good as none; orders that are over are dropped; a pseudonym stays", async () => {
  await using dir = await tempDir();
  const files = filesIn(dir.path);
  await openFolder(files);
  assertEquals(await loadMemory(files), undefined);
  for (const text of ["{", '{"v":2}', '{"v":1,"clients":7}']) {
    await Deno.writeTextFile(files.memory, text);
    assertEquals([text, await loadMemory(files)], [text, undefined]);
  }
  const ban = {
    id: "c4 192.0.2.7" as const,
    at: NOW,
    until: NOW + 60,
    step: "ban" as const,
    why: "w",
  };
  await changeOrders(files, NOW, (orders) => void orders.bans.push(ban));
  assertEquals((await loadOrders(files, NOW + 59)).bans.length, 1);
  assertEquals((await loadOrders(files, NOW + 61)).bans.length, 0);
  const name = (await pseudonyms(files))("c4 192.0.2.7");
  assertEquals((await pseudonyms(files))("c4 192.0.2.7"), name);
  assertMatch(name, /^[\w-]{22}$/);
});
