/**
 * What the hub of statcat tells the world: live rates at `/sse` (server-sent events, one a second) and
 * history at `/stats.json?spoke=NAME&span=hour|day|month|year`.
 *
 * A **spoke** is a node that measures its interfaces. Rates are bytes and packets *a second*; times are
 * epoch seconds in UTC. An event of `/sse` has the time as its id and {@linkcode LiveEvent} as its data, in
 * this form, which costs 30 to 40 bytes a spoke:
 *
 *     {"v":1,"time":1795262400,"spokes":[["seoul",812000,93000000,5200,64000],["busan",0,0,0,0,7]]}
 *
 * The numbers are received bytes, sent bytes, received packets, sent packets, and, where a spoke has not
 * been heard for some seconds, how long that is.
 */

/** What passes an interface, a second. */
export interface Rates {
  rxBytes: number;
  txBytes: number;
  rxPackets: number;
  txPackets: number;
}

/** A spoke as it is now: the sum of its interfaces. */
export interface SpokeRates extends Rates {
  id: string;
  /** Seconds since it was last heard, where it is stale: then the rates are its last ones. */
  staleSeconds: number | null;
}

/** One event of `/sse`. A spoke that has been gone for long is not in it. */
export interface LiveEvent {
  time: number;
  /** In the order of their ids. */
  spokes: SpokeRates[];
}

/** How far back, and how wide a step of the series is: 10 s, 1 min, 1 h, 1 d. */
export const SPANS = {
  hour: { seconds: 3600, step: 10 },
  day: { seconds: 86_400, step: 60 },
  month: { seconds: 31 * 86_400, step: 3600 },
  year: { seconds: 366 * 86_400, step: 86_400 },
} as const;
export type Span = keyof typeof SPANS;

/** Average rates of consecutive steps; `null` where nothing was measured. */
export interface Series {
  /** `null` for the sum of all spokes. */
  spoke: string | null;
  /** `null` for the sum of all interfaces. */
  interface: string | null;
  rxBytes: (number | null)[];
  txBytes: (number | null)[];
  rxPackets: (number | null)[];
  txPackets: (number | null)[];
}

/** Bytes received and sent. */
export interface Traffic {
  rxBytes: number;
  txBytes: number;
}

/** Totals of an interface, by the days and months of UTC. */
export interface Totals {
  spoke: string;
  interface: string;
  today: Traffic;
  month: Traffic;
  /** 95th percentile of this month's five-minute averages, bytes a second; `null` before the first. */
  p95: Traffic | null;
}

/** What clients fetched from a repository today. */
export interface RepoTraffic {
  repo: string;
  protocol: "http" | "ftp" | "rsync";
  requests: number;
  bytes: number;
}

/** The answer at `/stats.json`. */
export interface Stats {
  v: 1;
  time: number;
  span: Span;
  /** Start of the first step; a multiple of `step`. */
  from: number;
  /** Seconds. */
  step: number;
  /** Without `spoke=` one series, the sum of all; with it one for each interface of that spoke. */
  series: Series[];
  /** Of all spokes, or of the one asked for. */
  totals: Totals[];
  /** Of the hub's own node, today (UTC). */
  repos: RepoTraffic[];
  /** The most requested files of today, most first. */
  packages: { path: string; requests: number }[];
}

/** A spoke's or an interface's name is at most this long. */
export const MAX_NAME = 64;
/** More spokes than this no hub takes, and no reader accepts. */
export const MAX_SPOKES = 1000;
const MAX_STEPS = 1441, MAX_SERIES = 64, MAX_TEXT = 4 << 20;

/** True for names of spokes. */
export const isSpokeName = (name: unknown): name is string =>
  typeof name === "string" && name.length <= MAX_NAME && /^[a-z0-9][a-z0-9.-]*$/.test(name);

/** True for names of interfaces, as Linux takes them: no slash, no white space, at most 15 bytes. */
export const isInterfaceName = (name: unknown): name is string =>
  typeof name === "string" && /^[!-.0-~]{1,15}$/.test(name) && name !== "." && name !== "..";

