/**
 * Builds the page into web/dist: `deno task build`.
 *
 * Assets are named by a hash of their content, so a cache may keep them for ever; the shell that names
 * them is published last, by rename. Assets of earlier builds stay for a day: a page that was loaded
 * just before a new build still finds its own.
 */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { fromFileUrl, join } from "@std/path/posix";

const SOURCE = fromFileUrl(new URL(".", import.meta.url));
const KEEP_MS = 24 * 3600 * 1000;

/** Writes a file and its `.gz` sibling, each whole. */
async function publish(path: string, content: Uint8Array<ArrayBuffer>) {
  for (
    const [name, bytes] of [[`${path}.gz`, gzipSync(content, { level: 9 })], [
      path,
      content,
    ]] as const
  ) {
    const beside = `${name}.${Deno.pid}.new`;
    await Deno.writeFile(beside, bytes);
    await Deno.rename(beside, name);
  }
}

/** Removes assets that are neither of this build nor fresh. */
async function sweep(directory: string, current: Set<string>) {
  for await (const { name } of Deno.readDir(directory)) {
    if (current.has(name.replace(/\.gz$/, ""))) continue;
    const path = join(directory, name), { mtime } = await Deno.stat(path);
    if (Date.now() - (mtime?.getTime() ?? 0) > KEEP_MS) await Deno.remove(path);
  }
}

/** What a page loads, and the messages that it never says: they are left out of its bundle. */
const PAGES = [
  {
    entries: ["listing/listing.ts", "page.css", "icon.svg"],
    unsaid:
      /^(?:(?:home|history|repo|node|traffic|in|for)\.|(?:status|source|contact|privacy|copy)$)/,
  },
  { entries: ["home/home.ts", "home/home.css"], unsaid: /^(?:listing|peek|help)\./ },
];

/** A script that a page waits for before it paints: no module, and small. */
const EARLY = ["base/early.ts"];

/** The pages' own HTML by its name in `dist`; `{{page.js}}` in it becomes the asset's real name. */
const SHELLS = { "index.html": "index.html", "home.html": "home/home.html" };

/** A file of the build, and those of it that it imports. */
interface Asset {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  imports: string[];
}

const fileName = (path: string) => path.slice(path.lastIndexOf("/") + 1);

/**
 * Leaves messages out of what is bundled: those that are not said, and of languages all but English. What a page
 * wants of another language becomes an asset of its own, which is added to `made`.
 */
const leaveOut = (unsaid: RegExp, made: Asset[]): esbuild.Plugin => ({
  name: "messages",
  setup({ onResolve, onLoad }) {
    const said = async (path: string) => {
      const all = Object.entries(JSON.parse(await Deno.readTextFile(path)));
      return JSON.stringify(Object.fromEntries(all.filter(([key]) => !unsaid.test(key))));
    };
    onLoad({ filter: /\/messages\/\w+\.json$/ }, async ({ path }) => ({
      contents: path.endsWith("/en.json") ? await said(path) : "{}",
      loader: "json",
    }));
    onResolve({ filter: /\/messages\/\w+\.json$/ }, async ({ path, resolveDir, kind }) => {
      if (kind !== "dynamic-import") return undefined;
      const texts = await said(join(resolveDir, path));
      const bytes = new TextEncoder().encode(`export default ${texts}`);
      const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 8).toUpperCase();
      const name = `${fileName(path).replace(".json", "")}-${hash}.js`;
      made.push({ name, bytes, imports: [] });
      return { path: `./${name}`, external: true };
    });
  },
});

/** Makes Lit's templates small: styles as those in files are, and HTML without its line ends. */
const smallTemplates: esbuild.Plugin = {
  name: "small-templates",
  setup({ onLoad }) {
    onLoad({ filter: /\/web\/.*\.ts$/ }, async ({ path }) => {
      let contents = await Deno.readTextFile(path);
      for (const [whole, css] of contents.matchAll(/\bcss`([^`$]*)`/g)) {
        const { code } = await esbuild.transform(css, { loader: "css", minify: true });
        contents = contents.replace(whole, () => `css\`${code.trim().replaceAll("\\", "\\\\")}\``);
      }
      contents = contents.replace(/>\s*\n\s*</g, "><").replace(/\bhtml`\s+</g, "html`<")
        .replace(/>\s*\n\s*`/g, ">`");
      return { contents, loader: "ts" };
    });
  },
};

