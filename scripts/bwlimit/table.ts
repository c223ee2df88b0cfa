/**
 * The table `inet mirrorkit` as text for `nft -f -`. Pure.
 *
 * Every packet to a client passes `out`. Most clients stay in `warm`: one counter each, and a quota of a
 * tenth of the smallest limit. Past that they are counted by protocol, and `hard` and `soft` hold what is
 * left to the limit and to throttling: the kernel decides on the very packet, whether the script looks or
 * not. The script then gives the client quotas of its own (`own`), which it can raise as bytes leave the
 * window, and once those are right it frees (`free`) the client of the common ones.
 *
 * Where `warm` is full, traffic goes on uncounted; `missed` tells how much.
 *
 * What nft 1.0.6 does, found by running it: a set's quota is the same for all its elements, and only a
 * named quota can be given another threshold, which keeps what it has counted; a `quota` in the rule in
 * place of the set would not be there for elements that were added as text; a packet that is refused must
 * not be counted, so refusing comes first.
 */
import type { Bwlimit } from "../lib/limits.ts";
import {
  disjoint,
  familyOf,
  formatNetwork,
  kindOf,
  type Network,
  parseNetwork,
  type Scope,
  scopesOf,
} from "./address.ts";

/** The name of our table. No other is ever touched. */
export const TABLE = "inet mirrorkit";

/** Clients that are looked at one by one; each kind and family has as many. */
const WATCHED = 65_536;
/** Past a tenth of its smallest limit a client is watched. */
export const WATCH_SHARE = 0.1;

/** Bytes after which a client of this kind is watched, and what the kernel allows from there. */
export function shares(policy: Bwlimit, scope: Scope) {
  const { limit, throttle } = kindOf(policy, scope);
  const least = Math.min(...limit.map((l) => l.bytes));
  const watch = Math.floor(least * WATCH_SHARE);
  return {
    watch,
    hard: least - watch,
    soft: throttle && Math.floor(least * throttle.percent / 100) - watch,
    longest: Math.max(...limit.map((l) => l.seconds)),
    shortest: Math.min(...limit.map((l) => l.seconds)),
  };
}

/** The sets of a scope that are listed at every look. */
export const LISTED = ["count", "own", "free", "slow", "ban", "block"] as const;
export type Listed = typeof LISTED[number];

/** A time as nft reads it, in parts: of one unit it takes no more than eight digits. */
export function nftTime(seconds: number): string {
  let left = Math.max(1, Math.round(seconds * 1000)), text = "";
  for (
    const [unit, ms] of [["d", 86_400_000], ["h", 3_600_000], ["m", 60_000], ["s", 1000], [
      "ms",
      1,
    ]] as const
  ) {
    const count = Math.floor(left / ms);
    if (count) text += count + unit;
    left -= count * ms;
  }
  return text;
}

/** Ports as an anonymous set. */
const anyOf = (ports: number[]) => `{ ${ports.join(", ")} }`;

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
}

