/** What a first visit of each page transfers, as the build leaves it: scripts, styles and HTML. */
import { assert } from "@std/assert";
import { join } from "@std/path/posix";
import * as esbuild from "esbuild";
import { build } from "../../web/build.ts";

Deno.test("build: a first visit of home and of a listing is at most 30 kB, compressed", async () => {
  const dist = await Deno.makeTempDir({ prefix: "mirrorkit-build-" });
  try {
    await build(dist);
    for (const shell of ["index.html", "home.html"]) {
      const html = await Deno.readTextFile(join(dist, shell));
      const named = [...html.matchAll(/assets\/[\w-]+\.(?:js|css)/g)].map(([name]) => name);
      const sizes = [shell, ...named].map((name) => Deno.statSync(join(dist, `${name}.gz`)).size);
      const sum = sizes.reduce((a, b) => a + b);
      assert(named.length >= 3 && sum <= 30_000, `${shell}: ${sum} bytes: ${named} ${sizes}`);
    }
  } finally {
    await esbuild.stop();
    await Deno.remove(dist, { recursive: true });
  }
});