/** Bundles entries; gives each asset's name, which holds a hash of its content, and what it imports. */
async function bundle(
  entryPoints: string[],
  format: "esm" | "iife",
  unsaid: RegExp,
): Promise<Asset[]> {
  const languages: Asset[] = [];
  const { outputFiles, metafile } = await esbuild.build({
    absWorkingDir: SOURCE,
    entryPoints,
    loader: { ".svg": "copy" },
    bundle: true,
    minify: true,
    write: false,
    format,
    target: ["es2022", "chrome123", "firefox120", "safari17.5"],
    outdir: "assets",
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    // What a page needs only now and then is a file of its own, fetched when it is needed.
    splitting: format === "esm",
    metafile: true,
    // Licences of what is bundled stand in files beside it.
    legalComments: "external",
    charset: "utf8",
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
    // Members that TypeScript calls private.
    mangleProps: /^_[a-z]/,
    logLevel: "warning",
    plugins: [smallTemplates, leaveOut(unsaid, languages)],
  });
  const outputs = outputFiles.map(({ path, contents }) => {
    const name = fileName(path);
    const imports = (metafile.outputs[`assets/${name}`]?.imports ?? [])
      .filter(({ kind }) => kind === "import-statement").map((chunk) => fileName(chunk.path));
    return { name, bytes: contents as Uint8Array<ArrayBuffer>, imports };
  });
  return [...outputs, ...languages];
}

/** Builds into `dist`; gives each asset's name and size. */
export async function build(dist: string): Promise<Map<string, number>> {
  const assets = join(dist, "assets"), sizes = new Map<string, number>();
  await Deno.mkdir(assets, { recursive: true });
  const bundles = await Promise.all([
    ...PAGES.map(({ entries, unsaid }) => bundle(entries, "esm", unsaid)),
    bundle(EARLY, "iife", /./),
  ]);
  const made = bundles.flat();
  for (const { name, bytes } of made) {
    await publish(join(assets, name), bytes);
    sizes.set(name, bytes.length);
  }
  // The pages of errors outlive a build, so they name no hash.
  const early = made.find(({ name }) => name.startsWith("early-"))!;
  await publish(join(dist, "early.js"), early.bytes);
  const named = (_: string, base: string, extension: string) => {
    const name = [...sizes.keys()].find((n) => n.replace(/-\w+(?=\.)/, "") === base + extension);
    if (!name) throw new Error(`esbuild made no ${base}${extension}`);
    return name;
  };
  // What a script imports is fetched together with it, not after it.
  const preloaded = (script: string, indent: string, path: string, name: string) =>
    made.find((asset) => asset.name === name)!.imports
      .map((chunk) => `${indent}<link rel="modulepreload" href="${path}${chunk}">\n`).join("") +
    script;
  for (const [name, source] of Object.entries(SHELLS)) {
    const html = (await Deno.readTextFile(join(SOURCE, source)))
      .replace(/\{\{ ?([\w-]+)(\.\w+) ?\}\}/g, named)
      .replace(/( *)<script type="module" src="(.*\/)([\w.-]+)"/g, preloaded)
      .replace(/^ +/gm, "");
    await publish(join(dist, name), new TextEncoder().encode(html));
  }
  await sweep(assets, new Set(sizes.keys()));
  return sizes;
}

/** The newest of some files, and of those in some folders, in epoch milliseconds. */
async function newest(paths: string[]): Promise<number> {
  let time = 0;
  for (const path of paths) {
    const info = await Deno.stat(path).catch(() => undefined);
    if (info?.isDirectory) {
      const below = await Array.fromAsync(Deno.readDir(path), (e) => join(path, e.name));
      time = Math.max(time, await newest(below.filter((p) => !p.endsWith("/dist"))));
    } else time = Math.max(time, info?.mtime?.getTime() ?? Infinity);
  }
  return time;
}

/** True if what was built is newer than all that it was built from. */
export async function isFresh(dist: string): Promise<boolean> {
  const built = await Deno.stat(join(dist, "index.html")).catch(() => undefined);
  const sources = [SOURCE, join(SOURCE, "../formats"), join(SOURCE, "../deno.json")];
  return (built?.mtime?.getTime() ?? 0) > await newest(sources);
}

if (import.meta.main) {
  // `serve` and `start` depend on it, also as a user who may not write here.
  if (!Deno.args.includes("--force") && await isFresh(join(SOURCE, "dist"))) Deno.exit(0);
  let code = 0;
  try {
    const sizes = await build(join(SOURCE, "dist"));
    for (const [name, bytes] of sizes) console.error(`web/dist/assets/${name}  ${bytes} bytes`);
  } catch (error) {
    console.error(`error: cannot build the web page: ${(error as Error).message}`);
    code = 1;
  } finally {
    // esbuild's service is a child process; Deno waits for it until it is stopped.
    await esbuild.stop();
  }
  Deno.exit(code);
}
