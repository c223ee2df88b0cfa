/** Addresses and networks, and the four scopes in which traffic is counted. Pure. */
import ipaddr from "ipaddr.js";
import type { Bwlimit, Kind } from "../lib/limits.ts";

/** What one set of counters is about: whom a key stands for. */
export interface Scope {
  id: ScopeId;
  family: 4 | 6;
  kind: "client" | "network";
  /** Length of the prefix that its keys have. */
  prefix: number;
  /** The type of its keys in nft, and how nft gets one from a packet's addresses. */
  type: "ipv4_addr" | "ipv6_addr";
  destination: string;
  source: string;
}
export type ScopeId = "c4" | "c6" | "n4" | "n6";

const scope = (id: ScopeId, prefix: number, mask: string): Scope => {
  const family = id.endsWith("4") ? 4 : 6, ip = family === 4 ? "ip" : "ip6";
  return {
    id,
    family,
    kind: id.startsWith("c") ? "client" : "network",
    prefix,
    type: `ipv${family}_addr`,
    destination: `${ip} daddr${mask}`,
    source: `${ip} saddr${mask}`,
  };
};

/** A client is an address, in IPv6 a /64: its owner has 2^64 of them. A network is the next wider unit. */
export const SCOPES: Scope[] = [
  scope("c4", 32, ""),
  scope("c6", 64, " & ffff:ffff:ffff:ffff::"),
  scope("n4", 24, " & 255.255.255.0"),
  scope("n6", 48, " & ffff:ffff:ffff::"),
];

/** The scopes that a configuration limits. */
export const scopesOf = (policy: Bwlimit): Scope[] => SCOPES.filter((s) => policy[s.kind]);

/** What a configuration says about a scope that it limits. */
export const kindOf = (policy: Bwlimit, scope: Scope): Kind => policy[scope.kind]!;

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** An address from its text, IPv4 where it is mapped into IPv6; `undefined` where it is none. */
export function parseAddress(text: string): Address | undefined {
  // "1", "0x7f.1" and other spellings of inet_aton(3) are no addresses here.
  if (!text.includes(":") && !ipaddr.IPv4.isValidFourPartDecimal(text)) return undefined;
  return ipaddr.isValid(text) && !text.includes("%") ? ipaddr.process(text) : undefined;
}

/** A network: its first address and the length of its prefix. */
export interface Network {
  address: Address;
  prefix: number;
}

/** A network from an address or `ADDRESS/PREFIX`, host bits cleared; `undefined` where it is none. */
export function parseNetwork(text: string): Network | undefined {
  const [host, length, ...more] = text.split("/");
  const address = parseAddress(host);
  if (!address || more.length) return undefined;
  const bits = address.kind() === "ipv4" ? 32 : 128;
  const prefix = length === undefined ? bits : Number(length);
  if (length !== undefined && !/^\d{1,3}$/.test(length) || prefix > bits) return undefined;
  return { address: masked(address, prefix), prefix };
}

function masked(address: Address, prefix: number): Address {
  const bytes = address.toByteArray();
  for (let i = 0; i < bytes.length; i++) {
    const keep = Math.min(8, Math.max(0, prefix - 8 * i));
    bytes[i] &= 0xff << (8 - keep);
  }
  return ipaddr.fromByteArray(bytes);
}

/** An address as nft and people write it (RFC 5952). */
export const formatAddress = (address: Address): string =>
  address.kind() === "ipv4" ? address.toString() : (address as ipaddr.IPv6).toRFC5952String();

/** A network as nft and people write it. */
export const formatNetwork = ({ address, prefix }: Network): string =>
  prefix === (address.kind() === "ipv4" ? 32 : 128)
    ? formatAddress(address)
    : `${formatAddress(address)}/${prefix}`;

/** The family of an address. */
export const familyOf = (address: Address): 4 | 6 => address.kind() === "ipv4" ? 4 : 6;

/** True if `address` lies in one of `networks`. */
export const lieIn = (address: Address, networks: Network[]): boolean =>
  networks.some((n) => n.address.kind() === address.kind() && address.match(n.address, n.prefix));

/** Networks without those that lie in another one, and each once: what an interval set of nft takes. */
export function disjoint(networks: Network[]): Network[] {
  const wide = networks.toSorted((a, b) => a.prefix - b.prefix);
  return wide.filter((n, i) =>
    !wide.slice(0, i).some((w) =>
      w.address.kind() === n.address.kind() && n.address.match(w.address, w.prefix)
    )
  );
}

/** A client or network as the sets know it: `c4 192.0.2.7`. */
export type Id = `${ScopeId} ${string}`;

/** The id of an address in a scope. */
export const idOf = (scope: Scope, address: Address): Id =>
  `${scope.id} ${formatAddress(masked(address, scope.prefix))}`;

/** Scope and key of an id. */
export function splitId(id: Id): { scope: Scope; key: string } {
  const [name, key] = id.split(" ");
  return { scope: SCOPES.find((s) => s.id === name)!, key };
}

/** An id for people: `192.0.2.7`, `2001:db8::/64`. */
export function showId(id: Id): string {
  const { scope, key } = splitId(id);
  return scope.id === "c4" ? key : `${key}/${scope.prefix}`;
}

/** The id that an address or network of one of the scopes' lengths stands for. An IPv6 address means its /64. */
export function idOfText(text: string, scopes = SCOPES): Id | undefined {
  const network = parseNetwork(text);
  if (!network) return undefined;
  const family = familyOf(network.address);
  const prefix = network.prefix === 128 ? 64 : network.prefix;
  const found = scopes.find((s) => s.family === family && s.prefix === prefix);
  return found && idOf(found, network.address);
}