const isAmount = (n: unknown): n is number => typeof n === "number" && n >= 0 && n <= 1e18;
const isObject = (o: unknown): o is Record<string, unknown> =>
  typeof o === "object" && o !== null && !Array.isArray(o);
const isTraffic = (t: unknown): t is Traffic =>
  isObject(t) && isAmount(t.rxBytes) && isAmount(t.txBytes);
const isText = (s: unknown, length: number): s is string =>
  typeof s === "string" && s.length <= length;

/** The data of an event, in its short form. */
export function writeLiveEvent({ time, spokes }: LiveEvent): string {
  const rows = spokes.map((s) => {
    const row = [s.id, s.rxBytes, s.txBytes, s.rxPackets, s.txPackets].map((x) =>
      typeof x === "number" ? Math.round(x) : x
    );
    return s.staleSeconds === null ? row : [...row, Math.round(s.staleSeconds)];
  });
  return JSON.stringify({ v: 1, time, spokes: rows });
}

function readSpoke(row: unknown): SpokeRates | undefined {
  if (!Array.isArray(row) || row.length < 5 || row.length > 6 || !isSpokeName(row[0])) {
    return undefined;
  }
  if (!row.slice(1).every(isAmount)) return undefined;
  const [id, rxBytes, txBytes, rxPackets, txPackets, staleSeconds = null] = row;
  return { id, rxBytes, txBytes, rxPackets, txPackets, staleSeconds };
}

/** JSON of bounded length, or `undefined`. */
function parseJson(text: string): unknown {
  if (text.length > MAX_TEXT) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An event from its data; `undefined` where it is damaged, too large or of another version. */
export function readLiveEvent(text: string): LiveEvent | undefined {
  const event = parseJson(text);
  if (!isObject(event) || event.v !== 1 || !isAmount(event.time)) return undefined;
  if (!Array.isArray(event.spokes) || event.spokes.length > MAX_SPOKES) return undefined;
  const spokes = event.spokes.map(readSpoke);
  return spokes.some((s) => s === undefined)
    ? undefined
    : { time: event.time, spokes: spokes as SpokeRates[] };
}

function isSeries(s: unknown): s is Series {
  const isRow = (row: unknown) =>
    Array.isArray(row) && row.length <= MAX_STEPS && row.every((n) => n === null || isAmount(n));
  return isObject(s) && (s.spoke === null || isSpokeName(s.spoke)) &&
    (s.interface === null || isInterfaceName(s.interface)) &&
    [s.rxBytes, s.txBytes, s.rxPackets, s.txPackets].every(isRow);
}

const isTotals = (t: unknown): t is Totals =>
  isObject(t) && isSpokeName(t.spoke) && isInterfaceName(t.interface) && isTraffic(t.today) &&
  isTraffic(t.month) && (t.p95 === null || isTraffic(t.p95));

const isRepoTraffic = (r: unknown): r is RepoTraffic =>
  isObject(r) && isText(r.repo, 255) && ["http", "ftp", "rsync"].includes(r.protocol as string) &&
  isAmount(r.requests) && isAmount(r.bytes);

const isPackage = (p: unknown): p is Stats["packages"][number] =>
  isObject(p) && isText(p.path, 4096) && isAmount(p.requests);

/** An answer of `/stats.json`; `undefined` where it is damaged, too large or of another version. */
export function readStats(text: string): Stats | undefined {
  const stats = parseJson(text);
  if (!isObject(stats) || stats.v !== 1) return undefined;
  const list = (of: unknown, most: number, is: (item: unknown) => boolean) =>
    Array.isArray(of) && of.length <= most && of.every(is);
  const good = [stats.time, stats.from, stats.step].every(isAmount) &&
    Object.hasOwn(SPANS, String(stats.span)) && list(stats.series, MAX_SERIES, isSeries) &&
    list(stats.totals, MAX_SPOKES * 4, isTotals) && list(stats.repos, 1000, isRepoTraffic) &&
    list(stats.packages, 100, isPackage);
  return good ? stats as unknown as Stats : undefined;
}
