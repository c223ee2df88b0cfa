/** The checks of one address: each has a time limit, reads a bounded part of an answer, and says why. */
import type { CheckResult } from "../../formats/nodes.ts";
import { BOUNDS } from "../../formats/nodes.ts";
import { toDisplay } from "../../formats/names.ts";
import { formatDuration, formatTime } from "../../formats/units.ts";
import type { CheckName, Endpoint, Healthz } from "../lib/healthz.ts";
import { pickPackage } from "./packages.ts";
import type { Answer, Wire } from "./wire_types.ts";

/** What a check found; the rest of the verdict needs all nodes (judge.ts). */
export interface Found extends CheckResult {
  check: CheckName;
  lastSync?: number;
  /** A piece of a package: which, and the hash of its bytes. */
  sample?: { path: string; hash: string };
}

/** A node's answer that is not what it should be. */
class Unfit extends Error {}

const LASTSYNC_BYTES = 64;
const LISTING_BYTES = 1 << 20;
const DATABASE_BYTES = 8 << 20;
const SAMPLE_BYTES = 65536;
const REDIRECTS = 3;
/** A clock may differ by so many seconds. */
const SKEW = 300;

/** One check with all it needs. */
interface Job {
  endpoint: Endpoint;
  config: Healthz;
  wire: Wire;
  now: number;
  signal: AbortSignal;
}

type Outcome = Omit<Partial<Found>, "ok"> & { reason: string };

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

/** Where a node answers; its own table goes before the common one. */
const portOf = ({ endpoint, config }: Job, name: "http" | "https" | "rsync" | "ftp") =>
  (endpoint.node.ports ?? config.ports)[name];

interface Wanted {
  path: string;
  maxBytes: number;
  headers?: Record<string, string>;
}

/** GETs a path; redirects are followed on the same name and address only. */
async function get(job: Job, scheme: "http" | "https", wanted: Wanted): Promise<Answer> {
  const { address, node: { host } } = job.endpoint, { name } = job.config;
  let url = new URL(`${scheme}://${name}${wanted.path}`);
  for (let hops = 0; hops <= REDIRECTS; hops++) {
    const now = url.protocol === "https:" ? "https" : "http";
    const ask = { ...wanted, scheme: now, address, name, host, port: portOf(job, now) } as const;
    const answer = await job.wire.get({ ...ask, path: url.pathname + url.search }, job.signal);
    if (answer.status < 300 || answer.status > 399 || !answer.location) return answer;
    if (!URL.canParse(answer.location, url.href)) throw new Unfit("a redirect to no URL");
    url = new URL(answer.location, url.href);
    const isOurs = url.hostname === name || url.hostname === host;
    const isPort = url.port === "" || Number(url.port) === portOf(job, "http") ||
      Number(url.port) === portOf(job, "https");
    if (!/^https?:$/.test(url.protocol) || !isOurs || !isPort) {
      throw new Unfit(`a redirect off the host, to ${url.host || url.protocol}`);
    }
  }
  throw new Unfit(`more than ${REDIRECTS} redirects`);
}

function expect(answer: Answer, status: number, what: string): Answer {
  if (answer.status === status) return answer;
  throw new Unfit(`${what}: HTTP status ${answer.status} instead of ${status}`);
}

/** `lastsync`: seconds since the epoch, not in the future. Over TLS, the certificate's end as well. */
async function lastSync(job: Job, scheme: "http" | "https"): Promise<Outcome> {
  const { config, now } = job;
  const answer = await get(job, scheme, { path: config.lastsync, maxBytes: LASTSYNC_BYTES });
  expect(answer, 200, "lastsync");
  const text = new TextDecoder().decode(answer.body).trim();
  if (answer.isCut || !/^\d{9,11}$/.test(text)) {
    throw new Unfit(`lastsync is no time: ${JSON.stringify(text.slice(0, 30))}`);
  }
  const time = Number(text);
  if (time > now + SKEW) throw new Unfit(`lastsync is in the future: ${formatTime(time)}`);
  const until = answer.certificateEnd;
  const left = until === undefined ? undefined : (until - now) / 86400;
  if (left !== undefined && left < config.certificate_days) {
    throw new Unfit(
      `the certificate ends in ${
        left.toFixed(1)
      } days, at least ${config.certificate_days} are due`,
    );
  }
  const certificate = left === undefined ? "" : `, certificate good for ${Math.floor(left)} days`;
  return { reason: `lastsync ${formatTime(time)}${certificate}`, lastSync: time };
}

async function listing(job: Job): Promise<Outcome> {
  const answer = await get(job, scheme(job), {
    path: job.config.listing!,
    maxBytes: LISTING_BYTES,
    headers: { accept: "text/html" },
  });
  expect(answer, 200, "listing");
  const links = new TextDecoder().decode(answer.body).match(/\shref\s*=/gi)?.length ?? 0;
  if (links === 0) throw new Unfit("the listing has no links");
  return { reason: `a listing with ${links} links` };
}

/** HTTPS is what clients use where it is checked at all. */
function scheme({ endpoint, config }: Job): "http" | "https" {
  const checks = endpoint.node.checks ?? config.checks;
  return checks.includes("https") && !checks.includes("http") ? "https" : "http";
}

/** What the node's own database names has to be there; judge.ts compares the bytes among nodes. */
async function range(job: Job): Promise<Outcome> {
  const database = job.config.database!;
  const answer = await get(job, scheme(job), { path: database, maxBytes: DATABASE_BYTES });
  expect(answer, 200, "database");
  if (answer.isCut) throw new Unfit(`the database is larger than ${DATABASE_BYTES} bytes`);
  const path = await pickPackage(answer.body, database, job.now);
  if (!path) throw new Unfit("the database names no package that can be read");
  const headers = { range: `bytes=-${SAMPLE_BYTES}`, "accept-encoding": "identity" };
  const piece = await get(job, scheme(job), { path, maxBytes: SAMPLE_BYTES, headers });
  expect(piece, 206, path.slice(-80));
  if (piece.isCut) throw new Unfit("more bytes than the range has");
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", piece.body));
  const hash = [...digest].map((b) => b.toString(16).padStart(2, "0")).join("");
  return { reason: `${piece.body.length} bytes of ${path.slice(-100)}`, sample: { path, hash } };
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
