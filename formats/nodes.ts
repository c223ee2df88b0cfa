/**
 * `/nodes.json`: how the nodes of a mirror's name stand, as `healthz` found them. For the page, for
 * Prometheus and for other checkers. Times are epoch seconds in UTC.
 */

/** What a node or an address is held for; it changes by thresholds, not by one probe. */
export type Standing = "up" | "down" | "unknown";

/** One check of one address, as it ended last. */
export interface CheckResult {
  /** `http`, `https`, `listing`, `range`, `rsync`, `ftp`. */
  check: string;
  ok: boolean;
  /** What was seen, in a few words; at most {@linkcode BOUNDS}.text characters. */
  reason: string;
  durationMs: number;
  at: number;
}

/** One address of a node. */
export interface AddressState {
  address: string;
  family: 4 | 6;
  state: Standing;
  /** When it came to stand so. */
  since: number;
  /** The name points to it. */
  published: boolean;
  /** What the node's `lastsync` said, where it could be read. */
  lastSync: number | null;
  checks: CheckResult[];
}

/** Probes of one UTC day. */
export interface DayUptime {
  /** `2026-11-22`. */
  day: string;
  probes: number;
  /** Probes of which every check was good. */
  good: number;
}

/** One node. It is up if an address is, down if all are. */
export interface NodeState {
  name: string;
  state: Standing;
  since: number;
  /** The operator takes it out of the name, however healthy it is. */
  drained: boolean;
  /** 0: a spare, used while too few others are up. */
  weight: number;
  addresses: AddressState[];
  /** Oldest first, at most {@linkcode BOUNDS}.days of them; a day without probes is left out. */
  days: DayUptime[];
}

/** Something that a person should look at; it stands here as long as it lasts. */
export interface Alarm {
  /** `floor`, `references`, `provider`, `quorum` …: the same alarm keeps its code. */
  code: string;
  message: string;
  since: number;
}

/** The whole file. */
export interface NodesState {
  v: 1;
  /** The DNS name whose records are kept. */
  name: string;
  /** Who looked. */
  checker: string;
  /** The last look. */
  at: number;
  /** How often it looks: what is older than a few of these is not to be relied on. */
  intervalSeconds: number;
  alarms: Alarm[];
  nodes: NodeState[];
}

/** What a file may hold at most; {@linkcode readNodes} refuses more. */
export const BOUNDS = {
  bytes: 1024 * 1024,
  nodes: 200,
  addresses: 16,
  checks: 16,
  days: 90,
  alarms: 50,
  text: 200,
};

type Check = (value: unknown) => boolean;

const text: Check = (x) => typeof x === "string" && x.length <= BOUNDS.text;
const flag: Check = (x) => typeof x === "boolean";
const number: Check = (x) => typeof x === "number" && Number.isFinite(x) && x >= 0;
const maybeNumber: Check = (x) => x === null || number(x);
const standing: Check = (x) => x === "up" || x === "down" || x === "unknown";
const list = (most: number, of: Check): Check => (x) =>
  Array.isArray(x) && x.length <= most && x.every(of);
const shape = (fields: Record<string, Check>): Check => (x) =>
  typeof x === "object" && x !== null &&
  Object.entries(fields).every(([key, good]) => good((x as Record<string, unknown>)[key]));

const check = shape({ check: text, ok: flag, reason: text, durationMs: number, at: number });
const address = shape({
  address: text,
  family: (x) => x === 4 || x === 6,
  state: standing,
  since: number,
  published: flag,
  lastSync: maybeNumber,
  checks: list(BOUNDS.checks, check),
});
const day = shape({
  day: (x) => typeof x === "string" && /^\d{4}-\d\d-\d\d$/.test(x),
  probes: number,
  good: number,
});
const node = shape({
  name: text,
  state: standing,
  since: number,
  drained: flag,
  weight: number,
  addresses: list(BOUNDS.addresses, address),
  days: list(BOUNDS.days, day),
});
const file = shape({
  v: (x) => x === 1,
  name: text,
  checker: text,
  at: number,
  intervalSeconds: number,
  alarms: list(BOUNDS.alarms, shape({ code: text, message: text, since: number })),
  nodes: list(BOUNDS.nodes, node),
});

/** The state from its JSON text; `undefined` where it is damaged, too large or of another version. */
export function readNodes(json: string): NodesState | undefined {
  if (json.length > BOUNDS.bytes) return undefined;
  try {
    const state: unknown = JSON.parse(json);
    return file(state) ? state as NodesState : undefined;
  } catch {
    return undefined;
  }
}

/** Share of good probes, 0 to 1; `null` where there were none. */
export function uptime(days: DayUptime[]): number | null {
  const probes = days.reduce((sum, d) => sum + d.probes, 0);
  return probes ? days.reduce((sum, d) => sum + d.good, 0) / probes : null;
}

/** Whether a state can still be relied on at `now`: three looks may be missing. */
export function isCurrent({ at, intervalSeconds }: NodesState, now: number): boolean {
  return Math.abs(now - at) <= 3 * intervalSeconds + 60;
}
