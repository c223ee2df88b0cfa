/// <reference lib="deno.unstable" />
/** The second source: flows that an exporter sends, counted in windows of their own. */
import ipaddr from "ipaddr.js";
import type { CollectorStatus } from "../../formats/bwlimit.ts";
import { formatDuration } from "../../formats/units.ts";
import { Failure } from "../lib/cli.ts";
import type { Bwlimit } from "../lib/limits.ts";
import {
  familyOf,
  type Id,
  idOf,
  kindOf,
  lieIn,
  type Network,
  parseAddress,
  parseNetwork,
  type Scope,
  scopesOf,
  splitId,
} from "./address.ts";
import type { Action, Engine } from "./engine.ts";
import { Decoder, type Flow } from "./flowpacket.ts";
import { type Bytes, none, plus, Rolling, sum } from "./rolling.ts";
import { shares } from "./shares.ts";

/** Somebody far from any limit: bytes since then. */
interface Distant {
  bytes: Bytes;
  since: number;
}

/** What flows have been counted. Time is an argument: epoch seconds. */
export class Flows {
  /** Those who are near enough to a limit to be counted in windows. */
  readonly windows = new Map<Id, Rolling[]>();
  private readonly distant = new Map<Id, Distant>();
  private readonly scopes: Scope[];
  /** Somebody could not be counted any more. */
  full = false;
  private tidiedAt = 0;
  /** All that was counted. */
  total: Bytes = none();

  constructor(private readonly policy: Bwlimit) {
    this.scopes = scopesOf(policy);
  }

  get size(): number {
    return this.windows.size + this.distant.size;
  }

  /** Counts a flow to a client. */
  count(destination: ipaddr.IPv4 | ipaddr.IPv6, bytes: Bytes, now: number) {
    this.total = plus(this.total, bytes);
    for (const scope of this.scopes) {
      if (scope.family === familyOf(destination)) {
        this.add(scope, idOf(scope, destination), bytes, now);
      }
    }
  }

  private add(scope: Scope, id: Id, bytes: Bytes, now: number) {
    const windows = this.windows.get(id);
    if (windows) return windows.forEach((w) => w.add(bytes, now));
    const { watch, longest } = shares(this.policy, scope);
    let distant = this.distant.get(id);
    if (!distant || now - distant.since > longest) {
      if (!distant && this.distant.size >= this.policy.destinations) return void (this.full = true);
      distant = { bytes: none(), since: now };
      this.distant.set(id, distant);
    }
    distant.bytes = plus(distant.bytes, bytes);
    if (sum(distant.bytes) <= watch) return;
    this.distant.delete(id);
    const fresh = kindOf(this.policy, scope).limit.map((l) => new Rolling(l.seconds));
    fresh.forEach((w) => w.add(distant.bytes, now));
    this.windows.set(id, fresh);
  }

  /** The share of the fullest window, 1 being the limit. */
  share(id: Id): number {
    const windows = this.windows.get(id), { limit } = kindOf(this.policy, splitId(id).scope);
    if (!windows) return 0;
    return Math.max(...windows.map((w, i) => sum(w.total()) / limit[i].bytes));
  }

  /** Who is past a limit is refused, who is past its share is slowed down: in the kernel's sets. */
  judge(engine: Engine, now: number): Action[] {
    if (now - this.tidiedAt > 60) this.tidy(now);
    const actions: Action[] = [];
    for (const [id, windows] of this.windows) {
      windows.forEach((w) => w.expire(now));
      if (windows.every((w) => w.parts.length === 0)) {
        this.windows.delete(id);
        continue;
      }
      const client = engine.memory.clients.get(id);
      if (client?.ban) continue;
      const share = this.share(id),
        { scope } = splitId(id),
        { throttle } = kindOf(this.policy, scope);
      if (share > 1) {
        const kept = engine.client(id);
        kept.windows.forEach((w, i) =>
          w.parts.splice(0, Infinity, ...structuredClone(windows[i].parts))
        );
        actions.push(...engine.offend(id, kept, engine.reason(id, kept), "ipfix", now));
        this.windows.delete(id);
      } else if (throttle && share > throttle.percent / 100) {
        if (client?.slowSince === undefined) {
          actions.push({ do: "slow", id, seconds: shares(this.policy, scope).shortest });
        }
      }
    }
    return actions;
  }

  /** Forgets who has left all windows. */
  private tidy(now: number) {
    this.tidiedAt = now;
    this.full = false;
    for (const [id, { since }] of this.distant) {
      if (now - since > shares(this.policy, splitId(id).scope).longest) this.distant.delete(id);
    }
  }
}

/** What a collector needs. */
export interface CollectorOptions {
  policy: Bwlimit;
  /** The mirror's own addresses: a flow that does not come from them is no download. */
  servers: Network[];
  isAllowed: (address: ipaddr.IPv4 | ipaddr.IPv6) => boolean;
  now?: () => number;
}

