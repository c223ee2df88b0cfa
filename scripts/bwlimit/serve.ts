/** `bwlimit run`: looks at the kernel again and again, answers the refused, and collects flows. */
import { EXIT, Failure, type Log } from "../lib/cli.ts";
import type { Config } from "../lib/config.ts";
import { takeLock } from "../lib/lock.ts";
import { pause } from "../lib/pause.ts";
import { AnswerServer } from "./answer.ts";
import { formatNetwork, parseNetwork } from "./address.ts";
import { Collector, ownAddresses } from "./collector.ts";
import { Guard } from "./guard.ts";
import { policyOf } from "./settings.ts";
import { filesIn } from "./memory.ts";

/** After a failed look the next one waits for longer, up to this. */
const LONGEST_PAUSE = 60;

/** Runs until SIGINT or SIGTERM. */
export async function serve(config: Config, log: Log, dryRun: boolean): Promise<number> {
  const policy = policyOf(config);
  if (dryRun) config = { ...config, bwlimit: { ...policy, mode: "report" } };
  using _lock = await takeLock(filesIn(config.data).lock, "bwlimit run");
  const guard = new Guard(config, { log });
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => stopping.abort(signal));
  }
  await guard.begin();
  const answers = policy.mode === "report" || dryRun ? undefined : await AnswerServer.start(
    config,
    log,
    (address) => guard.refused(address),
    () => guard.answers++,
  );
  const collector = policy.sources.includes("ipfix") ? collect(guard, log) : undefined;
  log.info(
    `${guard.policy.mode === "report" ? "Reporting" : "Enforcing"}; a look every ${policy.poll} s.`,
  );
  const saving = guard.saveOn(stopping.signal);
  await lookOn(guard, log, stopping.signal);
  await saving;
  await collector?.[Symbol.asyncDispose]();
  await answers?.[Symbol.asyncDispose]();
  await guard.end();
  log.info(
    policy.on_stop === "flush"
      ? "Stopped; the table is taken away."
      : "Stopped; the kernel goes on refusing and counting. To end that: bwlimit flush",
  );
  return EXIT.done;
}

/** Listens for flows. */
function collect(guard: Guard, log: Log): Collector {
  const { policy } = guard, { servers, hostname, port } = policy.ipfix;
  const own = servers.length ? servers.map((s) => parseNetwork(s)!) : ownAddresses();
  const isAllowed: Guard["isAllowed"] = (address) => guard.isAllowed(address);
  const collector = new Collector({ policy, servers: own, isAllowed });
  guard.use(collector);
  log.info(
    `Flows are taken at ${hostname} port ${port}, of what comes from ${
      own.map(formatNetwork).join(", ")
    }.`,
  );
  return collector;
}

/** Looks until `signal`. A look that fails is said once, and tried again after growing pauses. */
async function lookOn(guard: Guard, log: Log, signal: AbortSignal) {
  let wait = guard.policy.poll, said = "";
  while (!signal.aborted) {
    try {
      await guard.look();
      if (said) log.info("It works again.");
      said = "";
      wait = guard.policy.poll;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (said !== error.message) log.error(`error: ${error.message}\n  hint: ${error.hint}`);
      said = error.message;
      wait = Math.min(LONGEST_PAUSE, wait * 2);
    }
    await pause(wait, signal);
  }
}
