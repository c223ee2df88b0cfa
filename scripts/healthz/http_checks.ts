/** Checks over HTTP and HTTPS: lastsync, a listing, a piece of a package. */
import { formatTime } from "../../formats/units.ts";
import { type Job, type Outcome, portOf, Unfit } from "./job.ts";
import { pickPackage } from "./packages.ts";
import type { Answer } from "./wire_types.ts";

const LASTSYNC_BYTES = 64;
const LISTING_BYTES = 1 << 20;
const DATABASE_BYTES = 8 << 20;
const SAMPLE_BYTES = 65536;
const REDIRECTS = 3;
/** A clock may differ by so many seconds. */
const SKEW = 300;

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
export async function lastSync(job: Job, scheme: "http" | "https"): Promise<Outcome> {
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

export async function listing(job: Job): Promise<Outcome> {
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
export async function range(job: Job): Promise<Outcome> {
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
