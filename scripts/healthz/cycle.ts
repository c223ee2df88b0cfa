/**
 * One whole run: look, remember, decide, write, tell. The same in Deno and in a Worker, which bring their
 * own wire, provider and state.
 */
import { Failure } from "../lib/failure.ts";
import { endpoints, type Healthz } from "../lib/healthz.ts";
import { type Change, decide } from "./decide.ts";
import { type History, record } from "./history.ts";
import { look, type ReadPeer } from "./look.ts";
import { type Event, settle } from "./notices.ts";
import {
  addressesOf,
  type Held,
  isIdle,
  makePlan,
  type Provider,
  recordsFor,
  showPlan,
} from "./records.ts";
import type { Wire } from "./wire_types.ts";

/** What a run needs. */
export interface Parts {
  config: Healthz;
  wire: Wire;
  provider: Provider;
  readPeer: ReadPeer;
  /** Epoch seconds. */
  now: () => number;
}

/** How a run ended. */
export interface Report {
  history: History;
  /** What was changed in DNS, or would be. */
  changes: Change[];
  /** The same as records, a line each. */
  plan: string[];
  /** What is to be told. */
  events: Event[];
}

/** Runs once; with `isDry` nothing is written. It throws nothing that the world does. */
export async function cycle(parts: Parts, before: History, isDry: boolean): Promise<Report> {
  const { config, wire, provider, readPeer } = parts;
  const now = Math.floor(parts.now());
  const known = new Set([...endpoints(config).map((e) => e.address), ...before.published]);
  const [round, read] = await Promise.all([
    look(config, before, wire, readPeer, now),
    attempt(() => provider.read(known)),
  ]);
  let history = record(before, round, config);
  const held = read.value ?? remembered(history, config);
  if (read.value) history = { ...history, ...present(held, config) };
  const { desired, changes, alarms } = decide(history, config, now);
  if (history.foreign.length) {
    alarms.foreign =
      `${history.foreign.join(", ")}: this address stands at the name already, but not as ` +
      `ours; it is left alone. Delete it there, or mark it as ours`;
  }
  const plan = makePlan(held, desired, config.dns ?? { ttl: 60 });
  const isBlind = endpoints(config).every((e) => history.blind[e.family]);
  const isOver = isDry || isBlind || isIdle(plan);
  const error = read.error ??
    (isOver ? undefined : (await attempt(() => provider.write(plan, held))).error);
  // One cause, one alarm.
  if (error && !isBlind) alarms.provider = error.message + (error.hint ? ` ${error.hint}` : "");
  if (error || isBlind) return finish(history, [], []);
  const lines = config.dns ? showPlan(config.name, plan) : [];
  if (isDry) return { ...finish(history, changes, lines), events: [] };
  const memory = { ...history.memory };
  for (const { address } of changes) {
    if (memory[address]) memory[address] = { ...memory[address], changed: history.runs };
  }
  return finish({ ...history, published: desired, memory }, changes, lines);

  function finish(history: History, changes: Change[], plan: string[]): Report {
    return { changes, plan, ...settle(history, config, changes, alarms, now) };
  }
}

/** Runs something; a failure that was foreseen is a value. */
async function attempt<T>(run: () => Promise<T>): Promise<{ value?: T; error?: Failure }> {
  try {
    return { value: await run() };
  } catch (error) {
    if (error instanceof Failure) return { error };
    throw error;
  }
}

/** What is there where nobody else can tell: what was written last. */
function remembered(history: History, config: Healthz): Held {
  const ours = recordsFor(history.published, config.dns?.alpn);
  return { ours, foreign: [], isOtherTtl: false };
}

/** What is there, as far as it is about our nodes. */
function present(held: Held, config: Healthz): Pick<History, "published" | "foreign"> {
  const nodes = new Set(endpoints(config).map((e) => e.address));
  const foreign = addressesOf(held.foreign).filter((a) => nodes.has(a)).sort();
  return { published: [...new Set([...addressesOf(held.ours), ...foreign])].sort(), foreign };
}
