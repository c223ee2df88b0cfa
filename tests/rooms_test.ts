/** Each room imports only what the design lets it: a rule that is a program. */
import { assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join, relative } from "@std/path/posix";

const ROOT = fromFileUrl(new URL("..", import.meta.url));

/**
 * Which of our rooms a file may import, by the first pattern that its path matches. A script's own parts
 * stand in a folder of its name (`scripts/syncrepo/`) and are imported by nobody else.
 */
const RULES: [RegExp, (imported: string, from: string) => boolean][] = [
  [/^formats\//, (i) => /^formats\//.test(i)],
  [/^scripts\/lib\//, (i) => /^(?:formats|scripts\/lib)\//.test(i)],
  [/^scripts\/profiles\//, (i) => /^(?:formats|scripts\/profiles)\//.test(i)],
  [/^scripts\//, (i, from) => {
    const own = /^scripts\/(\w+)/.exec(from)![1];
    return /^(?:formats|scripts\/lib|scripts\/profiles)\//.test(i) ||
      i.startsWith(`scripts/${own}/`);
  }],
  [/^server\//, (i) => /^(?:formats|scripts\/lib|server)\//.test(i)],
  [/^web\//, (i) => /^(?:formats|web)\//.test(i)],
  [/^(?:tests|bench)\//, (i) => !/^(?:tests|bench)\//.test(i)],
];

/** The imports of ours that a source text names, as paths from the root. */
function ourImports(source: string, file: string): string[] {
  const specifiers = source.matchAll(/(?:^|[\s;}])(?:from|import)\s*\(?\s*["'](\.[^"']+)["']/g);
  return [...specifiers].map(([, s]) => join(dirname(file), s));
}

/** What breaks a rule in one file. */
function broken(file: string, source: string): string[] {
  const rule = RULES.find(([pattern]) => pattern.test(file))?.[1];
  if (!rule) return [`${file}: is in no room`];
  const imports = ourImports(source, file).filter((i) => {
    if (rule(i, file)) return false;
    // Tests and benches share helpers within their own room.
    return !(/^(?:tests|bench)\//.test(file) && i.split("/")[0] === file.split("/")[0]);
  }).map((i) => `${file}: may not import ${i}`);
  const deno = /^web\/(?!build\.ts)/.test(file) || /^formats\//.test(file);
  return deno && /\bDeno\./.test(source.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, ""))
    ? [...imports, `${file}: may not use Deno.*`]
    : imports;
}

async function* sources(dir: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(dir)) {
    if (/^(?:node_modules|dist|cache|data|\..*)$/.test(entry.name)) continue;
    const path = join(dir, entry.name);
    if (entry.isDirectory) yield* sources(path);
    else if (/\.tsx?$/.test(entry.name)) yield path;
  }
}

Deno.test("rooms: every import is one that the design allows", async () => {
  const found: string[] = [];
  let files = 0;
  for await (const path of sources(ROOT)) {
    files++;
    found.push(...broken(relative(ROOT, path), await Deno.readTextFile(path)));
  }
  assertEquals(found, []);
  assertEquals(files > 10, true);
});

Deno.test("rooms: a forbidden import is noticed", () => {
  const cases: [string, string, number][] = [
    ["formats/a.ts", `import { x } from "./b.ts";`, 0],
    ["formats/a.ts", `import { x } from "../scripts/lib/b.ts";`, 1],
    ["formats/a.ts", `const x = Deno.pid;`, 1],
    ["scripts/lib/a.ts", `export * from "../profiles/b.ts";`, 1],
    ["scripts/profiles/a.ts", `import "../lib/b.ts";`, 1],
    ["scripts/indexer.ts", `import { x } from "./syncrepo.ts";`, 1],
    ["scripts/indexer.ts", `import { x } from "./indexer/walk.ts";`, 0],
    ["scripts/syncrepo.ts", `import { x } from "./indexer/walk.ts";`, 1],
    ["scripts/syncrepo/plan.ts", `import { x } from "../lib/run.ts";`, 0],
    ["server/app.ts", `import { x } from "../scripts/indexer.ts";`, 1],
    ["server/app.ts", `const x = await import("../scripts/syncrepo.ts");`, 1],
    ["web/page.ts", `import { x } from "../server/app.ts";`, 1],
    ["web/page.ts", `Deno.readTextFile("x");`, 1],
    ["scripts/demo.ts", `import { x } from "../tests/x.ts";`, 1],
    ["tests/a_test.ts", `import { x } from "../scripts/indexer.ts"; import "./helpers.ts";`, 0],
    ["elsewhere/a.ts", ``, 1],
  ];
  for (const [file, source, problems] of cases) {
    assertEquals([file, source, broken(file, source).length], [file, source, problems]);
  }
});
