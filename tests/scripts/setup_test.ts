import { assert, assertEquals } from "@std/assert";
import { installCommand, missing } from "../../scripts/setup.ts";
import { enabledServices, PARTS, withoutServices } from "../../scripts/setup/parts.ts";
import { tempDir } from "../helpers/node.ts";

Deno.test("missing: all of a part's files must be there, in PATH or sbin", () => {
  const have = new Set(["/bin/rsync", "/usr/sbin/nginx"]);
  const part = (files: string[]) => ({ files, package: files[0], why: "", for: "test" as const });
  const parts = [part(["rsync"]), part(["nginx"]), part(["rsync", "rsync-ssl"]), part(["/etc/x"])];
  assertEquals(missing(parts, (p) => have.has(p), "/bin").map((p) => p.files), [[
    "rsync",
    "rsync-ssl",
  ], ["/etc/x"]]);
});

Deno.test("setup: nothing is missing after the set-up that this test run began with", () => {
  const has = (path: string) => {
    try {
      return Deno.statSync(path) !== undefined;
    } catch {
      return false;
    }
  };
  assertEquals(missing(PARTS, has).map((p) => p.package), []);
});

Deno.test("installCommand: without recommended packages, without questions", () => {
  assertEquals(
    installCommand(["a", "b"]).join(" "),
    "apt-get install -y --no-install-recommends a b",
  );
});

Deno.test("withoutServices: ours while it lasts, gone afterwards, another's left alone", async () => {
  await using dir = await tempDir();
  const policy = dir.path + "/policy-rc.d";
  let during = "";
  const body = async () => void (during = await Deno.readTextFile(policy));
  await withoutServices(body, policy);
  assert(during.includes("exit 101"));
  assertEquals(await Array.fromAsync(Deno.readDir(dir.path)), []);
  await Deno.writeTextFile(policy, during);
  await withoutServices(body, policy);
  assertEquals(
    await Array.fromAsync(Deno.readDir(dir.path)),
    [],
    "one that a killed run left is removed",
  );
  await Deno.writeTextFile(policy, "theirs");
  await withoutServices(body, policy);
  assertEquals([during, await Deno.readTextFile(policy)], ["theirs", "theirs"]);
});

Deno.test("enabledServices: wants links, units and SysV start links", async () => {
  await using dir = await tempDir();
  for (const d of ["systemd/system/multi-user.target.wants", "rc2.d", "rc3.d"]) {
    await Deno.mkdir(`${dir.path}/${d}`, { recursive: true });
  }
  const links = [
    "systemd/system/multi-user.target.wants/nginx.service",
    "rc2.d/S01nginx",
    "systemd/system/x.timer",
  ];
  for (const link of [...links, "rc3.d/K01nginx"]) await Deno.symlink("/x", `${dir.path}/${link}`);
  assertEquals(
    [...await enabledServices(dir.path)].sort(),
    links.map((l) => `${dir.path}/${l}`).sort(),
  );
});
