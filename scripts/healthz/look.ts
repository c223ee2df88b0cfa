/** One round: all checks of all addresses at once, the checker's own reference points, other checkers. */
import { BOUNDS, isCurrent, readNodes } from "../../formats/nodes.ts";
import { familyOf } from "../lib/address.ts";
import { type Endpoint, endpoints, type Healthz } from "../lib/healthz.ts";
import { readBody } from "./body.ts";
import { check } from "./checks.ts";
import { type History, isGood, type Peer, type Round } from "./history.ts";
import type { Found } from "./job.ts";
import { judge } from "./judge.ts";
import type { Wire } from "./wire_types.ts";

/** What is costly is looked at once in so many seconds while it is good. */
const RANGE_SECONDS = 3600;

/** Where another checker's state is read from: a URL, or a file where there are any. */
export type ReadPeer = (peer: string, signal: AbortSignal) => Promise<string>;

/** Reads it from a URL. */
export const fetchPeer: ReadPeer = async (url, signal) => {
  const response = await fetch(url, { signal, redirect: "manual" });
  const { body, isCut } = await readBody(response.body, BOUNDS.bytes);
  return isCut ? "" : new TextDecoder().decode(body);
};

/** Looks at everything. `now` is epoch seconds. */
export async function look(
  config: Healthz,
  history: History,
  wire: Wire,
  readPeer: ReadPeer,
  now: number,
): Promise<Round> {
  const [findings, before, peers] = await Promise.all([
    Promise.all(
      endpoints(config).map(async (endpoint) => ({
        endpoint,
        found: await probe(endpoint, config, history, wire, now),
      })),
    ),
    blind(config, wire),
    hear(config, readPeer, now),
  ]);
  const probes = judge(findings, config, now);
  // The network may have failed in between: who finds faults looks at itself once more.
  const after = probes.every(isGood) ? before : await blind(config, wire);
  return { at: now, blind: { 4: before[4] || after[4], 6: before[6] || after[6] }, probes, peers };
}

async function probe(
  endpoint: Endpoint,
  config: Healthz,
  history: History,
  wire: Wire,
  now: number,
): Promise<Found[]> {
  const names = endpoint.node.checks ?? config.checks;
  return await Promise.all(names.map((name) => {
    const last = history.memory[endpoint.address]?.checks.find((c) => c.check === name);
    const isKept = name === "range" && last?.ok && now - last.at < RANGE_SECONDS &&
      Math.floor(now / 3600) === Math.floor(last.at / 3600);
    return isKept ? last as Found : check(name, { endpoint, config, wire, now });
  }));
}

/** In which families no reference point is reached. Without any, none is. */
async function blind(config: Healthz, wire: Wire): Promise<{ 4: boolean; 6: boolean }> {
  const signal = AbortSignal.timeout(Math.min(config.timeout, 5) * 1000);
  const reached = await Promise.all(config.references.map((reference) =>
    Promise.race([
      reach(reference, wire, signal),
      new Promise<boolean>((resolve) => signal.addEventListener("abort", () => resolve(false))),
    ])
  ));
  const isBlind = (family: 4 | 6) => {
    const own = reached.filter((_, i) => {
      const reference = config.references[i];
      return /^https?:/.test(reference) || familyOf(reference.replace(/:\d+$/, "")) === family;
    });
    return own.length > 0 && !own.includes(true);
  };
  return { 4: isBlind(4), 6: isBlind(6) };
}

/** Whether a reference point answers: a connection to an address, any answer from a URL. */
async function reach(reference: string, wire: Wire, signal: AbortSignal): Promise<boolean> {
  try {
    if (/^https?:/.test(reference)) {
      const response = await fetch(reference, { signal, redirect: "manual", method: "HEAD" });
      await response.body?.cancel();
    } else {
      const [, address, port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(reference)!;
      await wire.open({ address, port: Number(port) }, signal);
    }
    return true;
  } catch {
    return false;
  }
}

/** What other checkers say now; who can't be read or is too old is left out. */
async function hear(config: Healthz, read: ReadPeer, now: number): Promise<Record<string, Peer>> {
  const signal = AbortSignal.timeout(Math.min(config.timeout, 5) * 1000);
  const heard = await Promise.all((config.quorum?.peers ?? []).map(async (peer) => {
    const state = readNodes(await read(peer, signal).catch(() => ""));
    if (!state || state.name !== config.name || !isCurrent(state, now)) return [];
    const states = state.nodes.flatMap((n) => n.addresses.map((a) => [a.address, a.state]));
    return [[peer, { at: state.at, states: Object.fromEntries(states) }]];
  }));
  return Object.fromEntries(heard.flat());
}
