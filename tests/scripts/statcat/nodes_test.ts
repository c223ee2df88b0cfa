/**
 * Two network namespaces as two nodes, real traffic between them, and the kernel's counters as the judge:
 * over a minute in which the hub is killed and started again, and a spoke is cut off for half of it.
 */
import { assert } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { join } from "@std/path/posix";
import { denoCommand } from "../../../scripts/lib/children.ts";
import { statcatFiles } from "../../../scripts/lib/statcat.ts";
import { addToken } from "../../../scripts/statcat/tokens.ts";
import { Lab } from "../../../scripts/demo/netns.ts";
import { tempDir } from "../../helpers/node.ts";

type Side = "server" | "client";
const CABLE: Record<Side, string> = { server: "cable", client: "plug" };
const HUB = "10.77.0.9", PORT = 8081;
const sleep = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
/** Just after the next full second, when spokes take theirs. */
const nextSecond = async () => {
  await sleep((1000 - Date.now() % 1000 + 2) / 1000);
  return Math.round(Date.now() / 1000);
};

const toml = (name: string, more: string) =>
  `[site]\nname = "${name}"\n[statcat]\n${more}\n` +
  `[[repo]]\nname = "arch"\nprofile = "generic"\nupstream = ["/none/"]\n`;

/** A lab with a folder for each node. */
class Nodes {
  constructor(readonly lab: Lab, readonly dir: string) {}

  data = (side: Side) => join(this.dir, side);

  async configure() {
    await this.lab.sh("server", `ip addr add ${HUB}/16 dev cable`);
    const place = `hostname = "${HUB}"\nport = ${PORT}\ninterfaces = ["cable"]`;
    await Deno.writeTextFile(this.data("server") + ".toml", toml("server", place));
    await Deno.mkdir(statcatFiles(this.data("server")).dir, { recursive: true });
    const token = await addToken(statcatFiles(this.data("server")).tokens, "client");
    await Deno.writeTextFile(join(this.dir, "token"), token);
    const other = `{ url = "ws://${HUB}:${PORT}/.mirrorkit/spoke", token_file = "token" }`;
    const client = `hub = false\ninterfaces = ["plug"]\nsend_to = [${other}]`;
    await Deno.writeTextFile(this.data("client") + ".toml", toml("client", client));
  }

  /** Starts a mode of statcat on a node, as its unit does; `/sys` shows the namespace's own interfaces. */
  start(side: Side, mode: string): Deno.ChildProcess {
    const where = [`--config=${this.data(side)}.toml`, `--data=${this.data(side)}`, "-q"];
    const command = denoCommand("scripts/statcat.ts", [mode, ...where]).join(" ");
    const own = `mount -t sysfs none /sys && exec ${command}`;
    return this.lab.start(side, ["unshare", "--mount", "sh", "-c", own], { stderr: "inherit" });
  }

  /** The kernel's counters of a node's cable: bytes received and sent. */
  async kernel(side: Side): Promise<[number, number]> {
    const dev = await this.lab.sh(side, "cat /proc/net/dev");
    const fields = new RegExp(`${CABLE[side]}: *(.*)`).exec(dev)![1].split(/\s+/).map(Number);
    return [fields[0], fields[8]];
  }

  /** {@linkcode kernel} of both at a time: traffic comes in bursts, and a spoke reads at the full second. */
  async kernels(): Promise<Record<Side, [number, number]>> {
    const [server, client] = await Promise.all([this.kernel("server"), this.kernel("client")]);
    return { server, client };
  }

  /**
   * Real servers and real clients, both ways, 1.5 MB a second each. Gives the clients. The server keeps to the rate,
   * piece by piece: curl's own limit takes megabytes at once, and at the edge of a minute those are over 1 % of it.
   */
  async traffic(): Promise<Deno.ChildProcess[]> {
    await Deno.mkdir(join(this.dir, "www"));
    await Deno.writeTextFile(join(this.dir, "www/big"), "");
    await Deno.truncate(join(this.dir, "www/big"), 400e6);
    const ways = [["server", "client", "10.77.0.1"], ["client", "server", "10.77.0.2"]] as const;
    for (const [from, _to, address] of ways) {
      const conf = join(this.dir, `${from}.conf`), scratch = join(this.dir, `${from}-scratch`);
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map((what) => `${what}_temp_path ${scratch};`).join(" ");
      await Deno.writeTextFile(
        conf,
        `user root; pid ${this.dir}/${from}.pid; daemon off; master_process off; events {}\n` +
          `http { access_log off; ${temporary}\n` +
          `limit_rate 1500k; sendfile on; sendfile_max_chunk 32k;\n` +
          `server { listen ${address}:80; root ${this.dir}/www; } }\n`,
      );
      this.lab.start(from, ["nginx", "-e", "stderr", "-c", conf], { stderr: "inherit" });
    }
    await sleep(0.5);
    const clients = ways.map(([_from, to, address]) =>
      this.lab.start(to, ["curl", "-s", "-o", "/dev/null", `http://${address}/big`])
    );
    await sleep(2);
    return clients;
  }

