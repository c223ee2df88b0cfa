import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { main, settle, stepsOf } from "../../scripts/install.ts";
import { places, render } from "../../scripts/install/layout.ts";
import { Failure } from "../../scripts/lib/cli.ts";
import { snapshot } from "../helpers/arch.ts";
import { tempDir } from "../helpers/node.ts";

Deno.test("render: places are filled in, an unknown one throws", () => {
  const values = {
    prefix: "/p",
    sandbox: "# why\nUser=x\n\nNoNewPrivileges=true\n",
    permissions: { "a.ts": ["--allow-net"] },
  };
  assertEquals(
    render("Exec=@LIB@/deno @PERMISSIONS:a.ts@\n@SANDBOX@\n", values),
    "Exec=/p/lib/mirrorkit/deno --allow-net\nUser=x\nNoNewPrivileges=true\n",
  );
  assertThrows(() => render("@PERMISSIONS:b.ts@", values), Error, "@PERMISSIONS:b.ts@");
});

Deno.test("places: units where systemd looks for them, the configuration is the operator's", () => {
  const all = places("/usr", ["server/main.ts"]);
  const of = (from: string) => all.find((p) => p.from === from)!;
  assertEquals(of("server/main.ts").to, "/usr/lib/mirrorkit/server/main.ts");
  assertEquals(of("systemd/mirrorkit.service").to, "/usr/lib/systemd/system/mirrorkit.service");
  assertEquals(all.filter((p) => p.keep).map((p) => p.to), ["/etc/mirrorkit/mirror.toml"]);
});

Deno.test("install: into a root, it runs there; uninstall leaves configuration and data alone", async () => {
  await using dir = await tempDir();
  const root = dir.path;
  assertEquals(await main(["--root", root, "--dry-run", "--json"]), 0);
  assertEquals(await snapshot(root), []);
  assertEquals(await main(["--root", root, "--quiet"]), 0);
  const lib = root + "/usr/local/lib/mirrorkit";
  const { success, stdout } = await new Deno.Command(lib + "/deno", {
    args: [
      "run",
      "-A",
      "--cached-only",
      "--no-check",
      "--no-lock",
      "--node-modules-dir=manual",
      lib + "/scripts/syncrepo.ts",
      "--help",
    ],
    env: { DENO_DIR: dir.path + "/cache" },
  }).output();
  assert(success, "the installed code runs without anything being fetched");
  assertMatch(new TextDecoder().decode(stdout), /^syncrepo: bring repositories/);
  const unit = await Deno.readTextFile(
    root + "/usr/local/lib/systemd/system/mirrorkit-sync@.service",
  );
  assertEquals(/@[A-Z]+/.test(unit), false);

  const config = root + "/etc/mirrorkit/mirror.toml";
  await Deno.writeTextFile(config, "mine");
  await Deno.mkdir(root + "/srv/mirror/static", { recursive: true });
  assertEquals(await main(["--root", root, "--quiet"]), 0);
  assertEquals(await Deno.readTextFile(config), "mine");
  assertEquals(await main(["--root", root, "--uninstall", "--quiet"]), 0);
  assertEquals((await snapshot(root, /^cache/)).filter((line) => !line.endsWith("/")), [
    "etc/mirrorkit/mirror.toml 4",
  ]);
  assert((await Deno.stat(root + "/srv/mirror/static")).isDirectory);
});

Deno.test("stepsOf: the user and the folders by the files that were placed, whatever the prefix", async () => {
  const made = (await stepsOf("/p", false)).filter(([program]) => program !== "systemctl");
  assertEquals(made, [
    ["systemd-sysusers", "/p/lib/sysusers.d/mirrorkit.conf"],
    ["systemd-tmpfiles", "--create", "/p/lib/tmpfiles.d/mirrorkit.conf"],
  ]);
});

Deno.test("settle: a step that fails is no success, and says what to run again", async () => {
  await settle(["true"]);
  await assertRejects(() => settle(["ls", "/none"]), Failure, "ls /none failed: ");
  await assertRejects(() => settle(["mirrorkit-none"]), Failure, "is missing");
});
