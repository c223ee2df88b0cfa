/**
 * The units on a booted system: a minimal Debian made by mmdebstrap and booted by systemd-nspawn, with
 * an rsync daemon of its own as the upstream. Its own task (test:boot), as it fetches Debian packages.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ArchTree } from "../helpers/arch.ts";
import { tempDir } from "../helpers/node.ts";
import { output } from "../helpers/serving.ts";
import { main as install } from "../../scripts/install.ts";

const PACKAGES = "systemd,systemd-sysv,rsync,xz-utils,zstd,bzip2,curl,procps,nftables,iproute2";

const repo = (name: string, more: string) =>
  `[[repo]]\nname = "${name}"\nprofile = "arch"\nretries = 0\n${more}\n`;

/** What the hook gets, and systemd's credential as it sees it. */
const HOOK = "cat > /srv/mirror/state/wrote; " +
  "cp $CREDENTIALS_DIRECTORY/healthz-secret /srv/mirror/state/seen || true";

const HEALTHZ = `[healthz]
name = "mirror.test"
lastsync = "/arch/lastsync"
max_age = "3650 d"
ports = { http = 8080 }
[healthz.dns]
provider = "hook"
command = ["sh", "-c", "${HOOK}"]
[[healthz.node]]
name = "here"
addresses = ["127.0.0.1"]
`;

const BWLIMIT = `[bwlimit.client]\nlimit = { "1 h" = "1 GiB" }\n`;

const MIRROR_TOML = `[site]\nname = "boot.test"\n[server]\nport = 8080\n${HEALTHZ}${BWLIMIT}` +
  `[statcat]\ninterfaces = ["lo"]\n` +
  repo("arch", `upstream = ["rsync://127.0.0.1/arch/"]`) +
  repo("slow", `upstream = ["rsync://127.0.0.1/arch/"]\nbwlimit = "20k"`) +
  repo("broken", `upstream = ["rsync://127.0.0.1/nothing/"]`);

/** Every ten seconds instead of every hour. */
const SOON = "[Timer]\nOnCalendar=\nOnCalendar=*:*:0/10\nRandomizedDelaySec=0\nAccuracySec=1s\n";

/** Makes the root: packages, mirrorkit as an operator installs it, and an upstream. */
async function makeRoot(root: string) {
  await output("mmdebstrap", [
    "--quiet",
    "--variant=minbase",
    `--include=${PACKAGES}`,
    "bookworm",
    root,
  ]);
  assertEquals(await install(["--root", root, "--quiet"]), 0);
  await Deno.writeTextFile(root + "/etc/mirrorkit/mirror.toml", MIRROR_TOML);
  await Deno.mkdir(root + "/srv/upstream");
  await new ArchTree(root + "/srv/upstream").fill(6, 60_000);
  await Deno.writeTextFile(
    root + "/etc/rsyncd.conf",
    "[arch]\npath = /srv/upstream\nuse chroot = no\n",
  );
  for (const timer of ["mirrorkit-sync@arch.timer", "mirrorkit-healthz.timer"]) {
    const dropIn = `${root}/etc/systemd/system/${timer}.d`;
    await Deno.mkdir(dropIn, { recursive: true });
    await Deno.writeTextFile(dropIn + "/soon.conf", SOON);
  }
  await output("systemctl", [
    ...[`--root=${root}`, "enable", "--quiet"],
    ...["rsync.service", "mirrorkit.service", "mirrorkit-sync@arch.timer"],
    "mirrorkit-healthz.timer",
    ...["mirrorkit-statcat-hub.service", "mirrorkit-statcat-spoke.service"],
  ]);
}

