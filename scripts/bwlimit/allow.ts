/** The allow-list: networks, host names that are looked up again and again, and what operators added. */
import { lookup } from "node:dns/promises";
import { type Network, parseAddress, parseNetwork } from "./address.ts";

/** Looks a name up, as the system does (hosts(5), DNS). */
export type Resolve = (host: string) => Promise<string[]>;

export const resolveHost: Resolve = async (host) =>
  (await lookup(host, { all: true })).map((found) => found.address);

/**
 * The networks of an allow-list. A name that cannot be looked up keeps the addresses that it had
 * (`resolved`, which is brought up to date): a name server that is down must not lock a partner out.
 */
export async function allowedNetworks(
  entries: string[],
  resolved: { [host: string]: string[] },
  { resolve = resolveHost, warn = () => {} }: { resolve?: Resolve; warn?: (text: string) => void },
): Promise<Network[]> {
  const networks: Network[] = [];
  await Promise.all(entries.map(async (entry) => {
    const network = parseNetwork(entry);
    if (network) return void networks.push(network);
    try {
      const found = (await resolve(entry)).filter((a) => parseAddress(a));
      if (found.length === 0) throw new Error("it has no address");
      resolved[entry] = found.sort();
    } catch (error) {
      const kept = resolved[entry];
      warn(
        `allow: cannot look up ${entry} (${(error as Error).message}); ` +
          (kept ? `${kept.join(", ")} stay allowed` : "it is not allowed yet"),
      );
    }
    networks.push(...(resolved[entry] ?? []).map((a) => parseNetwork(a)!));
  }));
  return networks;
}
