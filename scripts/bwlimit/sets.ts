/**
 * The sets of the table `inet mirrorkit`, as text for nft(8). Pure.
 *
 * Most clients stay in `warm`: one counter each, and a quota of a tenth of the smallest limit. It is kept in
 * slices, told apart by a hash, so that one is listed soon: nft takes 50 ms for the sixteenth of 100,000
 * clients, but 2 s for all at once, as the kernel's dump begins at the set's start again for each piece, and
 * all over where a transaction comes in between.
 *
 * Past that tenth clients are counted by protocol (`count`), and `hard` and `soft` hold what is left to the
 * limit and to throttling: the kernel decides on the very packet, whether the script looks or not. The script
 * then gives the client quotas of its own (`own`), which it can raise as bytes leave the window, and once
 * those are right it frees (`free`) the client of the common ones.
 *
 * What nft 1.0.6 does, found by running it: a set's quota is the same for all its elements, and only a
 * named quota can be given another threshold, which keeps what it has counted; a `quota` in the rule in
 * place of the set would not be there for elements that were added as text.
 */
import type { Bwlimit } from "../lib/limits.ts";
import {
  disjoint,
  familyOf,
  formatNetwork,
  type Network,
  parseNetwork,
  type Scope,
} from "./address.ts";
import { elements, nftTime, rateText } from "./nfttext.ts";
import { shares } from "./shares.ts";

/** Clients that are looked at one by one; each kind and family has as many. */
const WATCHED = 65_536;

/** `warm` of each scope has so many slices. */
export const SLICES = 16;

/** A hash does not fill all of them evenly. */
const SPARE = 1.125;

/** What may still go to a refused client, so that its connections end: 64 KiB may pass a limit. */
const PARTING_BYTES = 60 * 1024;

/** The sets that make up `warm` of a scope. */
export const warmSets = ({ id }: Scope): string[] =>
  Array.from({ length: SLICES }, (_, slice) => `warm_${id}_${slice}`);

/** Networks of a family, as an interval set takes them. */
export const ofFamily = (family: 4 | 6, networks: Network[]) =>
  disjoint(networks).filter((n) => familyOf(n.address) === family).map(formatNetwork);

/** The allow-list. */
export function allowSets(allow: Network[]): string {
  return ([4, 6] as const).map((family) =>
    `  set allow${family} { type ipv${family}_addr; flags interval;${
      elements(ofFamily(family, allow))
    } }\n`
  ).join("");
}

/** The sets of a scope. */
export function scopeSets(policy: Bwlimit, scope: Scope): string {
  const { watch, hard, soft, longest, shortest } = shares(policy, scope);
  const { id, type } = scope;
  const dynamic = (name: string, timeout: number, statements = "", size = WATCHED) =>
    `  set ${name} { type ${type}; size ${size}; flags dynamic, timeout; ` +
    `timeout ${nftTime(timeout)}; ${statements}}\n`;
  const warm = `counter quota over ${watch} bytes; `,
    room = Math.ceil(policy.destinations / SLICES * SPARE);
  return warmSets(scope).map((set) => dynamic(set, longest, warm, room)).join("") +
    dynamic(`hard_${id}`, longest, `quota over ${hard} bytes; `) +
    (soft ? dynamic(`soft_${id}`, longest, `quota over ${soft} bytes; `) : "") +
    `  set count_${id} { type ${type} . inet_proto; size ${4 * WATCHED}; flags dynamic, timeout; ` +
    `timeout ${nftTime(2 * longest)}; counter; }\n` +
    `  set own_${id} { type ${type}; size ${WATCHED}; flags dynamic; counter; }\n` +
    `  set free_${id} { type ${type}; size ${WATCHED}; flags dynamic; }\n` +
    `  map ownhard_${id} { type ${type} : quota; }\n` +
    `  map ownsoft_${id} { type ${type} : quota; }\n` +
    dynamic(`slow_${id}`, shortest) + dynamic(`rate_${id}`, 60) +
    dynamic(`parting_${id}`, 3600, `quota ${PARTING_BYTES} bytes; `) +
    dynamic(`ban_${id}`, policy.bans[0]) + dynamic(`block_${id}`, policy.bans.at(-1)!);
}

/** Networks that share a rate. */
export function capSets(policy: Bwlimit): string {
  return policy.cap.map(({ name, networks, rate }) => {
    const all = networks.map((n) => parseNetwork(n)!);
    const sets = ([4, 6] as const).map((family) =>
      `  set cap_${name}_${family} { type ipv${family}_addr; flags interval;${
        elements(ofFamily(family, all))
      } }\n`
    );
    return sets.join("") + `  limit cap_${name} { rate over ${rateText(rate)} }\n`;
  }).join("");
}

/** Connections of refused clients: each may end. */
export const partingSets = (): string =>
  ([4, 6] as const).map((family) =>
    `  set parting${family} { type ipv${family}_addr . inet_service; size ${WATCHED}; flags dynamic, timeout; timeout 1m; }\n`
  ).join("");
