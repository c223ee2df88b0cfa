import { assertEquals } from "@std/assert";
import { join } from "@std/path/posix";
import { readConfig } from "../../scripts/lib/config.ts";
import { alignModules, moduleText, offerModule } from "../../scripts/lib/gate.ts";
import { tempDir } from "../helpers/node.ts";

const repo = (name: string, more = "") =>
  `[[repo]]\nname = "${name}"\nprofile = "generic"\nupstream = ["/srv/x/"]\n${more}\n`;
const config = (repos: string, data = "/d") =>
  readConfig(`[site]\nname = "m.example.org"\n${repos}`, "mirror.toml", data);

Deno.test("moduleText: name, comment, path; what others have is left out of a module at /", () => {
  const c = config(
    repo("a", `path = "/"`) + repo("b") + repo("c", `rsync_module = "C"\ncomment = "Packages"`),
  );
  assertEquals(c.repos.map((r) => moduleText(c, r)), [
    "[a]\ncomment = a of m.example.org\npath = /d/static\nexclude = .~tmp~/ /b/ /c/\n",
    "[b]\ncomment = b of m.example.org\npath = /d/static/b\n",
    "[C]\ncomment = Packages\npath = /d/static/c\n",
  ]);
});

Deno.test("alignModules: one for each repository that is ready, none for others", async () => {
  await using dir = await tempDir();
  const modules = join(dir.path, "state/rsyncd.d");
  const names = async () =>
    (await Array.fromAsync(Deno.readDir(modules), (entry) => entry.name)).sort();
  const old = config(repo("gone") + repo("closed"), dir.path);
  for (const r of old.repos) await offerModule(old, r);
  assertEquals(await names(), ["closed.conf", "gone.conf"]);
  await Deno.writeTextFile(join(dir.path, "state/a.ready"), "");
  await alignModules(config(repo("a") + repo("closed"), dir.path));
  assertEquals(await names(), ["a.conf"]);
});

Deno.test("alignModules: run by root, the folder still belongs to who owns the storage", {
  ignore: Deno.uid() !== 0,
}, async () => {
  await using dir = await tempDir();
  const state = join(dir.path, "state");
  await Deno.mkdir(state);
  await Deno.chown(state, 12345, 12345);
  await alignModules(config(repo("a"), dir.path));
  assertEquals((await Deno.stat(join(state, "rsyncd.d"))).uid, 12345);
});
