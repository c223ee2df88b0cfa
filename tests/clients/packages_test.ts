/** Real package managers install from a mirror of ours with what its start page says, each in a root of its own. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { snippetsFor } from "../../formats/clients.ts";
import { DemoUpstream } from "../../scripts/demo/upstream.ts";
import { addDeb, writeIndexes } from "../helpers/debian.ts";
import { tempDir } from "../helpers/node.ts";
import { must, output, Serving } from "../helpers/serving.ts";

Deno.test("pacman: -Sy and -S install a package, and after a sync its update", async () => {
  await using dir = await tempDir();
  const upstream = new DemoUpstream(dir.path + "/up", dir.path + "/scratch");
  await upstream.create();
  // HTTP's times, rsync's and lastupdate count seconds: what came in the same one would be no update.
  for (const marker of ["lastupdate", "lastsync"]) {
    await Deno.writeTextFile(
      `${upstream.root}/${marker}`,
      `${Math.floor(Date.now() / 1000) - 60}\n`,
    );
  }
  await output("find", [upstream.root, "-exec", "touch", "-hd", "1 minute ago", "{}", "+"]);
  await using mirror = await Serving.start(
    `[[repo]]\nname = "archlinux"\nprofile = "arch"\nupstream = ["${upstream.root}"]\n`,
  );
  const root = dir.path + "/root";
  await Deno.mkdir(root + "/var/lib/pacman", { recursive: true });
  const [mirrorlist] = snippetsFor("arch", `${mirror.url}archlinux/`, "");
  await Deno.writeTextFile(dir.path + "/mirrorlist", mirrorlist.text);
  const sections = ["core", "extra"].map((r) => `[${r}]\nInclude = ${dir.path}/mirrorlist\n`);
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
  const index = async (date: string) => {
    await writeIndexes(root, new Date(date));
    // What the start page says names the updates as well; here they are the same.
    await output("cp", ["-aT", `${root}/dists/stable`, `${root}/dists/stable-updates`]);
  };
  await index("2026-11-01T00:00:00Z");
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
      "etc/sources.list.d",
      "out",
    ]
  ) {
    await Deno.mkdir(`${apt}/${d}`, { recursive: true });
  }
  await Deno.writeTextFile(apt + "/state/status", "");
  // Nobody signed these: apt is told to trust them, and nothing else is changed.
  const [deb822, lines] = snippetsFor("debian", `${mirror.url}debian/`, "stable");
  const sources = {
    "sources.list.d/debian.sources": deb822.text + "Trusted: yes\n",
    "sources.list": lines.text.replace(/^deb /gm, "deb [trusted=yes] "),
  };
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
      ...args,
    ], { cwd: apt + "/out" });
  for (const [file, text] of Object.entries(sources)) {
    await Deno.remove(apt + "/state/lists", { recursive: true });
    await Deno.mkdir(apt + "/state/lists/partial", { recursive: true });
    for (const other of Object.keys(sources)) await Deno.writeTextFile(`${apt}/etc/${other}`, "");
    await Deno.writeTextFile(`${apt}/etc/${file}`, text);
    const updated = await get("update");
    for (const suite of ["stable", "stable-updates"]) {
      const got = `/debian ${suite}/main (?:all|amd64) Packages`;
      assertMatch(updated, new RegExp(String.raw`Get:\d+ http://127\.0\.0\.1:\d+${got}`), file);
    }
  }
  await get("download", "hello-mirror");
  const deb = "hello-mirror_1.0_all.deb";
  assertEquals(
    await Deno.readFile(`${apt}/out/${deb}`),
    await Deno.readFile(`${root}/pool/main/${deb}`),
  );
  await addDeb(root, "hello-mirror", "2.0");
  await index("2026-11-02T00:00:00Z");
  await must(mirror.node, "scripts/syncrepo.ts");
  await must(mirror.node, "scripts/indexer.ts");
  await get("update");
  await get("download", "hello-mirror");
  assert((await Deno.stat(`${apt}/out/hello-mirror_2.0_all.deb`)).isFile);
});