  /** What the hub has stored of a node, in seconds from one time to another. */
  stored(
    side: Side,
    from = 0,
    to = 1e11,
  ): { rx: number; tx: number; seconds: number; last: number } {
    const db = new DatabaseSync(statcatFiles(this.data("server")).history, { readOnly: true });
    try {
      const row = db.prepare(
        `SELECT coalesce(sum(rx_bytes), 0) AS rx, coalesce(sum(tx_bytes), 0) AS tx, count(*) AS seconds,
           coalesce(max(time), 0) AS last FROM traffic t JOIN interface i ON i.id = t.interface
         WHERE i.spoke = ? AND step = 1 AND time >= ? AND time < ?`,
      ).get(side, from, to)!;
      return row as unknown as ReturnType<Nodes["stored"]>;
    } finally {
      db.close();
    }
  }

  /** The kernels' counters where a second begins; on a busy machine, reading them may come late. */
  async atSecond(): Promise<
    [epochSeconds: number, kernels: Awaited<ReturnType<Nodes["kernels"]>>]
  > {
    for (;;) {
      const second = await nextSecond(), kernels = await this.kernels();
      const late = Date.now() / 1000 - second;
      if (late >= 0 && late < 0.25) return [second, kernels];
    }
  }

  async until(what: string, good: () => boolean, seconds = 60) {
    for (let tries = 0; tries < seconds * 5; tries++) {
      try {
        if (good()) return;
      } catch { /* the hub has not made its file yet */ }
      await sleep(0.2);
    }
    throw new Error(`${what}: not within ${seconds} s`);
  }
}

const off = (found: number, expected: number) => Math.abs(found - expected) / expected;

Deno.test({
  name:
    "statcat: totals as the kernel's, through a killed hub and a spoke cut off for half a minute",
  // Programs in namespaces are tied to the lab, which ends them.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await using dir = await tempDir();
    await using lab = await Lab.make();
    const nodes = new Nodes(lab, dir.path), sides = ["server", "client"] as const;
    await nodes.configure();
    const before = await nodes.kernels();
    let hub = nodes.start("server", "hub");
    for (const side of sides) nodes.start(side, "spoke");
    await nodes.until("both spokes stored", () => sides.every((s) => nodes.stored(s).seconds > 0));

    const downloads = await nodes.traffic();
    const flowing = (await nodes.kernel("client")).map((bytes, i) => bytes - before.client[i]);
    assert(flowing.every((bytes) => bytes > 1e6), `no traffic to measure: ${flowing} bytes`);

    const [from, first] = await nodes.atSecond();
    await sleep(4);
    hub.kill("SIGKILL");
    await hub.status;
    await sleep(2);
    hub = nodes.start("server", "hub");
    await sleep(4);
    await lab.sh("client", `ip route add blackhole ${HUB}`);
    await sleep(30);
    const cut = nodes.stored("client").last;
    await lab.sh("client", `ip route del blackhole ${HUB}`);
    while (Date.now() / 1000 < from + 59) await sleep(0.2);
    const [to, second] = await nodes.atSecond();
    for (const download of downloads) {
      download.kill();
      await download.status;
    }
    assert(to - from >= 60 && to - cut > 15, `the spoke was cut off: ${from} ${cut} ${to}`);
    await sleep(1);
    const after = await nodes.kernels();
    const end = Math.round(Date.now() / 1000);
    await nodes.until("all stored", () => sides.every((s) => nodes.stored(s).last >= end + 1));

    for (const side of sides) {
      const minute = nodes.stored(side, from, to), all = nodes.stored(side);
      for (const [i, direction] of (["rx", "tx"] as const).entries()) {
        const passed = second[side][i] - first[side][i], ever = after[side][i] - before[side][i];
        const errors = [off(minute[direction], passed), off(all[direction], ever)];
        console.log(
          `${side} ${direction}: ${ever} bytes, off by ${(errors[1] * 100).toFixed(4)} %; ` +
            `in a minute ${passed} bytes, off by ${(errors[0] * 100).toFixed(3)} %`,
        );
        assert(errors[0] < 0.01 && errors[1] < 0.001, `${side} ${direction}: ${errors}`);
      }
      assert(minute.seconds >= to - from - 1, `${side}: a gap, ${minute.seconds} of ${to - from}`);
    }
  },
});
