#!/usr/bin/env -S deno run --allow-run=setpriv,sh --allow-read --allow-write --allow-env --allow-net --allow-sys
/**
 * Keeps the address records of a mirror's name on those of its nodes that truly serve, and never on none.
 *
 *     healthz check|run|status|drain NODE|undrain NODE [--dry-run]
 */
import { Cron } from "croner";
import { closestString } from "@std/text/closest-string";
import { isCurrent, readNodes } from "../formats/nodes.ts";
import { channels } from "./healthz/channels.ts";
import { cycle, type Parts } from "./healthz/cycle.ts";
import { fetchPeer, type ReadPeer } from "./healthz/look.ts";
import { deliver } from "./healthz/notices.ts";
import { provider } from "./healthz/providers.ts";
import { toPublic } from "./healthz/public.ts";
import { show, statusText } from "./healthz/show.ts";
import {
  healthzFiles,
  loadDrained,
  loadHistory,
  saveDrained,
  saveHistory,
} from "./healthz/state.ts";
import { denoWire } from "./healthz/wire.ts";
import { type Arguments, command, type CommandSpec, EXIT, Failure, UsageError } from "./lib/cli.ts";
import { type Config, loadConfig } from "./lib/config.ts";
import { readText } from "./lib/files.ts";
import { endpoints, type Healthz } from "./lib/healthz.ts";
import { takeLock, waitForLock } from "./lib/lock.ts";
import { checkPattern } from "./lib/schedule.ts";
import { openStorage } from "./lib/storage.ts";

const SPEC: CommandSpec = {
  name: "healthz",
  summary: "keep a name's DNS records on the nodes that truly serve, and never on none",
  operands: "check|run|status|drain NODE|undrain NODE",
  options: { "dry-run": { help: "look and print what would change; nothing is written or told" } },
  examples: [
    ["deno task healthz check --dry-run", "probe every node once, and print what would change"],
    ["deno task healthz run", "probe on schedule until SIGINT or SIGTERM"],
    ["deno task healthz drain seoul", "take a node out before its maintenance"],
    ["deno task healthz status", "what the last run found"],
  ],
};

/** A configuration with the table of healthz. */
type Configured = Config & { healthz: Healthz };

/** What a subcommand gets. */
interface Call extends Pick<Arguments, "log"> {
  config: Configured;
  isDry: boolean;
  isJson: boolean;
}

/** The command; gives its exit code. */
export function main(args: string[]): Promise<number> {
  return command(SPEC, args, async ({ operands, values, switches, log }) => {
    const [what = "", node, ...rest] = operands;
    const needsNode = what === "drain" || what === "undrain";
    if (!["check", "run", "status", "drain", "undrain"].includes(what)) {
      throw new UsageError(
        `healthz ${JSON.stringify(what)} is not known; allowed is ${SPEC.operands}.`,
      );
    }
    if (needsNode !== (node !== undefined) || rest.length) {
      throw new UsageError(
        needsNode ? `healthz ${what} needs one NODE.` : `healthz ${what} takes no more words.`,
      );
    }
    const config = await loadConfig({ values });
    if (!config.healthz) {
      throw new UsageError(
        `${config.file} has no [healthz] table.`,
        "mirror.toml.example shows one.",
      );
    }
    checkPattern(config.file, config.healthz.schedule, "healthz", "Look at: man 5 crontab");
    const call: Call = {
      config: config as Configured,
      log,
      isDry: switches.has("dry-run"),
      isJson: switches.has("json"),
    };
    if (what === "status") return await status(call);
    if (needsNode) return await drain(call, node, what === "drain");
    await openStorage(config.data, ["state"]);
    return what === "run" ? await run(call) : await check(call);
  });
}

/** Another checker's `nodes.json`, at a path or URL. */
const readPeer: ReadPeer = async (peer, signal) =>
  peer.startsWith("/") ? await readText(peer) ?? "" : await fetchPeer(peer, signal);

