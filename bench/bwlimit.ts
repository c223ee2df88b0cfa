/**
 * bwlimit in network namespaces: what its chains cost a download, how soon and how exactly it refuses, and
 * what looking costs with 100,000 destinations. No figure fails anything, for machines differ.
 */
import { Decoder } from "../scripts/bwlimit/flowpacket.ts";
import { MIB, Scene, until, V4, V6 } from "../scripts/demo/limited.ts";
import { median, table } from "./measure.ts";

const POLICY = `[bwlimit]\nallow = ["10.77.0.9"]\n` +
  `[bwlimit.client]\nlimit = { "1 h" = "1 TiB", "24 h" = "4 TiB" }\nthrottle = { rate = "1 MiB/s" }\n` +
  `[bwlimit.network]\nlimit = { "24 h" = "8 TiB" }\n`;

const CLIENTS = ["10.77.0.9/16"];

/** Downloads of 256 MiB with all chains in the way, from the allow-list, and without any. */
async function throughput(scene: Scene, rounds: number): Promise<string[][]> {
  const found: Record<string, number[]> = { none: [], allowed: [], counted: [] };
  const get = async (from: string) =>
    256 / (await scene.lab.curl(`${V4}/big`, "--interface", from, "-o", "/dev/null")).seconds;
  for (let i = 0; i < rounds; i++) {
    await scene.start();
    found.counted.push(await get("10.77.0.2"));
    found.allowed.push(await get("10.77.0.9"));
    await scene.stop();
    await scene.bwlimit("flush");
    found.none.push(await get("10.77.0.2"));
  }
  const of = (name: string) => median(found[name]);
  return [
    ["", "MiB/s", "ratio"],
    ...Object.keys(found).map((
      name,
    ) => [name, of(name).toFixed(0), (of(name) / of("none")).toFixed(2)]),
  ];
}

/** Bytes past the limit, and how soon the answer comes. */
async function refusal(rounds: number): Promise<string[]> {
  const past: number[] = [], four: number[] = [], six: number[] = [], tls: number[] = [];
  await using scene = await Scene.make(
    `[bwlimit.client]\nlimit = { "1 h" = "100 MiB" }\n`,
    Array.from({ length: rounds }, (_, i) => `10.77.1.${i + 1}/16`),
    true,
  );
  const { lab } = scene;
  await scene.start();
  for (let i = 0; i < rounds; i++) {
    const from = `10.77.1.${i + 1}`, before = await lab.sent();
    await lab.curl(`${V4}/big`, "--interface", from, "-o", "/dev/null");
    const after = await lab.sent();
    past.push(after.bytes - before.bytes - 14 * (after.packets - before.packets) - 100 * MIB);
  }
  await lab.curl(`${V6}/big`, "-o", "/dev/null");
  for (let i = 0; i < rounds; i++) {
    const ms = async (url: string, from: string, ...more: string[]) => {
      const { status, seconds } = await lab.curl(url, "--interface", from, ...more);
      if (status !== 429) throw new Error(`${url} answered ${status}`);
      return seconds * 1000;
    };
    const from = `10.77.1.${i + 1}`;
    four.push(await ms(V4, from));
    six.push(await ms(V6, "fd77::2"));
    tls.push(await ms("https://10.77.0.1", from, "--cacert", scene.path("cert")));
  }
  const show = (all: number[]) =>
    `${median(all).toFixed(1)} ms (${Math.max(...all).toFixed(1)} at most)`;
  return [
    `past a limit of 100 MiB, ${rounds} clients: ${
      Math.max(...past)
    } bytes at most (negative: less than allowed)`,
    `429: IPv4 ${show(four)}, IPv6 ${show(six)}, HTTPS ${show(tls)}`,
  ];
}

/** Sends a datagram to each of `count` addresses behind the server's interface. */
async function load({ lab }: Scene, count: number) {
  await lab.sh("server", "ip link set cable arp off; ip route add 10.64.0.0/12 dev cable");
  const script =
    `const s = Deno.listenDatagram({ transport: "udp", hostname: "10.77.0.1", port: 0 });
    const data = new Uint8Array(100);
    for (let i = 0; i < ${count}; i++) {
      const hostname = "10." + (64 + (i >> 16)) + "." + (i >> 8 & 255) + "." + (i & 255);
      await s.send(data, { transport: "udp", hostname, port: 9 }).catch(() => {});
    }`;
  const { code, stderr } = await lab.run("server", [
    Deno.execPath(),
    "eval",
    "--unstable-net",
    script,
  ]);
  if (code !== 0) throw new Error(stderr);
}

/** The CPU seconds and resident bytes of a process, and the CPU seconds of its children that have ended. */
async function usage(pid: number): Promise<{ cpu: number; rss: number; ended: number }> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
  const rss = Number(/VmRSS:\s*(\d+)/.exec(await Deno.readTextFile(`/proc/${pid}/status`))![1]) *
    1024;
  // utime, stime, and those of children that have ended; a clock tick is 10 ms.
  return { cpu: (fields[11] + fields[12]) / 100, rss, ended: (fields[13] + fields[14]) / 100 };
}

