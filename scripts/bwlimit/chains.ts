/**
 * The rules of the table `inet mirrorkit`, as text for nft(8). Pure.
 *
 * Every packet to a client passes `out`, where those who are refused are stopped before they are counted;
 * what comes from them passes `answer` and `in`.
 */
import type { Bwlimit } from "../lib/limits.ts";
import { kindOf, type Scope, scopesOf } from "./address.ts";
import { anyOf, nftTime, rateText } from "./nfttext.ts";
import { SLICES, warmSets } from "./sets.ts";
import type { TableOptions } from "./table.ts";

/** What counts the clients of a scope, and refuses those past a limit. */
export function scopeChains(policy: Bwlimit, scope: Scope): string {
  const { id, destination: key } = scope, enforce = policy.mode === "enforce";
  const { throttle } = kindOf(policy, scope);
  const slow = `add @slow_${id} { ${key} }`;
  return `
  chain over_${id} {
    add @ban_${id} { ${key} timeout ${nftTime(policy.bans[0])} }
    delete @hard_${id} { ${key} }
    delete @parting_${id} { ${key} }
${warmSets(scope).map((set) => `    delete @${set} { ${key} }\n`).join("")}${
    throttle ? `    delete @soft_${id} { ${key} }\n    delete @slow_${id} { ${key} }\n` : ""
  }${enforce ? "    drop\n" : ""}  }
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
${warmSets(scope).map((set) => warmChain(scope, set)).join("")}
  chain meter_${id} {
    ${key} @own_${id} jump own_${id}
    ${key} @free_${id} goto count_${id}
    tcp flags & (syn|rst) != 0 return
    jhash ${key} mod ${SLICES} vmap { ${
    warmSets(scope).map((set, slice) => `${slice} : goto ${set}`).join(", ")
  } }
  }
`;
}

/** Counts those who are far from a limit, in their slice. A chain has the name of its set. */
const warmChain = ({ id, destination: key }: Scope, set: string) => `
  chain ${set} {
    add @${set} { ${key} } goto fresh_${id}
    ${key} != @${set} update @missed { meta l4proto }
  }`;

/** Rules for each scope. */
const each = (policy: Bwlimit, rule: (s: Scope) => string) =>
  scopesOf(policy).map((s) => `    ${rule(s)}\n`).join("");

export function chains(options: TableOptions): string {
  const { policy } = options;
  const metered = policy.sources.includes("kernel");
  const exempt = (port: "sport" | "dport") =>
    policy.exempt_ports.length
      ? `    meta l4proto { 6, 17 } th ${port} ${anyOf(policy.exempt_ports)} return\n`
      : "";
  return `
  chain totals {
    update @total { meta l4proto }
  }
` + (policy.mode === "enforce" ? parting(policy) + refusing(options, exempt("dport")) : "") + `
  chain out {
    type filter hook postrouting priority filter; policy accept;
    oifname "lo" return
    fib daddr type { broadcast, multicast } return
    ip6 daddr fe80::/10 return
    ip daddr @allow4 return
    ip6 daddr @allow6 return
${exempt("sport")}${policy.mode === "enforce" ? outgoing(policy) : ""}${
    metered ? each(policy, ({ id, family }) => `meta nfproto ipv${family} jump meter_${id}`) : ""
  }    goto totals
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
    each(policy, (s) => `${s.destination} @ban_${s.id} goto parting_${s.id}`) +
    each(policy, (s) => `${s.destination} @block_${s.id} goto parting_${s.id}`) +
    policy.cap.flatMap(({ name }) => [
      `    ip daddr @cap_${name}_4 limit name "cap_${name}" drop\n`,
      `    ip6 daddr @cap_${name}_6 limit name "cap_${name}" drop\n`,
    ]).join("") + each(policy, slow);
}

/** The largest packet that is worth an acknowledgement: an Ethernet frame, a jumbo one too, nothing merged. */
const PARTING_PACKET = 9000;

/**
 * What still goes to blocked clients. A client that only waits for data sends nothing that could be reset:
 * it would wait for ever. So of each of its connections a packet a second goes on, of which its kernel has
 * to acknowledge the first: that is reset, and as it knows no such connection any more, so is the next on
 * the server's side. All in all these packets stay below what may pass a limit; a container's connections
 * end in no other way, the host's own are ended by ss(8) as well.
 */
const parting = (policy: Bwlimit): string =>
  scopesOf(policy).map(({ id, family, destination: key }) => `
  chain parting_${id} {
    tcp flags & (syn|rst|ack) == ack meta length <= ${PARTING_PACKET} update @parting${family} { ${
    family === 4 ? "ip" : "ip6"
  } daddr . tcp dport limit rate 1/second burst 1 packets } add @parting_${id} { ${key} } goto totals
    goto refused_out
  }
`).join("");

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