/** The whole table, in place of any older one, in one transaction. */
export function renderTable(options: TableOptions): string {
  const { policy, mark } = options, scopes = scopesOf(policy);
  return `table ${TABLE}
delete table ${TABLE}
table ${TABLE} {
  set mark_${mark} { type mark; }
  set total { type inet_proto; size 256; flags dynamic; counter; }
  set missed { type inet_proto; size 256; flags dynamic; counter; }
${allowSets(options.allow)}${scopes.map((s) => scopeSets(policy, s)).join("")}${caps(policy)}${
    scopes.map((s) => scopeChains(policy, s)).join("")
  }${chains(options)}}
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

/** `elements = …`, or nothing where there are none. */
export const elements = (all: string[]) => all.length ? ` elements = { ${all.join(", ")} };` : "";

const ofFamily = (family: 4 | 6, networks: Network[]) =>
  disjoint(networks).filter((n) => familyOf(n.address) === family).map(formatNetwork);

function allowSets(allow: Network[]): string {
  return ([4, 6] as const).map((family) =>
    `  set allow${family} { type ipv${family}_addr; flags interval;${
      elements(ofFamily(family, allow))
    } }\n`
  ).join("");
}

function scopeSets(policy: Bwlimit, scope: Scope): string {
  const { watch, hard, soft, longest, shortest } = shares(policy, scope);
  const { id, type } = scope;
  const dynamic = (name: string, timeout: number, statements = "", size = WATCHED) =>
    `  set ${name}_${id} { type ${type}; size ${size}; flags dynamic, timeout; ` +
    `timeout ${nftTime(timeout)}; ${statements}}\n`;
  return dynamic("warm", longest, `counter quota over ${watch} bytes; `, policy.destinations) +
    dynamic("hard", longest, `quota over ${hard} bytes; `) +
    (soft ? dynamic("soft", longest, `quota over ${soft} bytes; `) : "") +
    `  set count_${id} { type ${type} . inet_proto; size ${4 * WATCHED}; flags dynamic, timeout; ` +
    `timeout ${nftTime(2 * longest)}; counter; }\n` +
    `  set own_${id} { type ${type}; size ${WATCHED}; flags dynamic; counter; }\n` +
    `  set free_${id} { type ${type}; size ${WATCHED}; flags dynamic; }\n` +
    `  map ownhard_${id} { type ${type} : quota; }\n` +
    `  map ownsoft_${id} { type ${type} : quota; }\n` +
    dynamic("slow", shortest) + dynamic("rate", 60) +
    dynamic("ban", policy.bans[0]) + dynamic("block", policy.bans.at(-1)!);
}

function caps(policy: Bwlimit): string {
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

/** A rate. The kernel's bucket holds one second of it and the burst: two packets that it has merged. */
const rateText = (rate: number) =>
  `${Math.max(1, Math.round(rate))} bytes/second burst 131072 bytes`;

function scopeChains(policy: Bwlimit, scope: Scope): string {
  const { id, destination: key } = scope, enforce = policy.mode === "enforce";
  const { throttle } = kindOf(policy, scope);
  const slow = `add @slow_${id} { ${key} }`;
  return `
  chain over_${id} {
    add @ban_${id} { ${key} timeout ${nftTime(policy.bans[0])} }
    delete @hard_${id} { ${key} }
    delete @warm_${id} { ${key} }
${throttle ? `    delete @soft_${id} { ${key} }\n    delete @slow_${id} { ${key} }\n` : ""}${
    enforce ? "    drop\n" : ""
  }  }
  chain own_${id} {
    quota name ${key} map @ownhard_${id} jump over_${id}
${throttle ? `    quota name ${key} map @ownsoft_${id} ${slow}\n` : ""}  }
  chain count_${id} {
    update @count_${id} { ${key} . meta l4proto }
  }
  chain fresh_${id} {
    add @hard_${id} { ${key} } jump over_${id}
${throttle ? `    add @soft_${id} { ${key} } ${slow}\n` : ""}    goto count_${id}
  }
  chain meter_${id} {
    ${key} @own_${id} jump own_${id}
    ${key} @free_${id} goto count_${id}
    tcp flags & (syn|rst) != 0 return
    add @warm_${id} { ${key} } goto fresh_${id}
    ${key} != @warm_${id} update @missed { meta l4proto }
  }
`;
}

/** Rules for each scope. */
const each = (policy: Bwlimit, rule: (s: Scope) => string) =>
  scopesOf(policy).map((s) => `    ${rule(s)}\n`).join("");

function chains(options: TableOptions): string {
  const { policy } = options;
  const metered = policy.sources.includes("kernel");
  const exempt = (port: "sport" | "dport") =>
    policy.exempt_ports.length
      ? `    meta l4proto { 6, 17 } th ${port} ${anyOf(policy.exempt_ports)} return\n`
      : "";
  return (policy.mode === "enforce" ? refusing(options, exempt("dport")) : "") + `
  chain out {
    type filter hook postrouting priority filter; policy accept;
    oifname "lo" return
    fib daddr type { broadcast, multicast } return
    ip6 daddr fe80::/10 return
    ip daddr @allow4 return
    ip6 daddr @allow6 return
${exempt("sport")}${policy.mode === "enforce" ? outgoing(policy) : ""}${
    metered ? each(policy, ({ id, family }) => `meta nfproto ipv${family} jump meter_${id}`) : ""
  }    update @total { meta l4proto }
  }
`;
}

/** What comes before counting: nothing to blocked clients, little to slow ones. */
function outgoing(policy: Bwlimit): string {
  const slow = (s: Scope) => {
    const rate = kindOf(policy, s).throttle?.rate;
    return rate === undefined ? "" : `${s.destination} @slow_${s.id} ` +
      `update @rate_${s.id} { ${s.destination} limit rate over ${rateText(rate)} } drop`;
  };
  const answering = anyOf([policy.answer.port, policy.answer.tls_port]);
  return `    tcp sport ${answering} return\n` +
    each(policy, (s) => `${s.destination} @ban_${s.id} goto refused_out`) +
    each(policy, (s) => `${s.destination} @block_${s.id} goto refused_out`) +
    policy.cap.flatMap(({ name }) => [
      `    ip daddr @cap_${name}_4 limit name "cap_${name}" drop\n`,
      `    ip6 daddr @cap_${name}_6 limit name "cap_${name}" drop\n`,
    ]).join("") + each(policy, slow);
}

/**
 * What comes from blocked clients. A new connection to the mirror is led to the answer, one that exists is
 * reset. ICMP goes on (1 and 58: nft finds names in /etc/protocols, which a small system lacks), as without
 * it neighbours, routes and packet sizes are not found. Behind `dstnat`, so that what was led to the answer
 * is known by its port.
 */
function refusing({ policy, http, https }: TableOptions, exempt: string): string {
  const { port, tls_port } = policy.answer;
  const lead = (ports: number[], to: number) =>
    ports.length
      ? each(policy, (s) => `${s.source} @ban_${s.id} tcp dport ${anyOf(ports)} redirect to :${to}`)
      : "";
  const allowed =
    `    iifname "lo" return\n    ip saddr @allow4 return\n    ip6 saddr @allow6 return\n`;
  return `
  chain answer {
    type nat hook prerouting priority dstnat - 10; policy accept;
${allowed}${exempt}${lead(http, port)}${lead(https, tls_port)}  }
  chain refused {
    tcp dport ${anyOf([port, tls_port])} return
    goto hangup
  }
  chain silent {
    tcp flags & (fin|syn|rst|ack) == syn drop
    goto hangup
  }
  chain hangup {
    tcp flags & rst != 0 return
    meta l4proto { 1, 58 } return
    meta l4proto 6 reject with tcp reset
    meta l4proto 17 reject with icmpx admin-prohibited
    drop
  }
  chain refused_out {
    tcp flags & rst != 0 return
    meta l4proto { 1, 58 } return
    drop
  }
  chain in {
    type filter hook prerouting priority dstnat + 10; policy accept;
${allowed}${exempt}${each(policy, (s) => `${s.source} @ban_${s.id} jump refused`)}${
    each(policy, (s) => `${s.source} @block_${s.id} jump silent`)
  }  }
`;
}
