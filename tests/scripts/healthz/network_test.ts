/**
 * Three nodes with the real nginx and rsync daemon, a checker, a real bind9, and a client that asks it
 * with dig all the time: each a machine of its own (a network namespace), with IPv4 and IPv6.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type NodesState, type NodeState, readNodes } from "../../../formats/nodes.ts";
import { readHistory } from "../../../scripts/healthz/history.ts";
import { healthzFiles } from "../../../scripts/healthz/state.ts";
import { nodesFile } from "../../../scripts/lib/storage.ts";
import { denoCommand } from "../../../scripts/lib/children.ts";
import { type DnsServer, startDns } from "../../helpers/dns.ts";
import { Network } from "../../helpers/network.ts";
import { tempDir } from "../../helpers/node.ts";
import { output } from "../../helpers/serving.ts";

const NAME = "www.m.test", NODES = ["n1", "n2", "n3"];
/**
 * What mirror.toml says below: two probes, one a second, each with three seconds' limit; and some seconds
 * more, as other tests have this machine busy.
 */
const LIMIT = 3, DOWN_SECONDS = 2 * (LIMIT + 1) + 12, UP_SECONDS = DOWN_SECONDS;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const now = () => Math.floor(Date.now() / 1000);

/** Certificates of a CA of this test: a good one, and some that are not. */
async function certify(dir: string) {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const openssl = (...args: string[]) => output("openssl", args, { cwd: dir });
  await openssl("req", "-x509", ...key, "-subj", "/CN=ca", "-keyout", "ca.key", "-out", "ca.pem");
  await openssl("req", ...key, "-subj", `/CN=${NAME}`, "-keyout", "key.pem", "-out", "csr.pem");
  const certificates = [["good", 90, NAME], ["ended", -1, NAME], ["ending", 3, NAME], [
    "other",
    90,
    "other.test",
  ]];
  for (const [file, days, name] of certificates) {
    await Deno.writeTextFile(`${dir}/ext`, `subjectAltName=DNS:${name}\n`);
    const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", `${days}`];
    const files = ["-in", "csr.pem", "-extfile", "ext", "-out", `${file}.pem`];
    await openssl("x509", "-req", ...by, ...files);
  }
}

/** One node: nginx and an rsync daemon over a folder. */
class Node {
  nginx!: Deno.ChildProcess;
  rsyncd!: Deno.ChildProcess;
  constructor(readonly net: Network, readonly name: string, readonly dir: string) {}

  async start() {
    await Deno.mkdir(`${this.dir}/root/arch`, { recursive: true });
    await this.write(`${now()}\n`);
    await this.configure();
    await Deno.writeTextFile(
      `${this.dir}/rsyncd.conf`,
      `[arch]\npath = ${this.dir}/root/arch\nuse chroot = no\n`,
    );
    this.startNginx();
    this.startRsyncd();
  }
  startNginx() {
    this.nginx = this.net.start(this.name, ["nginx", "-c", `${this.dir}/nginx.conf`]);
  }
  startRsyncd() {
    const args = ["--daemon", "--no-detach", `--config=${this.dir}/rsyncd.conf`];
    this.rsyncd = this.net.start(this.name, ["rsync", ...args]);
  }
  write(lastsync: string) {
    return Deno.writeTextFile(`${this.dir}/root/arch/lastsync`, lastsync);
  }
  async configure(certificate = "good.pem", more = "") {
    await Deno.writeTextFile(
      `${this.dir}/nginx.conf`,
      `daemon off; worker_processes 1; pid ${this.dir}/pid; error_log ${this.dir}/error.log crit;
user root;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path ${this.dir}/t1; proxy_temp_path ${this.dir}/t2;
  fastcgi_temp_path ${this.dir}/t3; uwsgi_temp_path ${this.dir}/t4; scgi_temp_path ${this.dir}/t5;
  server {
    listen 80; listen [::]:80; listen 443 ssl; listen [::]:443 ssl;
    ssl_certificate ${this.dir}/../${certificate}; ssl_certificate_key ${this.dir}/../key.pem;
    root ${this.dir}/root; autoindex on; types { } default_type text/plain;
    location = /arch/ { default_type text/html; }
    ${more}
  }
}
`,
    );
  }
  async reload(certificate?: string, more?: string) {
    await this.configure(certificate, more);
    await output("kill", ["-HUP", `${this.pid()}`]);
  }
  pid = () => Number(Deno.readTextFileSync(`${this.dir}/pid`));
  async workers() {
    const said = await output("ps", ["-o", "pid=", "--ppid", `${this.pid()}`]);
    return said.split("\n").map(Number).filter(Boolean);
  }
}

