/// <reference lib="deno.unstable" />
/** The second source: flows that an exporter sends, counted in windows of their own. */
import ipaddr from "ipaddr.js";
import type { CollectorStatus } from "../../formats/bwlimit.ts";
import { Failure } from "../lib/cli.ts";
import type { Bwlimit } from "../lib/limits.ts";
import { lieIn, type Network, parseAddress, parseNetwork } from "./address.ts";
import { Flows } from "./flows.ts";
import { Decoder, type Flow } from "./flowpacket.ts";
import type { Bytes } from "./rolling.ts";

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
