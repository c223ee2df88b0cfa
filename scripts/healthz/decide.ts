/**
 * Which addresses the name should have: a pure function of what is remembered, what is configured and the
 * clock. What it may do is bounded, so that a mistaken checker can do little harm:
 *
 * - an address joins after `rise` good probes in a row, and leaves after `fall` bad ones (or when it is
 *   drained, or no longer in mirror.toml);
 * - an address leaves only while `min_healthy` others are good, so there is always one: fail open;
 * - at most `max_changes` join or leave in a run, those who join first; only the first set of a name that
 *   has none is made at once;
 * - a checker that cannot see changes nothing.
 */
import { count } from "../../formats/units.ts";
import { familyOf } from "../lib/address.ts";
import { type Endpoint, endpoints, type Healthz } from "../lib/healthz.ts";
import { type History, isDrained, type Memory, newMemory } from "./history.ts";
import { Votes } from "./votes.ts";

/** One address that joins or leaves. */
export interface Change {
  kind: "add" | "remove";
  address: string;
  /** Its node, or `null` where mirror.toml does not name it any more. */
  node: string | null;
  /** Why, in a few words. */
  reason: string;
}

/** What is to be done. */
export interface Decision {
  /** All addresses that the name should have, of those that are ours. */
  desired: string[];
  changes: Change[];
  /** By code: what a person should look at. */
  alarms: Record<string, string>;
}

/** An address with all that is known of it. */
interface Candidate extends Endpoint {
  memory: Memory;
  drained: boolean;
  published: boolean;
  /** Somebody else has put it into the records: it can't be taken out. */
  foreign: boolean;
}

/** Decides. `now` is epoch seconds. */
export function decide(history: History, config: Healthz, now: number): Decision {
  const all = endpoints(config).map((e): Candidate => ({
    ...e,
    memory: history.memory[e.address] ?? newMemory(now),
    drained: isDrained(history, e),
    published: history.published.includes(e.address),
    foreign: history.foreign.includes(e.address),
  }));
  const alarms: Record<string, string> = {};
  const changes: Change[] = [];
  const votes = new Votes(history, config, now);
  if (votes.missing) alarms.quorum = votes.missing;
  const blind: string[] = [];
  for (const family of [4, 6] as const) {
    const members = all.filter((c) => c.family === family);
    const retired = history.published.filter((a) =>
      familyOf(a) === family && !members.some((c) => c.address === a)
    );
    if (members.length === 0 && retired.length === 0) continue;
    if (history.blind[family]) {
      blind.push(`IPv${family}`);
      continue;
    }
    const bounds = { ...config, empty: history.published.length === 0, runs: history.runs };
    const { joining, leaving, alarm } = decideFamily(members, retired, votes, bounds);
    if (alarm) alarms[`floor${family}`] = `IPv${family}: ${alarm}`;
    changes.push(...joining, ...leaving);
  }
  if (blind.length) {
    alarms.references =
      `No reference point is reached over ${blind.join(" and ")}: the checker's ` +
      `own network is down; nothing is changed there`;
  }
  // Those who join come first, in both families; then as many leave as are left of the bound.
  changes.sort((a, b) => Number(a.kind === "remove") - Number(b.kind === "remove"));
  return bounded(history, config, changes, alarms);
}

/** Takes as many changes as a run may make, and none that would leave too few. */
function bounded(
  history: History,
  config: Healthz,
  changes: Change[],
  alarms: Record<string, string>,
): Decision {
  const taken: Change[] = [];
  const desired = new Set(history.published);
  const isFirst = desired.size === 0;
  if (changes.length === 0) return { desired: [...desired].sort(), changes, alarms };
  const known = new Map(endpoints(config).map((e) => [e.address, e]));
  const isServing = (address: string, family: number) => {
    const endpoint = known.get(address);
    return endpoint?.family === family && !isDrained(history, endpoint) &&
      isHealthy(history.memory[address] ?? newMemory(0));
  };
  for (const change of changes) {
    if (taken.length === config.max_changes && !isFirst) break;
    if (change.kind === "add") desired.add(change.address);
    else {
      const family = familyOf(change.address);
      desired.delete(change.address);
      const serving = [...desired].filter((a) => isServing(a, family)).length;
      const members = [...known.values()].filter((e) => e.family === family).length;
      if (serving < floorOf(config, members) || desired.size === 0) {
        // It waits for those that join: a later run takes it.
        desired.add(change.address);
        continue;
      }
    }
    taken.push(change);
  }
  return { desired: [...desired].sort(), changes: taken, alarms };
}

