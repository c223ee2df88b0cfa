/** Real package managers install from a mirror of ours, each in a root of its own. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { DemoUpstream } from "../../scripts/demo/upstream.ts";
import { addDeb, writeIndexes } from "../helpers/debian.ts";
import { tempDir } from "../helpers/node.ts";
import { must, output, Serving } from "../helpers/serving.ts";

Deno.test("pacman: -Sy and -S install a package, and after a sync its update", async () => {
  await using dir = await tempDir();
  const upstream = new DemoUpstream(dir.path + "/up", dir.path + "/scratch");
  await upstream.create();
  await using mirror = await Serving.start(
    `[[repo]]\nname = "archlinux"\nprofile = "arch"\nupstream = ["${upstream.root}"]\n`,
  );
  const root = dir.path + "/root";
  await Deno.mkdir(root + "/var/lib/pacman", { recursive: true });
  const sections = ["core", "extra"].map((r) =>
    `[${r}]\nServer = ${mirror.url}archlinux/$repo/os/$arch\n`
  );
  await Deno.writeTextFile(
    dir.path + "/pacman.conf",
    `[options]\nArchitecture = x86_64\nSigLevel = Never\n${sections.join("")}`,
  );
  const pacman = (...args: string[]) =>
    output("pacman", [
      ...["--config", dir.path + "/pacman.conf", "--root", root, "--cachedir", dir.path + "/cache"],
      ...["--logfile", dir.path + "/log", "--gpgdir", dir.path + "/gpg", "--noconfirm", ...args],
    ]);
  await pacman("-Sy");
  await pacman("-S", "hello-mirror", "compass");
  assertEquals(await pacman("-Q"), "compass 1.0-1\nhello-mirror 1.0-1\n");
  assertMatch(await Deno.readTextFile(root + "/usr/share/doc/hello-mirror/README"), /Release 1/);
  await upstream.update(0);
  await must(mirror.node, "scripts/syncrepo.ts");
  await must(mirror.node, "scripts/indexer.ts");
  await pacman("-Syu");
  assertEquals(await pacman("-Q", "hello-mirror"), "hello-mirror 1.0-2\n");
});

Deno.test("apt-get: update and download from a mirror of a debian upstream", async () => {
  await using dir = await tempDir();
  const root = dir.path + "/up";
  await Deno.mkdir(root);
  await addDeb(root, "hello-mirror", "1.0");
  await writeIndexes(root, new Date("2026-11-01T00:00:00Z"));
  await using mirror = await Serving.start(
    `[[repo]]\nname = "debian"\nprofile = "debian"\nupstream = ["${root}"]\n`,
  );
  const apt = dir.path + "/apt";
  for (
    const d of [
      "state/lists/partial",
      "cache/archives/partial",
      "etc/apt.conf.d",
      "etc/preferences.d",
      "out",
    ]
  ) {
    await Deno.mkdir(`${apt}/${d}`, { recursive: true });
  }
  await Deno.writeTextFile(apt + "/state/status", "");
  const source = `deb [trusted=yes] ${mirror.url}debian/ stable main\n`;
  await Deno.writeTextFile(apt + "/etc/sources.list", source);
  const dirs = {
    "": apt,
    State: "state",
    "State::status": apt + "/state/status",
    Cache: "cache",
    Etc: "etc",
  };
  const options = Object.entries(dirs).map(([key, path]) => `-oDir${key && "::" + key}=${path}`);
  const get = (...args: string[]) =>
    output("apt-get", [
      ...options,
      "-oAPT::Architecture=amd64",
      "-oAPT::Sandbox::User=root",
      "-oDir::Etc::SourceList=sources.list",
      "-oDir::Etc::SourceParts=none",
      ...args,
    ], { cwd: apt + "/out" });
  const updated = await get("update");
  assertMatch(
    updated,
    /Get:\d+ http:\/\/127\.0\.0\.1:\d+\/debian stable\/main (?:all|amd64) Packages/,
  );
  await get("download", "hello-mirror");
  const deb = "hello-mirror_1.0_all.deb";
  assertEquals(
    await Deno.readFile(`${apt}/out/${deb}`),
    await Deno.readFile(`${root}/pool/main/${deb}`),
  );
  await addDeb(root, "hello-mirror", "2.0");
  await writeIndexes(root, new Date("2026-11-02T00:00:00Z"));
  await must(mirror.node, "scripts/syncrepo.ts");
  await must(mirror.node, "scripts/indexer.ts");
  await get("update");
  await get("download", "hello-mirror");
  assert((await Deno.stat(`${apt}/out/hello-mirror_2.0_all.deb`)).isFile);
});
