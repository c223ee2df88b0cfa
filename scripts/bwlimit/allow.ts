/** The allow-list: networks, host names that are looked up again and again, and what operators added. */
import { lookup } from "node:dns/promises";
import { count } from "../../formats/units.ts";
import { formatNetwork, lieIn, type Network, parseAddress, parseNetwork } from "./address.ts";

/** Looks a name up, as the system does (hosts(5), DNS). */
export type Resolve = (host: string) => Promise<string[]>;

export const resolveHost: Resolve = async (host) =>
  (await lookup(host, { all: true })).map((found) => found.address);

/** What the host names last were. */
export type Resolved = { [host: string]: string[] };

/** A name server that is silent holds nobody up for longer. */
const LOOKUP_MS = 5000;

/** The networks of an allow-list, its names as they last were. */
export const networksOf = (entries: string[], resolved: Resolved): Network[] =>
  entries.flatMap((entry) => parseNetwork(entry) ?? (resolved[entry] ?? []).map(parseNetwork))
    .filter((network) => network !== undefined);

/** An answer, or an error after {@linkcode LOOKUP_MS}. */
async function inTime(answer: Promise<string[]>): Promise<string[]> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`no answer within ${LOOKUP_MS / 1000} s`);
    timer = setTimeout(reject, LOOKUP_MS, error);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What an allow-list works with. */
export interface AllowOptions {
  /** All that is on it now. */
  entries: () => string[];
  resolved: Resolved;
  resolve?: Resolve;
  warn: (text: string) => void;
}

/**
 * The allow-list of a run. A name that cannot be looked up keeps the addresses that it had: a name server
 * that is down must not lock a partner out.
 */
export class AllowList {
  networks: Network[] = [];
  /** Names that could not be looked up the last time, and why. */
  private readonly failing = new Map<string, string>();

  constructor(private readonly options: AllowOptions) {}

  /** Takes in what is on it and what is known of the names; true where that changed anything. */
  refresh(): boolean {
    const networks = networksOf(this.options.entries(), this.options.resolved);
    const text = (all: Network[]) => all.map(formatNetwork).sort().join();
    const changed = text(networks) !== text(this.networks);
    this.networks = networks;
    return changed;
  }

  /** Looks all names up. What fails is said once, until it works again or fails in another way. */
  async lookUp(): Promise<void> {
    const names = this.options.entries().filter((entry) => !parseNetwork(entry));
    for (const name of this.failing.keys()) if (!names.includes(name)) this.failing.delete(name);
    await Promise.all(names.map((name) => this.lookUpOne(name)));
  }

  private async lookUpOne(name: string) {
    const { resolved, resolve = resolveHost, warn } = this.options;
    try {
      const found = (await inTime(resolve(name))).filter((address) => parseAddress(address));
      if (found.length === 0) throw new Error("it has no address");
      resolved[name] = found.sort();
      if (this.failing.delete(name)) warn(`allow: ${name} can be looked up again`);
    } catch (error) {
      const why = (error as Error).message, kept = resolved[name];
      if (this.failing.get(name) === why) return;
      this.failing.set(name, why);
      warn(
        `allow: cannot look up ${name} (${why}); ` +
          (kept ? `${kept.join(", ")} stay allowed` : "it is not allowed yet"),
      );
    }
  }

  /** What an operator should know of it; it names nobody. */
  get alarm(): string | undefined {
    if (this.failing.size === 0) return undefined;
    return `${count(this.failing.size, "name")} of the allow-list cannot be looked up, and keep ` +
      "the addresses that they had. See the log, and try: getent hosts NAME";
  }

  /** True for who is never touched. */
  has(address: Network["address"]): boolean {
    return lieIn(address, this.networks);
  }
}
