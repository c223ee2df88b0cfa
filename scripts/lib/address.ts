/** IP addresses as text. (`isIP` of node:net takes 15 ms to load, at every start of every script.) */

/**
 * An IP address in the one form that all its spellings have (RFC 5952, as URLs write it); `undefined`
 * where it is none.
 */
export function canonicalAddress(address: string): { address: string; family: 4 | 6 } | undefined {
  const four = /^\d{1,3}(?:\.\d{1,3}){3}$/.test(address);
  if (!four && !/^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/.test(address)) return undefined;
  try {
    const { hostname } = new URL(`http://${four ? address : `[${address}]`}/`);
    if (four) return hostname === address ? { address, family: 4 } : undefined;
    return { address: hostname.slice(1, -1), family: 6 };
  } catch {
    return undefined;
  }
}

/** The family of an address that is one. */
export const familyOf = (address: string): 4 | 6 => address.includes(":") ? 6 : 4;

/** True for an address, or one with the length of a prefix that its family has. */
export function isNetwork(text: string): boolean {
  const [address, prefix = "0"] = text.split("/"), family = canonicalAddress(address)?.family;
  return family !== undefined && Number(prefix) <= (family === 4 ? 32 : 128);
}
