/** The records of a name: what is there, what should be, and what to change for it. Pure. */
import { canonicalAddress, familyOf } from "../lib/address.ts";
import type { Dns } from "../lib/healthz.ts";

export const TYPES = ["A", "AAAA", "HTTPS"] as const;
export type Type = typeof TYPES[number];

/** One record, its value in the one form that all spellings have. */
export interface DnsRecord {
  type: Type;
  value: string;
}

/** What a provider holds at the name. */
export interface Held {
  /** Ours: those that may be changed. */
  ours: DnsRecord[];
  /** What somebody else put there: never touched. */
  foreign: DnsRecord[];
  /** Ours have another TTL than they should. */
  isOtherTtl: boolean;
}

/** What to do at a provider. */
export interface Plan {
  /** All of ours as they should be. */
  desired: DnsRecord[];
  add: DnsRecord[];
  remove: DnsRecord[];
  ttl: number;
  isOtherTtl: boolean;
}

/** Keeps records somewhere. Each error is a `Failure` that says what happened. */
export interface Provider {
  /** What is there now. `known` are the addresses that may be ours; `undefined` where nobody can tell. */
  read(known: Set<string>): Promise<Held | undefined>;
  /** Does what `plan` says, as it was made for `held`; twice is as good as once. */
  write(plan: Plan, held: Held): Promise<void>;
}

/** The records for some addresses: A, AAAA and, with `alpn`, one HTTPS record (RFC 9460) with hints. */
export function recordsFor(addresses: string[], alpn: string[] | undefined): DnsRecord[] {
  const of = (family: 4 | 6) => addresses.filter((a) => familyOf(a) === family).sort();
  const list: DnsRecord[] = addresses.map((value) => ({
    type: familyOf(value) === 4 ? "A" : "AAAA",
    value,
  }));
  if (alpn && addresses.length) list.push({ type: "HTTPS", value: service(alpn, of(4), of(6)) });
  return list;
}

function service(alpn: string[], four: string[], six: string[]): string {
  return [
    "1 .",
    `alpn=${alpn.join(",")}`,
    four.length ? `ipv4hint=${four.join(",")}` : "",
    six.length ? `ipv6hint=${six.join(",")}` : "",
  ].filter(Boolean).join(" ");
}

/**
 * An HTTPS record's value in the form that {@linkcode recordsFor} gives, and the addresses it hints at;
 * `undefined` where it has anything that we never write, so that it is not ours.
 */
export function readService(value: string): { value: string; hints: string[] } | undefined {
  const match = /^1 \.(?:\s+(.*))?$/.exec(value.trim());
  if (!match) return undefined;
  const parameters: Record<string, string[]> = { alpn: [], ipv4hint: [], ipv6hint: [] };
  for (const part of (match[1] ?? "").match(/\S+/g) ?? []) {
    const [, key, list] = /^(alpn|ipv4hint|ipv6hint)="?([^"]*)"?$/.exec(part) ?? [];
    if (!key) return undefined;
    parameters[key] = list.split(",");
  }
  const hints = [...parameters.ipv4hint, ...parameters.ipv6hint]
    .map((a) => canonicalAddress(a)?.address ?? a);
  const of = (family: 4 | 6) => hints.filter((a) => familyOf(a) === family).sort();
  return { value: service(parameters.alpn, of(4), of(6)), hints };
}

/** A record in its one form, from what a server says; `ours` by the addresses that may be. */
export function sort(
  type: Type,
  value: string,
  known: Set<string>,
): { record: DnsRecord; isOurs: boolean } {
  if (type === "HTTPS") {
    const read = readService(value);
    const isOurs = read !== undefined && read.hints.length > 0 &&
      read.hints.every((a) => known.has(a));
    return { record: { type, value: read?.value ?? value }, isOurs };
  }
  const address = canonicalAddress(value)?.address ?? value;
  return { record: { type, value: address }, isOurs: known.has(address) };
}

const key = ({ type, value }: DnsRecord) => `${type} ${value}`;

/** Addresses among records. */
export const addressesOf = (records: DnsRecord[]) =>
  records.filter((r) => r.type !== "HTTPS").map((r) => r.value);

/**
 * What to change so that the name has `addresses`. Throws where it would have none: whatever went wrong
 * before, the last record never goes.
 */
export function makePlan(held: Held, addresses: string[], dns: Pick<Dns, "ttl" | "alpn">): Plan {
  const desired = recordsFor(addresses, dns.alpn);
  const now = new Set(held.ours.map(key)), then = new Set(desired.map(key));
  // What somebody else has put there is there already.
  const there = new Set([...now, ...held.foreign.map(key)]);
  for (const type of ["A", "AAAA"] as const) {
    const has = (list: DnsRecord[]) => list.some((r) => r.type === type);
    if (has(held.ours) && addresses.length === 0) {
      throw new Error(`A plan without any address was made; this is a bug. It had ${type}.`);
    }
  }
  return {
    desired,
    add: desired.filter((r) => !there.has(key(r))),
    remove: held.ours.filter((r) => !then.has(key(r))),
    ttl: dns.ttl,
    isOtherTtl: held.isOtherTtl,
  };
}

/** Whether a plan changes anything. */
export const isIdle = (plan: Plan) =>
  plan.add.length === 0 && plan.remove.length === 0 && !plan.isOtherTtl;

/** A plan as a person reads it, a line a change. */
export function showPlan(name: string, plan: Plan): string[] {
  const line = (sign: string) => ({ type, value }: DnsRecord) =>
    `${sign} ${name}. ${plan.ttl} IN ${type} ${value}`;
  const lines = [...plan.add.map(line("+")), ...plan.remove.map(line("-"))];
  return plan.isOtherTtl ? [...lines, `~ ${name}. the TTL becomes ${plan.ttl}`] : lines;
}
