#!/usr/bin/env -S deno run -A
/**
 * Live and lasting traffic statistics. A **spoke** measures this node and tells hubs; a **hub** keeps what
 * spokes tell and shows it to browsers (`/sse`, `/stats.json`).
 *
 *     statcat hub | spoke | logs | token add|remove|list [NAME] | show [--live] | export
 *
 * `-A` is for the spoke: the kernel's counters stand in /sys and /proc, which Deno opens for nothing less.
 * The hub, which faces the network, runs with much less (PERMISSIONS in lib/children.ts).
 */
import { count } from "../formats/units.ts";
import { type Arguments, command, type CommandSpec, EXIT, UsageError } from "./lib/cli.ts";
import { type Config, loadConfig } from "./lib/config.ts";
import { takeLock } from "./lib/lock.ts";
import { statcatFiles } from "./lib/statcat.ts";
import { startHub } from "./statcat/run_hub.ts";
import { hubsOf, startSpoke } from "./statcat/run_spoke.ts";
import { exportCsv, show, showNow } from "./statcat/run_show.ts";
import { countLogs } from "./statcat/traffic.ts";
import { addToken, loadTokens, removeToken } from "./statcat/tokens.ts";

const SPEC: CommandSpec = {
  name: "statcat",
  summary: "measure this node's traffic, and keep and show that of all nodes",
  operands: "hub | spoke | logs | show | export | token add|remove|list [NAME]",
  options: {
    hostname: { value: "ADDRESS", help: "hub: address to listen on (default: statcat.hostname)" },
    port: { value: "PORT", help: "hub: port, 0 for a free one (default: statcat.port)" },
    live: { help: "show: what passes now, every second" },
    span: { value: "SPAN", help: "export: hour (by seconds), day, month or year (default)" },
    sysfs: { value: "DIR", help: "spoke: in place of /sys/class/net" },
  },
  examples: [
    ["statcat hub", "keep and show what spokes tell, until SIGINT or SIGTERM"],
    ["statcat spoke", "measure this node and tell the hubs that mirror.toml names"],
    ["statcat logs", "count what clients fetched since the last time, from the servers' logs"],
    ["statcat show", "the last hour, days and months of every interface, in the terminal"],
    ["statcat export --span day > traffic.csv", "two days by minutes, as CSV"],
    ["statcat token add busan", "print a token for the spoke busan; only its hash is kept"],
  ],
};

/** Resolves at the first SIGINT or SIGTERM. */
function signalled(): Promise<string> {
  return new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) {
      Deno.addSignalListener(name, () => resolve(name));
    }
  });
}

async function runHub(config: Config, { values, switches, log }: Arguments): Promise<number> {
  const port = values.port === undefined ? undefined : Number(values.port);
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65535)) {
    throw new UsageError(`--port ${values.port} is not allowed; allowed is 0 to 65535.`);
  }
  const hub = await startHub(config, log, { hostname: values.hostname, port });
  if (switches.has("json")) console.log(JSON.stringify({ port: hub.port }));
  log.info(`statcat: hub at ${values.hostname ?? config.statcat.hostname} port ${hub.port}`);
  log.info(`Stopping (${await signalled()}) …`);
  await hub.close();
  return EXIT.done;
}

async function runSpoke(config: Config, { values, log }: Arguments): Promise<number> {
  const stop = signalled(), { spokeLock, dir } = statcatFiles(config.data);
  await Deno.mkdir(dir, { recursive: true });
  using _lock = await takeLock(spokeLock, "A spoke");
  const spoke = startSpoke(await hubsOf(config), config.statcat.interfaces, log, values.sysfs);
  log.info(`Stopping (${await stop}) …`);
  spoke.stop();
  return EXIT.done;
}

async function runToken(config: Config, { operands, switches, log }: Arguments): Promise<number> {
  const { tokens } = statcatFiles(config.data), [, action, name] = operands;
  const json = switches.has("json");
  if (action === "list" && operands.length === 2) {
    const names = [...(await loadTokens(tokens)).keys()];
    console.log(json ? JSON.stringify(names) : names.join("\n"));
    return EXIT.done;
  }
  if (operands.length !== 3 || !["add", "remove"].includes(action)) {
    throw new UsageError("Say: token add NAME, token remove NAME, or token list.");
  }
  if (action === "add") {
    const token = await addToken(tokens, name);
    console.log(json ? JSON.stringify({ name, token }) : token);
    log.info(`Put this into the file that send_to names on ${name}; it cannot be shown again.`);
    return EXIT.done;
  }
  if (!await removeToken(tokens, name)) throw new UsageError(`There is no token of ${name}.`);
  if (json) console.log(JSON.stringify({ name, removed: true }));
  log.info(`${name} may no longer speak; it is cut within ten seconds.`);
  return EXIT.done;
}

async function runLogs(config: Config, { switches, log }: Arguments): Promise<number> {
  const files = statcatFiles(config.data);
  await Deno.mkdir(files.dir, { recursive: true });
  using _lock = await takeLock(files.trafficLock, "A count of the logs");
  const { lines, state } = await countLogs(
    config,
    files.traffic,
    Date.now() / 1000,
    (what) => log.warn(what),
  );
  if (switches.has("json")) {
    console.log(JSON.stringify({ lines, unread: state.unread, counts: state.counts }));
  }
  log.detail(`statcat: counted ${count(lines, "line")}`);
  return EXIT.done;
}

async function runShow(config: Config, { switches }: Arguments): Promise<number> {
  const json = switches.has("json");
  if (switches.has("live")) await showNow(config, json, signalled());
  else await show(config, json);
  return EXIT.done;
}

async function runExport(config: Config, { values, switches }: Arguments): Promise<number> {
  if (switches.has("json")) {
    throw new UsageError(
      "statcat export takes no --json: it writes CSV.",
      "See: statcat show --json",
    );
  }
  const encoder = new TextEncoder();
  let waiting = "";
  const flush = () => {
    for (let bytes = encoder.encode(waiting); bytes.length;) {
      bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
    }
    waiting = "";
  };
  await exportCsv(config, values.span ?? "year", (text) => {
    waiting += text;
    if (waiting.length > 65536) flush();
  });
  flush();
  return EXIT.done;
}

const MODES: Record<string, (config: Config, args: Arguments) => Promise<number>> = {
  hub: runHub,
  spoke: runSpoke,
  logs: runLogs,
  token: runToken,
  show: runShow,
  export: runExport,
};

/** The command. */
export function main(args: string[]): Promise<number> {
  return command(SPEC, args, async (all) => {
    const [mode] = all.operands;
    if (!Object.hasOwn(MODES, mode ?? "")) {
      throw new UsageError(
        `statcat does not know ${JSON.stringify(mode ?? "")}.`,
        `Say one of ${Object.keys(MODES).join(", ")}.`,
      );
    }
    if (mode !== "token" && all.operands.length > 1) {
      throw new UsageError(`statcat ${mode} takes no ${JSON.stringify(all.operands[1])}.`);
    }
    return await MODES[mode](await loadConfig(all), all);
  });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
