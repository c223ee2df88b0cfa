/** A monitoring user may check the listings: a check writes nothing, not even a lock. */
import { assertEquals } from "@std/assert";
import { ArchTree } from "../helpers/arch.ts";
import { tempDir, TestNode } from "../helpers/node.ts";
import { must } from "../helpers/serving.ts";

Deno.test("indexer: --check as a user who may only read, works and writes nothing", async () => {
  await using dir = await tempDir();
  await new ArchTree(dir.path).fill(2);
  await using node = await TestNode.make(
    `[[repo]]\nname = "arch"\nprofile = "arch"\nupstream = ["${dir.path}"]\n`,
  );
  await must(node, "scripts/syncrepo.ts");
  await must(node, "scripts/indexer.ts");
  await Deno.remove(node.path("state/arch.index.lock"));
  await Deno.chmod(node.dir, 0o755);
  const script = new URL("../../scripts/indexer.ts", import.meta.url).pathname;
  const { code, stderr } = await new Deno.Command("setpriv", {
    args: [
      ...["--reuid=65534", "--regid=65534", "--clear-groups"],
      ...[Deno.execPath(), "run", "-A", "--no-check", script, "--check"],
    ],
    env: { MIRROR_CONFIG: node.config, MIRROR_DATA: node.path() },
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  const state = await Array.fromAsync(Deno.readDir(node.path("state")));
  assertEquals(state.filter((e) => e.name.includes("index.lock")), []);
});