/** A client that asks all the time, and keeps every answer that has no address. */
class Client {
  answers = 0;
  empty: string[] = [];
  private isOver = false;
  private readonly asking: Promise<void>;
  constructor(private readonly net: Network, private readonly dns: DnsServer) {
    this.asking = (async () => {
      while (!this.isOver) {
        for (const type of ["A", "AAAA"]) {
          const found = await this.ask(type);
          this.answers++;
          if (found.length === 0) this.empty.push(`${type} at ${new Date().toISOString()}`);
        }
        await sleep(200);
      }
    })();
  }
  /** The addresses of a type, as dig(1) gets them. */
  async ask(type: string): Promise<string[]> {
    const said = await this.net.sh(
      "client",
      `dig @${this.dns.address} +short +time=2 +tries=2 ${NAME} ${type}`,
    );
    return said.split("\n").filter(Boolean).sort();
  }
  async all(): Promise<string[]> {
    return (await Promise.all(["A", "AAAA"].map((type) => this.ask(type)))).flat();
  }
  async stop() {
    this.isOver = true;
    await this.asking;
  }
}

Deno.test("healthz in a network: whatever happens to nodes, checker and DNS, dig shows what it should, never nothing", async (t) => {
  /** What follows builds upon it. */
  const step = async (name: string, body: () => Promise<void>) => {
    if (!await t.step(name, body)) throw new Error(`failed: ${name}`);
  };
  await using dir = await tempDir();
  await using net = await Network.make([...NODES, "checker", "dns", "client"]);
  await certify(dir.path);
  const nodes = await Promise.all(NODES.map(async (name) => {
    const node = new Node(net, name, `${dir.path}/${name}`);
    await node.start();
    return node;
  }));
  const [, n2, n3] = nodes;
  const [address] = net.addresses("dns");
  const ready = async () =>
    (await net.sh("client", `dig @${address} +short +time=1 +tries=1 other.m.test A`)
      .catch(() => "")).includes("192.0.2.1");
  await using dns = await startDns("bind9", { address, port: 53, prefix: net.on("dns"), ready });

  const data = `${dir.path}/data`;
  const table = (name: string) =>
    `[[healthz.node]]\nname = "${name}"\naddresses = ${JSON.stringify(net.addresses(name))}\n`;
  await Deno.writeTextFile(
    `${dir.path}/mirror.toml`,
    `[site]
name = "checker.m.test"
[healthz]
name = "${NAME}"
schedule = "* * * * * *"
timeout = "${LIMIT} s"
lastsync = "/arch/lastsync"
checks = ["http", "https", "listing", "rsync"]
rise = 2
fall = 2
max_changes = 9
references = ["${address}:53"]
[healthz.dns]
provider = "rfc2136"
server = "${address}"
zone = "m.test"
ttl = 1
secret_file = "${dns.secretFile}"
${NODES.map(table).join("")}
[[repo]]
name = "arch"
profile = "arch"
upstream = ["/u"]
`,
  );
  // The zone's own address is foreign: it was there before, and stays.
  const foreign = "192.0.2.99";
  const expected = (names: string[]) => [
    ...[...names.map((n) => net.addresses(n)[0]), foreign].sort(),
    ...names.map((n) => net.addresses(n)[1]).sort(),
  ];
  const args = ["run", `--config=${dir.path}/mirror.toml`, `--data=${data}`];
  const start = () =>
    net.start("checker", denoCommand("scripts/healthz.ts", args), {
      env: { NODE_EXTRA_CA_CERTS: `${dir.path}/ca.pem`, NO_COLOR: "1" },
      stderr: "piped",
    });
  const checker = start();
  const said = new Response(checker.stderr).text();
  const state = async (): Promise<NodesState> =>
    readNodes(await Deno.readTextFile(nodesFile(data)))!;

  let client: Client | undefined;
  /** Waits until dig shows exactly these nodes; gives the seconds that it took. */
  async function shows(names: string[], seconds: number): Promise<number> {
    const started = performance.now();
    let found: string[] = [];
    const passed = () => (performance.now() - started) / 1000;
    while (passed() < seconds) {
      found = await client!.all();
      if (found.join() === expected(names).join()) return passed();
      await sleep(200);
    }
    const reasons = (await state()).nodes.flatMap((n) => n.addresses.map((a) => a.checks));
    throw new Error(
      `within ${seconds} s dig shows ${found}, not ${expected(names)}: ${JSON.stringify(reasons)}`,
    );
  }

  try {
    client = new Client(net, dns);
    await shows(NODES, 40);
    // From here on, no answer may be empty.
    client.empty = [];

    type Fault = [
      what: string,
      node: Node,
      make: () => Promise<unknown>,
      reason: RegExp,
      mend: () => Promise<unknown>,
    ];
    const lastsync = (
      node: Node,
      text: () => string,
    ): [() => Promise<void>, () => Promise<void>] => [
      () => node.write(text()),
      () => node.write(`${now()}\n`),
    ];
    const fault = (
      what: string,
      node: Node,
      reason: RegExp,
      [make, mend]: [() => Promise<unknown>, () => Promise<unknown>],
    ): Fault => [what, node, make, reason, mend];
    const path = (node: Node) => `${node.dir}/root/arch/lastsync`;
    // Two at a time, each at a node of its own.
    const rounds: Fault[][] = [
      [
        fault("nginx stops", n2, /refused|reset/i, [
          async () => {
            await output("kill", ["-TERM", `${n2.pid()}`]);
            await n2.nginx.status;
          },
          () => Promise.resolve(n2.startNginx()),
        ]),
        fault("nginx hangs", n3, /no whole answer within 3 s/, [
          async () => void await output("kill", ["-STOP", ...(await n3.workers()).map(String)]),
          async () => void await output("kill", ["-CONT", ...(await n3.workers()).map(String)]),
        ]),
      ],
      [
        fault("garbage with 200", n2, /lastsync is no time: "<h1>/, lastsync(n2, () => "<h1>hi")),
        fault("404", n3, /HTTP status 404/, [
          () => Deno.remove(path(n3)),
          () => n3.write(`${now()}\n`),
        ]),
      ],
      [
        fault(
          "an old lastsync",
          n2,
          /6 h 5\d min behind the newest|7 h behind/,
          lastsync(n2, () => `${now() - 7 * 3600}\n`),
        ),
        fault("one of the future", n3, /in the future/, lastsync(n3, () => `${now() + 86400}\n`)),
      ],
      [
        fault("an expired certificate", n2, /expired/i, [
          () => n2.reload("ended.pem"),
          () => n2.reload(),
        ]),
        fault("a slow drip", n3, /no whole answer within 3 s/, [
          () => n3.reload("good.pem", "location = /arch/lastsync { limit_rate 1; }"),
          () => n3.reload(),
        ]),
      ],
      [
        fault(
          "a certificate that ends soon",
          n2,
          /the certificate ends in [23]\.\d days, at least 7/,
          [
            () => n2.reload("ending.pem"),
            () => n2.reload(),
          ],
        ),
        fault("another name's certificate", n3, /https: .*altnames/, [
          () => n3.reload("other.pem"),
          () => n3.reload(),
        ]),
      ],
      [
        fault("10 GB of body", n2, /lastsync is no time/, [
          async () => {
            await n2.write("1");
            await Deno.truncate(path(n2), 10 * 1024 ** 3);
          },
          () => n2.write(`${now()}\n`),
        ]),
        fault("no rsync daemon", n3, /rsync: .*refused/i, [
          async () => {
            n3.rsyncd.kill("SIGTERM");
            await n3.rsyncd.status;
          },
          () => Promise.resolve(n3.startRsyncd()),
        ]),
      ],
    ];
    for (const round of rounds) {
      await step(round.map(([what]) => what).join(", "), async () => {
        for (const [, , make] of round) await make();
        await shows(["n1"], DOWN_SECONDS);
        // DNS is written first, then the state.
        const isDown = ({ name, state }: NodeState) => name === "n1" || state === "down";
        await waitFor(async () => (await state()).nodes.every(isDown), 10);
        const { nodes } = await state();
        for (const [what, { name }, , reason] of round) {
          const { addresses } = nodes.find((n) => n.name === name)!;
          for (const { checks, state } of addresses) {
            const bad = checks.filter((c) => !c.ok).map((c) => `${c.check}: ${c.reason}`);
            assertEquals([what, state], [what, "down"]);
            assertMatch(bad.join("; "), reason, what);
          }
        }
        for (const [, , , , mend] of round) await mend();
        await shows(NODES, UP_SECONDS);
      });
    }

    await step("one family of one node", async () => {
      const [, six] = net.addresses("n2");
      await net.sh("n2", `ip addr del ${six}/64 dev eth`);
      const [four] = net.addresses("n2");
      await waitFor(async () => {
        const all = await client!.all();
        return all.includes(four) && !all.includes(six);
      }, DOWN_SECONDS);
      await net.sh("n2", `ip addr add ${six}/64 dev eth nodad`);
      await shows(NODES, UP_SECONDS);
    });

    await step("the checker is cut off: nothing changes, and it says why", async () => {
      const before = (await state()).nodes.map((n) => n.days.at(-1)!.probes);
      await net.cable("checker", false);
      const isCut = async () => (await state()).alarms.some((a) => a.code === "references");
      await waitFor(isCut, 20);
      await sleep(3000);
      assertEquals(await client!.all(), expected(NODES));
      const cut = await state();
      assertEquals(cut.nodes.map((n) => n.state), ["up", "up", "up"]);
      await net.cable("checker", true);
      await waitFor(async () => (await state()).alarms.length === 0, 20);
      const after = (await state()).nodes.map((n) => n.days.at(-1)!.probes);
      assert(after[0] > before[0], "and goes on");
    });

    await step("all nodes are dead: the last known set stays, with an alarm", async () => {
      for (const node of nodes) await node.write("dead");
      await waitFor(
        async () => (await state()).nodes.every((n) => n.state === "down"),
        DOWN_SECONDS,
      );
      await sleep(3000);
      const left = await client!.all();
      assert(left.filter((a) => a.includes(":")).length >= 1, left.join());
      assert(left.filter((a) => a !== foreign && a.includes(".")).length >= 1, left.join());
      const codes = (await state()).alarms.map((a) => a.code);
      assertEquals(codes, ["floor4", "floor6"]);
      for (const node of nodes) await node.write(`${now()}\n`);
      await shows(NODES, UP_SECONDS);
    });

    await step("flapping every 3 s: followed, but no faster than the thresholds", async () => {
      const [four] = net.addresses("n3"), turns = new Set<number>();
      let isOver = false;
      const watching = (async () => {
        while (!isOver) {
          const text = await Deno.readTextFile(healthzFiles(data).history);
          turns.add(readHistory(text)!.memory[four].changed);
          await sleep(50);
        }
      })();
      for (let i = 0; i < 4; i++) {
        await n3.write(i % 2 ? `${now()}\n` : "bad");
        await sleep(3000);
      }
      isOver = true;
      await watching;
      const runs = [...turns].sort((a, b) => a - b);
      assert(runs.length <= 5, runs.join());
      const pauses = runs.slice(1).map((n, i) => n - runs[i]);
      assert(pauses.every((n) => n >= 2), `two probes are due between: runs ${runs}`);
      await shows(NODES, UP_SECONDS);
    });

    await step(
      "a DNS server that refuses: an alarm, and done as soon as it takes updates",
      async () => {
        const conf = `${dns.dir}/named.conf`, text = await Deno.readTextFile(conf);
        const pid = (await Deno.readTextFile(`${dns.dir}/pid`)).trim();
        const policy = async (content: string) => {
          await Deno.writeTextFile(conf, content);
          await output("kill", ["-HUP", pid]);
          await sleep(500);
        };
        await policy(text.replace("allow-update { key k1; }", "allow-update { none; }"));
        await n3.write("bad");
        await waitFor(
          async () => (await state()).alarms.some((a) => a.code === "provider"),
          DOWN_SECONDS,
        );
        const [alarm] = (await state()).alarms;
        assertMatch(alarm.message, /Cannot update www\.m\.test at .*: update failed: REFUSED/);
        assertEquals(await client!.all(), expected(NODES));
        await policy(text);
        await shows(["n1", "n2"], DOWN_SECONDS);
        await n3.write(`${now()}\n`);
        await shows(NODES, UP_SECONDS);
      },
    );

    await client.stop();
    assertEquals(client.empty, []);
    assert(client.answers > 200, `${client.answers} answers`);
  } finally {
    await client?.stop().catch(() => {});
    checker.kill("SIGTERM");
    await checker.status;
    const text = await said;
    assertEquals(/\n\s+at /.test(text), false, text);
  }
});

/** Waits for something to become true. */
async function waitFor(check: () => Promise<boolean>, seconds: number) {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    if (await check()) return;
    await sleep(200);
  }
  throw new Error(`not within ${seconds} s: ${check}`);
}
