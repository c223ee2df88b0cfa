/**
 * The table `inet mirrorkit` as text for `nft -f -`: its sets stand in sets.ts, its rules in chains.ts. Pure.
 */
import type { Bwlimit } from "../lib/limits.ts";
import { type Network, scopesOf } from "./address.ts";
import { chains, scopeChains } from "./chains.ts";
import { elements, TABLE } from "./nfttext.ts";
import { allowSets, capSets, ofFamily, partingSets, scopeSets } from "./sets.ts";

/** What a table depends on beside the configuration. */
export interface TableOptions {
  policy: Bwlimit;
  /** Ports of the mirror at which a blocked client gets the answer. */
  http: number[];
  https: number[];
  /** The networks of the allow-list, its host names resolved. */
  allow: Network[];
  /** Marks the table: another configuration has another mark. */
  mark: string;
  /** A number of this very table: what was counted in another one lies in the past. */
  made: number;
}

/** The whole table, in place of any older one, in one transaction. */
export function renderTable(options: TableOptions): string {
  const { policy, mark, made } = options, scopes = scopesOf(policy);
  return `table ${TABLE}
delete table ${TABLE}
table ${TABLE} {
  set mark_${mark} { type mark; }
  set made { type mark;${elements([String(made)])} }
  set total { type inet_proto; size 256; flags dynamic; counter; }
  set missed { type inet_proto; size 256; flags dynamic; counter; }
${allowSets(options.allow)}${scopes.map((s) => scopeSets(policy, s)).join("")}${capSets(policy)}${
    policy.mode === "enforce" ? partingSets() : ""
  }${scopes.map((s) => scopeChains(policy, s)).join("")}${chains(options)}}
`;
}

/** The allow-list in place of the one that is there. */
export const allowCommands = (allow: Network[]): string[] =>
  ([4, 6] as const).flatMap((family) => {
    const all = ofFamily(family, allow);
    return [
      `flush set ${TABLE} allow${family}`,
      ...(all.length ? [`add element ${TABLE} allow${family} { ${all.join(", ")} }`] : []),
    ];
  });
