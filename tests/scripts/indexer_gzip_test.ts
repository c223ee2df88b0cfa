import { assertEquals } from "@std/assert";
import { gunzipSync } from "node:zlib";
import { compress } from "../../scripts/indexer/gzip.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const rows = (n: number, change = -1) =>
  Array.from(
    { length: n },
    (_, i) => `${i * 7919 % 10007} row ${i}${i === change ? " new" : ""}\n`,
  );

Deno.test("compress: any gzip reader gets the text back", async () => {
  for (
    const text of [
      "",
      "x",
      "no line end",
      "\n\n",
      rows(5000).join(""),
      rows(5000).join("") + "rest",
    ]
  ) {
    const packed = compress(encode(text));
    assertEquals(new TextDecoder().decode(gunzipSync(packed)), text);
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    assertEquals(await new Response(stream).text(), text);
    const gunzip = new Deno.Command("gzip", { args: ["-dc"], stdin: "piped", stdout: "piped" })
      .spawn();
    const writer = gunzip.stdin.getWriter();
    writer.write(packed).then(() => writer.close());
    const { code, stdout } = await gunzip.output();
    assertEquals([code, new TextDecoder().decode(stdout)], [0, text]);
  }
});

Deno.test("compress: with pieces of an older version, the same bytes as without", () => {
  const old = encode(rows(20_000).join(""));
  const before = { text: old, gzip: compress(old) };
  const list = rows(20_000);
  const cases = [
    list,
    rows(20_000, 0),
    rows(20_000, 19_999),
    rows(20_000, 9000),
    list.slice(100),
    list.slice(0, -3000),
    [...list.slice(0, 500), ...list.slice(900)],
    [...list, ...rows(300, 7)],
    list.toReversed(),
    [],
  ];
  for (const [i, lines] of cases.entries()) {
    const text = encode(lines.join(""));
    assertEquals([i, compress(text, before)], [i, compress(text)]);
  }
});

Deno.test("compress: an older version of somebody else is not used", () => {
  const text = encode(rows(3000).join("")), good = compress(text);
  const foreign = [new Uint8Array(), good.slice(0, 40), good.slice(0, -1), encode("x".repeat(99))];
  for (const gzip of foreign) assertEquals(compress(text, { text, gzip }), good);
  assertEquals(compress(text, { text: text.slice(1), gzip: good }), good);
});

Deno.test("compress: a text in so many pieces that they must be longer", () => {
  // Every line begins a piece: all have the same 16 bytes that decide, and these do.
  const line = (i: number) => `${"x".repeat(9)}yyyyyyyyyyyyy248 ${i}\n`;
  const text = encode(Array.from({ length: 40_000 }, (_, i) => line(i)).join(""));
  const packed = compress(text);
  assertEquals(gunzipSync(packed).length, text.length);
  assertEquals(compress(text, { text, gzip: packed }), packed);
});