/** One run: exit code 1 while something asks for a person. */
async function check(call: Call): Promise<number> {
  const { config, log, isDry, isJson } = call, { data, healthz } = config;
  using _lock = isDry ? undefined : await takeLock(healthzFiles(data).lock, "healthz");
  const warn = (text: string) => log.warn(`warning: ${text}`);
  const before = await loadHistory(data, warn);
  const parts: Parts = {
    config: healthz,
    wire: denoWire,
    provider: await provider(healthz),
    readPeer,
    now: () => Date.now() / 1000,
  };
  const report = await cycle(parts, before, isDry);
  const seconds = intervalOf(healthz.schedule);
  const nodes = toPublic(report.history, healthz, config.site.name, seconds);
  if (!isDry) {
    // What is known goes to the disk before anybody is told: telling may take its time.
    await saveHistory(data, report.history, nodes);
    const ways = await channels(healthz, config.site.name);
    const { history, events } = report;
    const told = await deliver(history, events, ways, history.at, warn);
    if (told.notices.length || history.notices.length) await saveHistory(data, told, nodes);
  }
  show(report, nodes, log);
  if (isJson) {
    const { changes, plan } = report;
    console.log(JSON.stringify({ dryRun: isDry, changes, plan, ...nodes }));
  } else for (const line of report.plan) console.log(line);
  return nodes.alarms.length ? EXIT.failed : EXIT.done;
}

/** Seconds between two runs of a pattern. */
function intervalOf(pattern: string): number {
  const [one, two] = new Cron(pattern, { paused: true }).nextRuns(2);
  return two ? Math.round((two.getTime() - one.getTime()) / 1000) : 60;
}

/** Runs on schedule; a run that fails is told and the next one comes. */
async function run(call: Call): Promise<number> {
  const { log, config: { data, healthz } } = call;
  using _lock = call.isDry ? undefined : await takeLock(healthzFiles(data).runLock, "healthz run");
  let current = Promise.resolve();
  const once = () =>
    current = check(call).then(() => {}, (error) => {
      if (!(error instanceof Failure)) throw error;
      log.error(`error: ${error.message}`);
    });
  const cron = new Cron(healthz.schedule, { protect: true, catch: crash }, once);
  log.info(`${healthz.name}: ${endpoints(healthz).length} addresses, ${healthz.schedule}`);
  const signalled = new Promise<string>((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) {
      Deno.addSignalListener(name, () => resolve(name));
    }
  });
  void cron.trigger();
  const signal = await signalled;
  log.info(`Stopping (${signal}) …`);
  cron.stop();
  await current;
  return EXIT.done;
}

/** A bug ends the service, so that its supervisor and its operator see it. */
function crash(error: unknown): never {
  console.error(error);
  Deno.exit(EXIT.failed);
}

/** Takes a node out at the next run, or lets it in again. */
async function drain(
  { config, log, isDry, isJson }: Call,
  name: string,
  out: boolean,
): Promise<number> {
  const names = config.healthz.node.map((n) => n.name);
  if (!names.includes(name)) {
    throw new UsageError(
      `No node ${JSON.stringify(name)} in ${config.file}. Did you mean ${
        closestString(name, names)
      }?`,
      `There are: ${names.join(", ")}`,
    );
  }
  const result = JSON.stringify({ dryRun: isDry, node: name, drained: out });
  if (isDry) {
    if (isJson) console.log(result);
    log.info(`${name} would be ${out ? "drained" : "let in again"}.`);
    return EXIT.done;
  }
  await openStorage(config.data, ["state"]);
  using _lock = await waitForLock(healthzFiles(config.data).drained + ".lock");
  const others = (await loadDrained(config.data)).filter((n) => n !== name && names.includes(n));
  await saveDrained(config.data, out ? [...others, name] : others);
  if (isJson) console.log(result);
  log.info(
    out
      ? `${name} leaves at the next run, if enough others serve; \`healthz status\` tells.`
      : `${name} joins again once it is good.`,
  );
  return EXIT.done;
}

/** What the last run found. */
async function status({ config, isJson, log }: Call): Promise<number> {
  const path = healthzFiles(config.data).nodes;
  const state = readNodes(await readText(path) ?? "");
  if (!state) {
    throw new Failure(`No run has left its state in ${path}.`, "Make one with: healthz check");
  }
  if (isJson) console.log(JSON.stringify(state));
  else console.log(statusText(state));
  const isOld = !isCurrent(state, Date.now() / 1000);
  if (isOld) log.warn("warning: this is old; is healthz still running?");
  return isOld || state.alarms.length ? EXIT.failed : EXIT.done;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