/** So many good addresses of a family stay at least, of so many that mirror.toml names. */
const floorOf = (config: Pick<Healthz, "min_healthy">, members: number) =>
  Math.min(config.min_healthy, members);

/** Up, or not known to be otherwise: after the state was lost, what stands in DNS is trusted at first. */
const isHealthy = (memory: Memory) => memory.state !== "down";

interface Bounds extends Pick<Healthz, "rise" | "fall" | "min_healthy"> {
  /** The name has no address at all. */
  empty: boolean;
  runs: number;
}

function decideFamily(members: Candidate[], retired: string[], votes: Votes, bounds: Bounds) {
  const floor = floorOf(bounds, members.length);
  const able = members.filter((c) => !c.drained);
  const regular = able.filter((c) => c.node.weight > 0);
  const fit = (c: Candidate) => c.memory.state === "up" && c.memory.good >= bounds.rise;
  const heaviest = (list: Candidate[]) => list.sort((a, b) => b.node.weight - a.node.weight);

  let join = regular.filter((c) => !c.published && fit(c) && votes.agree(c, "up"));
  // A name that has no address yet: those that answer, or all, as a node is better than none.
  if (bounds.empty) {
    const answering = regular.filter((c) => c.memory.good > 0);
    join = answering.length ? answering : regular.length ? regular : able;
  }
  const serving = regular.filter((c) => isHealthy(c.memory) && (c.published || join.includes(c)));
  const short = serving.length < floor;
  const isSettled = (c: Candidate, runs: number) => bounds.runs - c.memory.changed >= runs;
  const spares = able.filter((c) => c.node.weight === 0);
  if (short && !bounds.empty) {
    join.push(...spares.filter((c) => !c.published && fit(c) && isSettled(c, bounds.rise)));
  }

  const leaving: Change[] = retired.map((address) => ({
    kind: "remove",
    address,
    node: null,
    reason: "mirror.toml does not name it any more",
  }));
  for (const c of members.filter((c) => c.published && !c.foreign)) {
    const reason = c.drained
      ? "drained"
      : isSettled(c, bounds.fall) && c.memory.bad >= bounds.fall && votes.agree(c, "down")
      ? whyBad(c.memory)
      : c.node.weight === 0 && !short && isSettled(c, bounds.fall)
      ? "a spare that is not needed any more"
      : undefined;
    if (reason) leaving.push({ kind: "remove", address: c.address, node: c.node.name, reason });
  }
  const joining = heaviest(join).map((c): Change => ({
    kind: "add",
    address: c.address,
    node: c.node.name,
    reason: bounds.empty && c.memory.good === 0
      ? "the name has no address at all"
      : `${count(c.memory.good, "good probe")} in a row`,
  }));
  const healthy = able.filter((c) => isHealthy(c.memory) && (c.published || join.includes(c)));
  const alarm = healthy.length < floor
    ? `only ${healthy.length} of ${members.length} addresses can be relied on` +
      (able.length < members.length ? ` (${members.length - able.length} drained), ` : ", ") +
      `at least ${floor} are needed; none is taken out`
    : undefined;
  return { joining, leaving, alarm };
}

/** Why an address is bad, from its last checks. */
export function whyBad({ bad, checks }: Pick<Memory, "bad" | "checks">): string {
  const failed = checks.filter((c) => !c.ok).map((c) => `${c.check}: ${c.reason}`);
  return `${count(bad, "bad probe")} in a row: ${failed.join("; ") || "no check was made"}`;
}
