/** The verdict on all nodes together, from what the checks of each found. Pure. */
import { BOUNDS } from "../../formats/nodes.ts";
import { formatDuration } from "../../formats/units.ts";
import type { Endpoint, Healthz } from "../lib/healthz.ts";
import type { Found } from "./job.ts";
import type { Probed } from "./history.ts";

/** What was found at one address. */
export interface Finding {
  endpoint: Endpoint;
  found: Found[];
}

/**
 * Turns findings into probes: an old `lastsync`, in itself or beside the newest good node, and bytes that
 * differ from what most nodes have are bad as well.
 */
export function judge(findings: Finding[], config: Healthz, now: number): Probed[] {
  const good = findings.filter((f) => f.found.every((c) => c.ok));
  const newest = Math.max(...good.flatMap((f) => f.found.flatMap((c) => c.lastSync ?? [])));
  const odd = oddSamples(findings);
  return findings.map(({ endpoint, found }) => ({
    address: endpoint.address,
    lastSync: found.find((c) => c.lastSync !== undefined)?.lastSync ?? null,
    checks: found.map((one) => {
      const { lastSync: _time, sample: _sample, ...result } = one;
      const why = old(one, newest, config, now) ?? odd.get(one);
      return why ? { ...result, ok: false, reason: why.slice(0, BOUNDS.text) } : result;
    }),
  }));
}

function old({ lastSync }: Found, newest: number, config: Healthz, now: number) {
  if (lastSync === undefined) return undefined;
  const age = now - lastSync, lag = newest - lastSync;
  if (age > config.max_age) {
    return `lastsync is ${formatDuration(age)} old, allowed are ${formatDuration(config.max_age)}`;
  }
  if (lag > config.max_lag) {
    return `lastsync is ${formatDuration(lag)} behind the newest node, allowed are ` +
      formatDuration(config.max_lag);
  }
}

/** Samples of the same package whose bytes are not what more than half of the nodes have. */
function oddSamples(findings: Finding[]): Map<Found, string> {
  const byPath = new Map<string, { node: string; found: Found; hash: string }[]>();
  for (const { endpoint, found } of findings) {
    for (const one of found.filter((c) => c.ok && c.sample)) {
      const { path, hash } = one.sample!;
      const list = byPath.get(path) ?? [];
      list.push({ node: endpoint.node.name, found: one, hash });
      byPath.set(path, list);
    }
  }
  const odd = new Map<Found, string>();
  for (const [path, samples] of byPath) {
    const nodes = (of: typeof samples) => new Set(of.map((s) => s.node)).size;
    for (const sample of samples) {
      const same = nodes(samples.filter((s) => s.hash === sample.hash));
      // Without a majority nobody knows who is right.
      const others = nodes(samples) - same;
      if (others > same) odd.set(sample.found, `other bytes in ${path} than ${others} nodes have`);
    }
  }
  return odd;
}
