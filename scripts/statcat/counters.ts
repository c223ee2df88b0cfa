/** What passed the interfaces of this machine, from the kernel's counters in sysfs. */
import { join } from "@std/path/posix";
import type { Row, Sample } from "./sample.ts";

/** An interface's counters at a moment: bytes received and sent, packets received and sent. */
export interface Counters {
  /** Another one means that the interface was made anew, and its counters began at 0. */
  index: number;
  values: [number, number, number, number];
}

const FILES = ["rx_bytes", "tx_bytes", "rx_packets", "tx_packets"];
const WRAP = 2 ** 32;
/** Where the kernel does not know a link's speed (virtual ones), a wrap is believed up to this, bit/s. */
const UNKNOWN_SPEED = 1e9;

/**
 * What was counted between two moments, or `undefined` where that cannot be known. A counter that fell has
 * either begun anew, then nothing is known of this interval, or passed 2^32 (counters of 32-bit kernels
 * and of some drivers), which is believed only of what the link can carry: so there is no spike.
 */
export function difference(
  old: Counters,
  now: Counters,
  ms: number,
  bitsPerSecond = UNKNOWN_SPEED,
): Counters["values"] | undefined {
  if (old.index !== now.index) return undefined;
  const most = bitsPerSecond / 8 * (ms / 1000) * 1.1;
  const deltas = now.values.map((value, i) => {
    const delta = value - old.values[i];
    if (delta >= 0) return delta;
    const wrapped = delta + WRAP;
    // The smallest frame of Ethernet has 64 bytes.
    return old.values[i] < WRAP && wrapped >= 0 && wrapped <= (i < 2 ? most : most / 64)
      ? wrapped
      : NaN;
  });
  return deltas.some(Number.isNaN) ? undefined : deltas as Counters["values"];
}

/**
 * The interface of the default route by the kernel's tables (/proc/net/route and ipv6_route): IPv4's goes
 * first, then the lowest metric. One only: a tunnel's traffic passes the interface below it as well. Pure.
 */
export function defaultRoute(ipv4: string, ipv6: string): string | undefined {
  const fields = (text: string) => text.split("\n").map((line) => line.trim().split(/\s+/));
  const four = fields(ipv4).filter((f) => f[1] === "00000000" && f[7] === "00000000")
    .map((f) => ({ name: f[0], metric: Number(f[6]) }));
  const six = fields(ipv6).filter((f) => /^0{32}$/.test(f[0]) && f[1] === "00" && f[9] !== "lo")
    .map((f) => ({ name: f[9], metric: parseInt(f[5], 16) }));
  return [four, six].map((r) => r.sort((a, b) => a.metric - b.metric)[0]).find((r) => r)?.name;
}

/** Where the kernel shows its counters and routes; a test has its own. */
export interface Kernel {
  sysfs: string;
  /** The interface of the default route. */
  route: () => string | undefined;
  /** Milliseconds, monotonic. Linux stops it while the machine sleeps, and so do the counters. */
  clock: () => number;
  /** Epoch milliseconds. */
  wall: () => number;
}

const readOr = (path: string, otherwise: string) => {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return otherwise;
  }
};

export const KERNEL: Kernel = {
  sysfs: "/sys/class/net",
  route: () => defaultRoute(readOr("/proc/net/route", ""), readOr("/proc/net/ipv6_route", "")),
  clock: () => performance.now(),
  wall: () => Date.now(),
};

/** How often it is asked which interface has the default route, in samples. */
const ROUTE_EVERY = 30;

/** Takes samples, about one a second. */
export class Sampler {
  #last = new Map<string, Counters>();
  #at: number | undefined;
  #seq = 0;
  #route: string[] = [];
  #asked = 0;

  /** Without `names`, the interface that has the default route at the time. */
  constructor(private readonly names: string[] = [], private readonly kernel: Kernel = KERNEL) {}

  /** What passed since the last call; `undefined` the first time. Interfaces that are not there are left out. */
  sample(): Sample | undefined {
    const { clock, wall } = this.kernel;
    const now = clock(), before = this.#at, rows: Row[] = [];
    const ms = now - (before ?? now);
    for (const name of this.#interfaces()) {
      const counters = this.#read(name), old = this.#last.get(name);
      if (counters === undefined) this.#last.delete(name);
      else this.#last.set(name, counters);
      if (!counters || !old || ms <= 0) continue;
      const fell = counters.values.some((value, i) => value < old.values[i]);
      const passed = difference(old, counters, ms, fell ? this.#speed(name) : undefined);
      if (passed) rows.push([name, ...passed]);
    }
    this.#at = now;
    // It is of the second that has just ended.
    const time = Math.round(wall() / 1000) - 1;
    return before === undefined ? undefined : { seq: ++this.#seq, time, ms, rows };
  }

  #interfaces(): string[] {
    if (this.names.length) return this.names;
    if (this.#asked++ % ROUTE_EVERY === 0) this.#route = [this.kernel.route() ?? []].flat();
    return this.#route;
  }

  #read(name: string): Counters | undefined {
    const { sysfs } = this.kernel;
    try {
      const number = (file: string) => {
        const value = Number(Deno.readTextFileSync(join(sysfs, name, file)));
        if (!Number.isFinite(value) || value < 0) throw new TypeError(`${file} is no counter`);
        return value;
      };
      const values = FILES.map((file) => number(`statistics/${file}`));
      return { index: number("ifindex"), values: values as Counters["values"] };
    } catch {
      // It went away, also halfway through.
      return undefined;
    }
  }

  /** Bit/s of a link, where the kernel knows. */
  #speed(name: string): number | undefined {
    const mbits = Number(readOr(join(this.kernel.sysfs, name, "speed"), "-1"));
    return mbits > 0 ? mbits * 1e6 : undefined;
  }
}
