/**
 * How fast files and listings are served: nginx with our configuration against a bare one, and the embedded
 * server against one nginx worker. Ratios, interleaved, so that a noisy machine is noisy for all.
 *
 *     deno task bench servers [--quick]
 */
import { median, table } from "./measure.ts";
import { type Scene, type Server, startScene } from "./servers/node.ts";

/** What wrk found out in one round. */
interface Rate {
  requests: number;
  bytes: number;
  /** Seconds of CPU that the server used in it. */
  cpu: number;
}

const GZIP = "Accept-Encoding: gzip";
const UNITS: Record<string, number> = { "": 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** Asks a server for one URL, for a second and as fast as it answers, by wrk(1). */
async function ask(server: Server, path: string, header?: string): Promise<Rate> {
  const connections = path.endsWith("100m.iso") ? 4 : path.endsWith("extra.db") ? 8 : 32;
  const url = `http://127.0.0.1:${server.port}${path}`;
  const args = ["-t1", `-c${connections}`, "-d1s", ...(header ? ["-H", header] : []), url];
  const before = server.cpuSeconds();
  const { stdout } = await new Deno.Command("wrk", { args }).output();
  const cpu = server.cpuSeconds() - before, text = new TextDecoder().decode(stdout);
  const [, requests] = /(\d+) requests in/.exec(text)!;
  if (/Non-2xx/.test(text)) throw new Error(`${server.name} ${path}: ${text}`);
  const [, amount, unit] = /Transfer\/sec:\s*([\d.]+)([KMG]?)B/.exec(text)!;
  return {
    requests: Number(requests),
    bytes: Number(amount) * UNITS[unit],
    cpu,
  };
}

/** One thing that is asked of several servers, each in its own way. */
interface Case {
  name: string;
  /** Bytes a second tell more than requests, where a request takes longer than a round. */
  by: "requests" | "bytes";
  /** Rounds, where few tell enough: nothing is promised, or what is reached is far from it. */
  rounds?: number;
  of: Record<string, [Server, path: string, header?: string]>;
}

function cases({ ours, bare, embedded }: Scene): Case[] {
  const file = (path: string, by: Case["by"] = "requests"): Case => ({
    name: path.split("/").pop()!,
    by,
    of: { ours: [ours, `/arch/${path}`], bare: [bare, `/arch/${path}`] },
  });
  const all = (path: string, by?: Case["by"]): Case => {
    const two = file(path, by);
    return { ...two, of: { ...two.of, embedded: [embedded, `/arch/${path}`] } };
  };
  const busy = (path: string): Case => ({
    ...file(path),
    name: `${path.split("/").pop()} in a sync`,
    rounds: FEW,
    of: { ours: [ours, `/busy/${path}`], bare: [bare, `/busy/${path}`] },
  });
  return [
    file(MARKER),
    busy(MARKER),
    file(CORE),
    busy(CORE),
    file("extra/os/x86_64/extra.db", "bytes"),
    all("1k.pkg.tar.zst"),
    all("100k.pkg.tar.zst"),
    all("100m.iso", "bytes"),
    {
      name: "listing.gz",
      by: "requests",
      rounds: FEW,
      of: {
        ours: [ours, "/arch/", GZIP],
        bare: [bare, "/arch/index.html", GZIP],
        embedded: [embedded, "/arch/", GZIP],
      },
    },
    {
      name: "listing",
      by: "bytes",
      rounds: FEW,
      of: {
        ours: [ours, "/arch/"],
        bare: [bare, "/arch/index.html"],
        embedded: [embedded, "/arch/"],
      },
    },
  ];
}

const FEW = 3;

const MARKER = "lastupdate", CORE = "core/os/x86_64/core.db";

/** What is promised: case, who, against whom, by what, at least (0: shown, but not promised). */
const PROMISES: [string, string, string, "rate" | "cpu", number][] = [
  ...["lastupdate", "core.db", "extra.db", "1k.pkg.tar.zst", "100k.pkg.tar.zst", "100m.iso"]
    .flatMap((name): typeof PROMISES => [
      [name, "ours", "bare", "rate", 0.95],
      [name, "ours", "bare", "cpu", 0.95],
    ]),
  // Then each file is opened anew, component by component.
  ["lastupdate in a sync", "ours", "bare", "rate", 0],
  ["core.db in a sync", "ours", "bare", "rate", 0],
  ["listing.gz", "ours", "bare", "rate", 5],
  ["1k.pkg.tar.zst", "embedded", "bare", "rate", 0.8],
  ["100k.pkg.tar.zst", "embedded", "bare", "rate", 0.6],
  ["100m.iso", "embedded", "bare", "rate", 0.9],
  ["listing.gz", "embedded", "ours", "rate", 0.8],
  ["listing", "embedded", "bare", "rate", 0.8],
];

/** Runs all cases, a second each; gives what was found by case and server. */
async function measureAll(scene: Scene, rounds: number) {
  const found = new Map<string, Rate[]>();
  for (let round = 0; round < rounds; round++) {
    for (const { name, of } of cases(scene).filter((c) => round < (c.rounds ?? rounds))) {
      // Forth and back, so that nobody always goes first.
      const turns = Object.entries(of);
      if (round % 2) turns.reverse();
      for (const [who, [server, path, header]] of turns) {
        const key = `${name} ${who}`;
        found.set(key, [...found.get(key) ?? [], await ask(server, path, header)]);
      }
    }
  }
  return found;
}

/** Resident memory that clients cost who ask for a large file and read nothing but its start. */
async function slowClients(server: Server, n: number): Promise<number> {
  const before = server.rssBytes(), connections: Deno.Conn[] = [];
  const request = new TextEncoder().encode("GET /arch/100m.iso HTTP/1.1\r\nHost: x\r\n\r\n");
  for (let i = 0; i < n; i++) {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    await connection.write(request);
    await connection.read(new Uint8Array(1024));
    connections.push(connection);
  }
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const grown = server.rssBytes() - before;
  for (const connection of connections) connection.close();
  return grown;
}

const MIB = 1024 ** 2;

function show(found: Map<string, Rate[]>) {
  const rows = [["", "requests/s", "MiB/s", "CPU µs/request"]];
  for (const [key, rates] of found) {
    const mid = (of: (rate: Rate) => number) => median(rates.map(of));
    const numbers = [
      mid((r) => r.requests),
      mid((r) => r.bytes) / MIB,
      mid((r) => r.cpu / Math.max(1, r.requests)) * 1e6,
    ];
    rows.push([key, ...numbers.map((x) => x.toFixed(x < 100 ? 1 : 0))]);
  }
  console.log(table(rows) + "\n");
}

/** Compares round by round, so that what slows one slows the other. */
function ratios(scene: Scene, found: Map<string, Rate[]>): [string[][], number] {
  const by = new Map(cases(scene).map((c) => [c.name, c.by]));
  const rows = [["ratio", "reached", "promised", ""]];
  let missed = 0;
  for (const [name, who, whom, what, least] of PROMISES) {
    const a = found.get(`${name} ${who}`)!, b = found.get(`${name} ${whom}`)!;
    const field = by.get(name)!;
    const each = a.map((rate, i) =>
      rate[field] / b[i][field] * (what === "cpu" ? b[i].cpu / rate.cpu : 1)
    );
    const ratio = median(each), good = ratio >= least;
    if (!good) missed++;
    const label = `${name}: ${who} to ${whom}${what === "cpu" ? `, ${field} per CPU second` : ""}`;
    rows.push([label, ratio.toFixed(2), least ? `≥ ${least}` : "", good ? "" : "missed"]);
  }
  return [rows, missed];
}

/** The bench. A ratio that is missed is printed as such; it fails nothing, for machines differ. */
export async function main(args: string[]): Promise<number> {
  const quick = args.includes("--quick");
  const dir = await Deno.makeTempDir({ prefix: "mirrorkit-bench-" });
  try {
    const scene = await startScene(dir);
    try {
      // More short rounds tell more than few long ones: what disturbs a shared machine lasts for seconds.
      const found = await measureAll(scene, quick ? FEW : 9);
      show(found);
      const [rows, missed] = ratios(scene, found);
      console.log(table(rows) + "\n");
      const n = quick ? 100 : 500, grown = await slowClients(scene.embedded, n) / MIB;
      console.log(
        `${n} slow clients of 100 MiB: the embedded server grew by ${grown.toFixed(0)} MiB ` +
          `(${(grown / n).toFixed(2)} MiB each)\n`,
      );
      if (missed) console.log(`${missed} of ${rows.length - 1} ratios are missed on this machine`);
    } finally {
      await scene.stop();
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