/** Receives flows over UDP. */
export class Collector implements AsyncDisposable {
  readonly flows: Flows;
  private readonly decoder: Decoder;
  private readonly exporters: Network[];
  private readonly socket: Deno.DatagramConn;
  private readonly receiving: Promise<void>;
  private refused = 0;
  private readonly now: () => number;

  constructor(private readonly options: CollectorOptions) {
    const { hostname, port, sampling, exporters } = options.policy.ipfix;
    this.flows = new Flows(options.policy);
    this.decoder = new Decoder(sampling);
    this.now = options.now ?? (() => Date.now() / 1000);
    this.exporters = exporters.map((e) => parseNetwork(e)!);
    try {
      // Measured, 60,000 packets as fast as they come: it takes 20,000 of them where node:dgram takes 500.
      this.socket = Deno.listenDatagram({ hostname, port, transport: "udp" });
    } catch (error) {
      throw new Failure(
        `Cannot listen for IPFIX at ${hostname} port ${port}: ${(error as Error).message}`,
        "Set hostname and port in [bwlimit.ipfix] to an address of this machine and a port that is free.",
      );
    }
    this.receiving = this.receive();
  }

  private async receive() {
    const buffer = new Uint8Array(65_536);
    for (;;) {
      let packet: Uint8Array, from: Deno.Addr;
      try {
        [packet, from] = await this.socket.receive(buffer);
      } catch (error) {
        if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) {
          return;
        }
        continue;
      }
      this.take(packet, (from as Deno.NetAddr).hostname);
    }
  }

  /** Takes in one packet from an exporter. */
  take(packet: Uint8Array, from: string) {
    const address = parseAddress(from);
    if (this.exporters.length && !(address && lieIn(address, this.exporters))) {
      this.refused++;
      return;
    }
    for (const flow of this.decoder.decode(packet, from)) this.count(flow);
  }

  private count({ source, destination, protocol, sourcePort, bytes }: Flow) {
    const { policy, servers, isAllowed } = this.options;
    const from = addressOf(source), to = addressOf(destination);
    if (!lieIn(from, servers) || isAllowed(to) || policy.exempt_ports.includes(sourcePort)) return;
    const counted: Bytes = protocol === 6
      ? [bytes, 0, 0]
      : protocol === 17
      ? [0, bytes, 0]
      : [0, 0, bytes];
    this.flows.count(to, counted, this.now());
  }

  status(): CollectorStatus {
    const { packets, flows, bytes, lost, refused, untold } = this.decoder.counts;
    return {
      packets: packets + this.refused,
      flows,
      bytes,
      lost,
      refused: refused + this.refused,
      untold,
    };
  }

  async [Symbol.asyncDispose]() {
    this.socket.close();
    await this.receiving;
  }
}

function addressOf(bytes: Uint8Array): ipaddr.IPv4 | ipaddr.IPv6 {
  const address = ipaddr.fromByteArray([...bytes]);
  return address.kind() === "ipv6" && (address as ipaddr.IPv6).isIPv4MappedAddress()
    ? (address as ipaddr.IPv6).toIPv4Address()
    : address;
}

/** This machine's own addresses, but for those that nobody else can reach. */
export function ownAddresses(): Network[] {
  return Deno.networkInterfaces().map((i) => parseNetwork(i.address)).filter((n) => n !== undefined)
    .filter((n) => !["loopback", "linkLocal"].includes(n.address.range()));
}

/**
 * By how much two sources that counted the same differ, as a share of the larger; `undefined` where there
 * is too little to say so. Flows come late, by the exporter's timeouts, so both are to be compared over a
 * time that is long to that.
 */
export function difference(
  kernel: number,
  flows: number,
  least = 64 * 1024 ** 2,
): number | undefined {
  const most = Math.max(kernel, flows);
  return most < least ? undefined : Math.abs(kernel - flows) / most;
}

/** A difference that is no longer rounding and delay. */
const MOST = 0.02;

/** Compares what both sources have counted, once in each `span` (seconds). */
export class Comparison {
  difference: number | null = null;
  /** What an operator should do about it. */
  alarm?: string;
  private before?: { at: number; kernel: number; flows: number };

  constructor(private readonly span: number) {}

  /** Takes both totals; true where there is news. */
  look(kernel: number, flows: number, now: number): boolean {
    const { before } = this;
    if (before && now - before.at < this.span) return false;
    this.before = { at: now, kernel, flows };
    const found = before && difference(kernel - before.kernel, flows - before.flows);
    if (found === undefined) return false;
    this.difference = found;
    this.alarm = found > MOST
      ? `The kernel and the flows of the exporters differ by ${
        (found * 100).toFixed(1)
      } % within ` +
        `${
          formatDuration(this.span)
        }. Look at lost and untold of the collector in /status.json, and ` +
        "whether the exporter sees all interfaces; its timeouts should be short to that time."
      : undefined;
    return true;
  }
}
