/** What healthz remembers from run to run, and how a round of probes changes it. Pure. */
import type { CheckResult, DayUptime, Standing } from "../../formats/nodes.ts";
import { BOUNDS } from "../../formats/nodes.ts";
import type { Endpoint, Healthz } from "../lib/healthz.ts";
import { endpoints } from "../lib/healthz.ts";

/** What is remembered of an address. Times are epoch seconds. */
export interface Memory {
  state: Standing;
  since: number;
  /** Good or bad probes in a row; one of the two is 0. */
  good: number;
  bad: number;
  /** The run in which it last joined or left the name. */
  changed: number;
  lastSync: number | null;
  checks: CheckResult[];
  days: DayUptime[];
}

/** What another checker said. */
export interface Peer {
  at: number;
  states: Record<string, Standing>;
}

/** A message that is to be sent through one channel. */
export interface Notice {
  channel: string;
  at: number;
  title: string;
  text: string;
}

/** The state file. */
export interface History {
  v: 1;
  /** Rounds so far. */
  runs: number;
  at: number;
  /** By address. */
  memory: Record<string, Memory>;
  /** Addresses in the name's records that are ours, as they were last read or written. */
  published: string[];
  /** Addresses that are in the records and not ours: left alone. */
  foreign: string[];
  /** Whether the checker's own network reached nothing in a family, at the last round. */
  blind: { 4: boolean; 6: boolean };
  peers: Record<string, Peer>;
  /** Nodes that the operator took out. */
  drained: string[];
  /** Code of each alarm that lasts, and since when. */
  alarms: Record<string, { since: number; message: string }>;
  notices: Notice[];
}

/** How one address was found in one round. */
export interface Probed {
  address: string;
  checks: CheckResult[];
  lastSync: number | null;
}

/** One round of probes. */
export interface Round {
  at: number;
  blind: { 4: boolean; 6: boolean };
  probes: Probed[];
  peers: Record<string, Peer>;
}

/** A history without a past. */
export function newHistory(): History {
  return {
    v: 1,
    runs: 0,
    at: 0,
    memory: {},
    published: [],
    foreign: [],
    blind: { 4: false, 6: false },
    peers: {},
    drained: [],
    alarms: {},
    notices: [],
  };
}

/** An address that was never probed. */
export function newMemory(now: number): Memory {
  return {
    state: "unknown",
    since: now,
    good: 0,
    bad: 0,
    changed: 0,
    lastSync: null,
    checks: [],
    days: [],
  };
}

/** Counts one probe: the state turns after `rise` good or `fall` bad ones in a row. */
export function step(
  memory: Memory,
  isGood: boolean,
  { rise, fall }: Pick<Healthz, "rise" | "fall">,
  now: number,
  day = dayOf(now),
): Pick<Memory, "state" | "since" | "good" | "bad" | "days"> {
  const good = isGood ? memory.good + 1 : 0, bad = isGood ? 0 : memory.bad + 1;
  const state = good >= rise ? "up" : bad >= fall ? "down" : memory.state;
  const since = state === memory.state ? memory.since : now;
  return { state, since, good, bad, days: countDay(memory.days, isGood, day) };
}

function countDay(days: DayUptime[], isGood: boolean, day: string): DayUptime[] {
  const last = days.at(-1);
  const isToday = last?.day === day;
  const counted = isToday ? days.slice(0, -1) : days.slice(-(BOUNDS.days - 1));
  const { probes, good } = isToday ? last : { probes: 0, good: 0 };
  counted.push({ day, probes: probes + 1, good: good + Number(isGood) });
  return counted;
}

/** The UTC day of a time. */
const dayOf = (now: number) => new Date(now * 1000).toISOString().slice(0, 10);

/**
 * The history after a round. Where the checker's own network failed, nothing is known of the nodes: no
 * probe counts, neither for thresholds nor for uptime.
 */
export function record(history: History, round: Round, config: Healthz): History {
  const memory: Record<string, Memory> = {};
  const probes = new Map(round.probes.map((p) => [p.address, p])), day = dayOf(round.at);
  for (const { address, family } of endpoints(config)) {
    const before = history.memory[address] ?? newMemory(round.at);
    const probed = probes.get(address);
    memory[address] = !probed || round.blind[family] ? before : {
      ...step(before, isGood(probed), config, round.at, day),
      changed: before.changed,
      lastSync: probed.lastSync ?? before.lastSync,
      checks: probed.checks,
    };
  }
  const { at, blind, peers } = round;
  return { ...history, runs: history.runs + 1, at, blind, peers, memory };
}

/** A probe is good if every check of it was, and there was one. */
export function isGood({ checks }: Probed): boolean {
  return checks.length > 0 && checks.every((c) => c.ok);
}

/** Whether an address is taken out by its operator, by command or in mirror.toml. */
export function isDrained(history: Pick<History, "drained">, { node }: Endpoint): boolean {
  return node.drain || history.drained.includes(node.name);
}

/** A state file's text; `undefined` where it is damaged or of another version. */
export function readHistory(text: string): History | undefined {
  try {
    const h = JSON.parse(text) as History;
    const good = h.v === 1 && Number.isInteger(h.runs) && Number.isFinite(h.at) &&
      [h.published, h.foreign, h.drained].every((list) =>
        Array.isArray(list) && list.every((a) => typeof a === "string")
      ) &&
      Array.isArray(h.notices) &&
      [h.blind, h.peers, h.alarms, h.memory].every((o) => typeof o === "object" && o !== null) &&
      Object.values(h.alarms).every((a) => Number.isFinite(a.since)) &&
      Object.values(h.memory).every(isMemory);
    return good ? h : undefined;
  } catch {
    return undefined;
  }
}

function isMemory(m: Memory): boolean {
  return ["up", "down", "unknown"].includes(m.state) && Array.isArray(m.checks) &&
    [m.since, m.good, m.bad, m.changed].every(Number.isFinite) &&
    Array.isArray(m.days) && m.days.every((d) => d.probes >= d.good && typeof d.day === "string");
}