/** What systemd-analyze has to say of units. */
async function verify(root: string, units: string[]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command("chroot", {
    args: [
      root,
      "systemd-analyze",
      "verify",
      ...units.map((u) => `/usr/local/lib/systemd/system/${u}`),
    ],
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

/** A booted system. */
class Machine implements AsyncDisposable {
  private leader = 0;
  private constructor(private readonly nspawn: Deno.ChildProcess) {}

  static async boot(root: string): Promise<Machine> {
    const args = [
      `--directory=${root}`,
      "--private-network",
      "--boot",
      "--register=no",
      "--keep-unit",
    ];
    const nspawn = new Deno.Command("systemd-nspawn", {
      args: [...args, "--quiet", "--console=read-only"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const machine = new Machine(nspawn);
    await machine.until("boot", async () => {
      const children = await output("ps", ["-o", "pid=", "--ppid", `${nspawn.pid}`]).catch(() =>
        ""
      );
      machine.leader = parseInt(children);
      return machine.leader > 0 &&
        /running|degraded/.test(await machine.run("systemctl is-system-running || true"));
    });
    return machine;
  }

  /** Runs a shell line inside; gives stdout. Throws where it fails. */
  run(line: string): Promise<string> {
    return output("nsenter", ["-t", `${this.leader}`, "-a", "sh", "-c", line]);
  }

  /** Waits for something to become true. */
  async until(what: string, check: () => Promise<boolean>, seconds = 60) {
    for (let tries = 0; tries < seconds * 4; tries++) {
      if (await check().catch(() => false)) return;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    const journal = await this.run("journalctl --no-pager -n 60").catch(String);
    throw new Error(`no ${what} within ${seconds} s\n${journal}`);
  }

  async [Symbol.asyncDispose]() {
    await this.run("systemctl poweroff").catch(() => {});
    const timer = setTimeout(() => this.nspawn.kill("SIGKILL"), 30_000);
    await this.nspawn.status;
    clearTimeout(timer);
  }
}

Deno.test("units: booted, the timer fires, sync, index and server work; failures show; a stop is clean", async (t) => {
  await using dir = await tempDir();
  const root = dir.path + "/root";
  await makeRoot(root);

  await t.step("verify: no output", async () => {
    const units = [
      "mirrorkit.service",
      "mirrorkit-sync@arch.service",
      "mirrorkit-index@arch.service",
      "mirrorkit-bwlimit.service",
      "mirrorkit-sync@arch.timer",
      "mirrorkit-healthz.service",
      "mirrorkit-healthz.timer",
      "mirrorkit-statcat-hub.service",
      "mirrorkit-statcat-spoke.service",
      "mirrorkit-statcat-logs.service",
      "mirrorkit-statcat-logs.timer",
    ];
    assertEquals(await verify(root, units), "");
    // It exits with 0 on a misspelt key, so its output is what counts; and it does print one then.
    await Deno.writeTextFile(
      root + "/usr/local/lib/systemd/system/odd.service",
      "[Service]\nExecStrat=/bin/true\n",
    );
    assertMatch(await verify(root, ["odd.service"]), /ExecStrat/);
    await Deno.remove(root + "/usr/local/lib/systemd/system/odd.service");
  });

  await t.step("security: each unit's exposure is 2.5 or less", async () => {
    for (
      const unit of [
        "mirrorkit.service",
        "mirrorkit-sync@arch.service",
        "mirrorkit-index@arch.service",
        "mirrorkit-bwlimit.service",
        "mirrorkit-healthz.service",
        "mirrorkit-statcat-hub.service",
        "mirrorkit-statcat-spoke.service",
        "mirrorkit-statcat-logs.service",
      ]
    ) {
      const said = await output("chroot", [
        root,
        "systemd-analyze",
        "security",
        "--offline=true",
        "--no-pager",
        unit,
      ]);
      const score = Number(/exposure level for \S+: ([\d.]+)/.exec(said)?.[1]);
      console.log(`${unit}: exposure ${score}`);
      assert(score <= 2.5, said);
    }
  });

  await using machine = await Machine.boot(root);

  await t.step(
    "timer: fires, the sync runs, the index follows, the listing is served",
    async () => {
      await machine.until("listing", async () => {
        const listing = await machine.run("curl -fsS 'http://127.0.0.1:8080/arch/?format=json'");
        return JSON.parse(listing).files > 6;
      });
      const timers = await machine.run("systemctl list-timers --no-pager --all");
      assertMatch(timers, /mirrorkit-sync@arch\.timer/);
      const owner = await machine.run(
        "stat -c %U /srv/mirror/static/arch/lastupdate /srv/mirror/indexes/arch/index.json",
      );
      assertEquals(owner, "mirrorkit\nmirrorkit\n");
    },
  );

  await t.step("statcat: live traffic at the server, logs counted, a stop is quick", async () => {
    await machine.until("event", async () => {
      const event = await machine.run("timeout 3 curl -sN http://127.0.0.1:8080/sse || true");
      return /\["boot.test",\d+,\d+,[1-9]/.test(event);
    });
    const line = '2026-11-22T03:00:00+00:00 HTTP/1.1 GET /arch/lastupdate 200 12 0.0 "-" "x"';
    await machine.run(
      `mkdir -p /var/log/nginx && echo '${line}' > /var/log/nginx/mirror.log && ` +
        "chgrp adm /var/log/nginx/mirror.log && chmod 640 /var/log/nginx/mirror.log && " +
        "systemctl start mirrorkit-statcat-logs",
    );
    const metrics = await machine.run("curl -fsS http://127.0.0.1:8080/metrics");
    assertMatch(metrics, /mirrorkit_requests_total\{repo="arch",protocol="http",status="2xx"\} 1/);
    assertMatch(metrics, /mirrorkit_storage_free_bytes \d+/);
    const started = performance.now();
    await machine.run(
      "curl -sN http://127.0.0.1:8080/sse >/dev/null & sleep 0.5; systemctl stop mirrorkit-statcat-hub",
    );
    assert(performance.now() - started < 2500, "with a listener it stops in under 2 s");
    const failed = "systemctl list-units --failed --no-legend --no-pager 'mirrorkit-statcat*'";
    assertEquals(await machine.run(failed), "");
    await machine.run("systemctl start mirrorkit-statcat-hub");
  });

  await t.step("healthz: its timer fires, the hook writes, a credential is read", async () => {
    await machine.until("published address", async () => {
      const state = JSON.parse(await machine.run("curl -fsS http://127.0.0.1:8080/nodes.json"));
      return state.nodes[0].addresses[0].published;
    });
    const wrote = () => machine.run("cat /srv/mirror/state/wrote");
    assertEquals(JSON.parse(await wrote()).records[0].value, "127.0.0.1");
    // Without a credential the unit starts as well; with one, the hook finds it.
    assertEquals(await machine.run("ls /srv/mirror/state/seen 2>/dev/null || true"), "");
    await machine.run(
      "systemctl stop mirrorkit-healthz.timer; mkdir -p /etc/credstore; umask 077; " +
        "echo token > /etc/credstore/healthz-secret; rm -r /srv/mirror/state/healthz; " +
        "systemctl start mirrorkit-healthz.service",
    );
    assertEquals(await machine.run("cat /srv/mirror/state/seen"), "token\n");
  });

  await t.step(
    "bwlimit: as an ordinary user with CAP_NET_ADMIN; stopped, the kernel goes on",
    async () => {
      await machine.run("systemctl start mirrorkit-bwlimit");
      await machine.until("look", async () => {
        const status = await machine.run("curl -fsS http://127.0.0.1:8080/status.json");
        return JSON.parse(status).bwlimit?.mode === "enforce";
      });
      assertMatch(await machine.run("nft list table inet mirrorkit"), /quota over 107374182 bytes/);
      const owner = "stat -c %U:%a /srv/mirror/state/bwlimit/secret; ps -o user= -C deno | sort -u";
      assertEquals(await machine.run(owner), "mirrorkit:600\nmirrorkit\n");
      // What root orders is the service's to read, and the other way round.
      const lib = "/usr/local/lib/mirrorkit";
      await machine.run(
        `cd ${lib} && DENO_DIR=/tmp/d ./deno run -A --cached-only --no-lock --node-modules-dir=manual --no-check ` +
          "scripts/bwlimit.ts ban 192.0.2.7 --data /srv/mirror --config /etc/mirrorkit/mirror.toml",
      );
      assertEquals(
        await machine.run("stat -c %U /srv/mirror/state/bwlimit/*.json | sort -u"),
        "mirrorkit\n",
      );
      await machine.until("ban", async () => {
        const status = await machine.run("curl -fsS http://127.0.0.1:8080/status.json");
        return JSON.parse(status).bwlimit?.banned === 1;
      });
      await machine.run("systemctl stop mirrorkit-bwlimit");
      await machine.run("nft list table inet mirrorkit");
      assertEquals(
        await machine.run("systemctl is-failed mirrorkit-bwlimit || true"),
        "inactive\n",
      );
    },
  );

  await t.step("behind nginx: with server.socket the service listens there", async () => {
    const socket = "/run/mirrorkit/server.sock";
    await machine.run(
      `sed -i 's|^port = 8080|socket = "${socket}"|' /etc/mirrorkit/mirror.toml; ` +
        "systemctl restart mirrorkit",
    );
    await machine.until("answer", async () => {
      const listing = await machine.run(
        `curl -fsS --unix-socket ${socket} 'http://x/arch/?format=json'`,
      );
      return JSON.parse(listing).files > 6;
    });
  });

  await t.step("failing sync: shows in systemctl --failed", async () => {
    await machine.run("systemctl start mirrorkit-sync@broken.service || true");
    assertMatch(
      await machine.run("systemctl --failed --no-pager"),
      /mirrorkit-sync@broken\.service/,
    );
    assertMatch(
      await machine.run("journalctl --no-pager -u mirrorkit-sync@broken"),
      /Unknown module 'nothing'/,
    );
  });

  await t.step("stop during a sync: clean, the status is true", async () => {
    await machine.run("systemctl start --no-block mirrorkit-sync@slow.service");
    await machine.until(
      "transfer",
      async () => (await machine.run("pgrep -f '^rsync .*static/.*slow'")) !== "",
    );
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await machine.run("systemctl stop mirrorkit-sync@slow.service");
    assertEquals(await machine.run("pgrep -f '^rsync .*static/.*slow' || true"), "");
    const status = JSON.parse(await machine.run("cat /srv/mirror/state/slow.json"));
    assertEquals(status.outcome, "failed");
    assertMatch(status.lastError.message, /stopped by SIGTERM; what was fetched is kept/);
  });
});
