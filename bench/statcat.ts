/**
 * The hub with many listeners and spokes, and what a spoke costs. Figures, as processes of their own:
 *
 *     deno task bench statcat [--quick]
 */
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import { fromFileUrl, join } from "@std/path/posix";
import { denoCommand } from "../scripts/lib/children.ts";
import { SPOKES, statcatFiles } from "../scripts/lib/statcat.ts";
import { addToken } from "../scripts/statcat/tokens.ts";
import { table } from "./measure.ts";
import type { Listened } from "./statcat/listeners.ts";

const TOML = `[site]\nname = "bench.test"\n[statcat]\nport = 0\nclients = 10000\n` +
  `clients_per_address = 10000\ninterfaces = ["lo"]\n` +
  `[[repo]]\nname = "a"\nprofile = "generic"\nupstream = ["/none/"]\n`;
const sleep = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** What a process used so far, from proc(5). */
async function usage(pid: number): Promise<{ cpuSeconds: number; rssBytes: number }> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
    rssBytes: Number(/VmRSS:\s*(\d+)/.exec(status)![1]) * 1024,
  };
}

/** Starts a mode of statcat as its unit does. */
function start(dir: string, mode: string): Deno.ChildProcess {
  const where = [`--config=${dir}/mirror.toml`, `--data=${dir}/data`, "-q", "--json"];
  const [program, ...args] = denoCommand("scripts/statcat.ts", [mode, ...where]);
  return new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "inherit" })
    .spawn();
}

/** The lines that a process prints, as they come. */
async function* linesOf(child: Deno.ChildProcess): AsyncGenerator<string, undefined> {
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

/** A spoke that says something every second, at its own moment of it. */
async function speak(url: string, token: string, n: number): Promise<() => void> {
  const ws = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
  await new Promise((resolve, reject) => ws.on("open", resolve).on("error", reject));
  const spoke = token.slice(0, token.lastIndexOf(".")), session = crypto.randomUUID();
  let seq = 0;
  const say = () => {
    const clock = Date.now() / 1000;
    const rows = [["eth0", 812_000 + n, 93_000_000 + n, 5200, 64_000]];
    const samples = [[++seq, Math.floor(clock) - 1, 1000, rows]];
    ws.send(JSON.stringify({ v: 1, spoke, session, clock, samples }));
  };
  const timer = setInterval(say, 1000);
  return () => {
    clearInterval(timer);
    ws.terminate();
  };
}

/** Measures one hub under a load. */
async function underLoad(
  dir: string,
  spokes: number,
  clients: number,
  stalled: number,
  seconds: number,
) {
  const hub = start(dir, "hub");
  const hubLines = linesOf(hub), { port } = JSON.parse((await hubLines.next()).value!);
  const { tokens } = statcatFiles(join(dir, "data"));
  const stops: (() => void)[] = [];
  for (let n = 0; n < spokes; n++) {
    const token = await addToken(tokens, `spoke-${n}`);
    stops.push(await speak(`ws://127.0.0.1:${port}${SPOKES}`, token, n));
  }
  await sleep(2);
  const idle = await usage(hub.pid);
  const script = fromFileUrl(new URL("statcat/listeners.ts", import.meta.url));
  const listeners = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", script, ...[port, clients, stalled, seconds].map(String)],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = linesOf(listeners);
  await lines.next();
  const before = await usage(hub.pid);
  const said = (await lines.next()).value!;
  const after = await usage(hub.pid);
  for (const stop of stops) stop();
  const stopping = performance.now();
  hub.kill("SIGTERM");
  await hubLines.next();
  await hub.status;
  return {
    ...JSON.parse(said) as Listened,
    stopSeconds: (performance.now() - stopping) / 1000,
    cpu: (after.cpuSeconds - before.cpuSeconds) / seconds,
    rssBytes: after.rssBytes,
    idleBytes: idle.rssBytes,
  };
}

/** What a real spoke costs beside a real hub. */
async function spokeCost(dir: string, seconds: number) {
  const hub = start(dir, "hub"), hubLines = linesOf(hub);
  await hubLines.next();
  const spoke = start(dir, "spoke");
  await sleep(5);
  const before = await usage(spoke.pid);
  await sleep(seconds);
  const after = await usage(spoke.pid);
  for (const child of [spoke, hub]) child.kill("SIGTERM");
  await Promise.all([spoke.stdout.cancel(), hubLines.next(), spoke.status, hub.status]);
  return { cpu: (after.cpuSeconds - before.cpuSeconds) / seconds, rssBytes: after.rssBytes };
}

const percent = (share: number) => `${(share * 100).toFixed(2)} %`;
const MiB = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;

/** The bench. */
export async function main(args: string[]): Promise<number> {
  const quick = args.includes("--quick");
  const [spokes, clients, seconds] = quick ? [20, 200, 5] : [200, 2000, 30];
  const dir = await Deno.makeTempDir({ prefix: "mirrorkit-bench-" });
  try {
    await Deno.writeTextFile(join(dir, "mirror.toml"), TOML);
    const hub = await underLoad(dir, spokes, clients, 20, seconds);
    const spoke = await spokeCost(dir, quick ? 5 : 60);
    const per1000 = 1000 / clients;
    console.log(table([
      [`hub, ${spokes} spokes, ${clients} listeners and 20 stalled, ${seconds} s`, ""],
      ["events that listeners got (goal: 99 %)", percent(hub.got / hub.expected)],
      ["delay of an event: median", `${hub.medianDelayMs} ms`],
      ["delay of an event: largest (goal: 250 ms)", `${hub.largestDelayMs} ms`],
      ["sent", `${MiB(hub.bytes / seconds)}/s`],
      ["CPU of a core", percent(hub.cpu)],
      ["CPU of a core per 1,000 listeners", percent(hub.cpu * per1000)],
      ["RSS", MiB(hub.rssBytes)],
      ["RSS per 1,000 listeners", MiB((hub.rssBytes - hub.idleBytes) * per1000)],
      ["stops within, listeners connected (goal: 2 s)", `${hub.stopSeconds.toFixed(2)} s`],
      ["spoke: CPU of a core (goal: 0.3 %)", percent(spoke.cpu)],
      ["spoke: RSS", MiB(spoke.rssBytes)],
    ]));
    return 0;
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