/** What the script uses, and the nfts that it keeps and starts. */
async function uses({ running, lab }: Scene) {
  const { pid } = running!;
  const children = (await lab.sh("server", `pgrep -P ${pid} || true`)).trim().split("\n");
  const nfts = await Promise.all(children.filter((c) => c).map((c) => usage(Number(c))));
  const script = await usage(pid), kept = { cpu: script.ended, rss: 0 };
  return { script, nft: nfts.reduce((a, b) => ({ cpu: a.cpu + b.cpu, rss: a.rss + b.rss }), kept) };
}

/** Seconds since the slices were written of those who are far from a limit: of the oldest and all in all. */
async function slices(scene: Scene): Promise<{ count: number; oldest: number; bytes: number }> {
  let count = 0, oldest = 0, bytes = 0;
  for await (const table of Deno.readDir(scene.state("distant"))) {
    for await (const { name } of Deno.readDir(scene.state(`distant/${table.name}`))) {
      if (name.endsWith(".new")) continue;
      const { mtime, size } = await Deno.stat(scene.state(`distant/${table.name}/${name}`));
      oldest = Math.max(oldest, (Date.now() - mtime!.getTime()) / 1000);
      count++, bytes += size;
    }
  }
  return { count, oldest, bytes };
}

const percent = (seconds: number, of: number) => `${(seconds / of * 100).toFixed(2)} %`;

/** What a run costs with so many destinations, and what is left of them after a reboot. */
async function looks(count: number, seconds: number): Promise<string[]> {
  await using scene = await Scene.make(POLICY);
  await scene.start();
  const slab = async () =>
    Number(/SUnreclaim:\s*(\d+)/.exec(await Deno.readTextFile("/proc/meminfo"))![1]) / 1024;
  const before = await slab();
  await load(scene, count);
  const grown = await slab() - before;
  const known = async () => (await scene.status()).destinations.counted ?? 0;
  // A round that began before they came knows but some of them: that is enough for a quick look.
  await until("all slices", async () => await known() >= (count < 100_000 ? 1 : count * 0.99), 130);
  const times: number[] = [], ages: number[] = [];
  const start = await uses(scene), began = performance.now();
  while (performance.now() - began < seconds * 1000) {
    await new Promise((resolve) => setTimeout(resolve, 2000));
    times.push((await scene.status()).lookSeconds * 1000);
    ages.push((await slices(scene)).oldest);
  }
  const passed = (performance.now() - began) / 1000, end = await uses(scene);
  const script = end.script.cpu - start.script.cpu, nft = end.nft.cpu - start.nft.cpu;
  const { bytes, count: files } = await slices(scene);
  const counted = await known();

  // A power failure: the kernel and all that was not written down are gone.
  await scene.stop("SIGKILL");
  await scene.bwlimit("flush");
  const started = performance.now();
  await scene.start();
  const restart = (performance.now() - started) / 1000;
  const { rss } = (await uses(scene)).script;
  const { stdout } = await scene.bwlimit("explain", "10.64.0.7");
  return [
    `${counted} destinations: a look ${median(times).toFixed(1)} ms (${
      Math.max(...times).toFixed(1)
    } at most), kernel memory ${grown.toFixed(0)} MiB`,
    `  CPU of a core over ${passed.toFixed(0)} s: script ${percent(script, passed)}, nft ${
      percent(nft, passed)
    }, both ${percent(script + nft, passed)}`,
    `  RSS: script ${(end.script.rss / MIB).toFixed(0)} MiB, its nfts ${
      (end.nft.rss / MIB).toFixed(0)
    } MiB together`,
    `  written down: ${files} slices, ${(bytes / MIB).toFixed(1)} MiB in all, the oldest ${
      Math.max(...ages).toFixed(0)
    } s old at most`,
    `  after a reboot: at work in ${restart.toFixed(1)} s with RSS ${
      (rss / MIB).toFixed(0)
    } MiB; one of them: ${/.*so far/.exec(stdout)?.[0].trim()}`,
  ];
}

/** Records a second that the decoder of flows takes. */
function decoding(): string {
  const u16 = (n: number) => [n >> 8, n & 255];
  const fields = [[8, 4], [12, 4], [4, 1], [7, 2], [11, 2], [1, 4], [2, 4]];
  const template = [
    ...u16(256),
    ...u16(fields.length),
    ...fields.flatMap(([e, l]) => [...u16(e), ...u16(l)]),
  ];
  const size = fields.reduce((n, [, l]) => n + l, 0), records = 45;
  const message = (id: number, body: number[]) =>
    Uint8Array.from([
      ...u16(10),
      ...u16(body.length + 20),
      ...new Array(12).fill(0),
      ...u16(id),
      ...u16(body.length + 4),
      ...body,
    ]);
  const decoder = new Decoder();
  decoder.decode(message(2, template), "x");
  const packet = message(256, new Array(size * records).fill(1));
  const began = performance.now();
  let flows = 0;
  while (performance.now() - began < 1000) flows += decoder.decode(packet, "x").length;
  return `flows: ${
    Math.round(flows / (performance.now() - began))
  },000 records a second are decoded`;
}

/** The bench. */
export async function main(args: string[]): Promise<number> {
  const quick = args.includes("--quick");
  {
    await using scene = await Scene.make(POLICY, CLIENTS);
    console.log(table(await throughput(scene, quick ? 3 : 7)) + "\n");
  }
  for (const line of await refusal(quick ? 5 : 20)) console.log(line);
  for (const line of await looks(quick ? 10_000 : 100_000, quick ? 10 : 60)) console.log(line);
  console.log(decoding() + "\n");
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
