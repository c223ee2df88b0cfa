/** The checks of one address: each has a time limit, reads a bounded part of an answer, and says why. */
import { BOUNDS } from "../../formats/nodes.ts";
import { toDisplay } from "../../formats/names.ts";
import { formatDuration } from "../../formats/units.ts";
import type { CheckName } from "../lib/healthz.ts";
import { lastSync, listing, range } from "./http_checks.ts";
import { type Found, type Job, type Outcome, portOf, Unfit } from "./job.ts";

const CHECKS: Record<CheckName, (job: Job) => Promise<Outcome>> = {
  http: (job) => lastSync(job, "http"),
  https: (job) => lastSync(job, "https"),
  listing,
  range,
  rsync,
  ftp,
};

/** Runs one check of one address to its verdict; it never throws for what a node does. */
export async function check(
  name: CheckName,
  job: Omit<Job, "signal">,
): Promise<Found> {
  const started = performance.now();
  const finish = (ok: boolean, { reason, ...rest }: Outcome): Found => ({
    check: name,
    ok,
    reason: short(reason),
    durationMs: Math.round(performance.now() - started),
    at: job.now,
    ...rest,
  });
  const limit = job.config.timeout;
  const signal = AbortSignal.timeout(limit * 1000);
  // The limit holds whatever a wire does with its signal.
  const late = new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason))
  );
  try {
    return finish(true, await Promise.race([CHECKS[name]({ ...job, signal }), late]));
  } catch (error) {
    if (signal.aborted) {
      return finish(false, { reason: `no whole answer within ${formatDuration(limit)}` });
    }
    return finish(false, { reason: explain(error as Error & { code?: string }) });
  }
}

const short = (text: string) => toDisplay(text.slice(0, BOUNDS.text)).slice(0, BOUNDS.text);

function explain(error: Error & { code?: string }): string {
  if (error instanceof Unfit) return error.message;
  const text = error.message.split("\n")[0];
  return error.code && !text.includes(error.code) ? `${text} (${error.code})` : text;
}

/** The daemon's list of modules: rsync(1) asks for it in the same way when it is given no module. */
async function rsync(job: Job): Promise<Outcome> {
  const { config, wire, endpoint } = job, module = config.rsync_module!;
  const to = { address: endpoint.address, port: portOf(job, "rsync") };
  if (!wire.talk) throw new Unfit("cannot be checked from here");
  const line = new RegExp(`^${module.replace(/[.]/g, "\\.")}[ \\t]`, "m");
  const end = new RegExp(`${line.source}|^@RSYNCD: EXIT|^@ERROR`, "m");
  const said = await wire.talk(to, "@RSYNCD: 30.0\n#list\n", end, job.signal);
  if (!said.startsWith("@RSYNCD: ")) throw new Unfit("no rsync daemon answers");
  if (!line.test(said)) throw new Unfit(`the rsync daemon does not list ${module}`);
  return { reason: `lists ${module}` };
}

async function ftp(job: Job): Promise<Outcome> {
  const to = { address: job.endpoint.address, port: portOf(job, "ftp") };
  if (!job.wire.talk) throw new Unfit("cannot be checked from here");
  const said = await job.wire.talk(to, "", /^\d{3} [^\n]*\n/m, job.signal);
  if (!said.startsWith("220")) {
    throw new Unfit(`the greeting is ${JSON.stringify(said.slice(0, 40))}`);
  }
  return { reason: "greets" };
}
