/**
 * `state/statcat/hub.json`: what the hub leaves for the server, every ten seconds and when it starts: where
 * it listens, and what `/metrics` shows of it. Times are epoch seconds in UTC. No address of a client.
 */
import { isInterfaceName, isSpokeName, type Rates } from "./stats.ts";

/** An interface of a spoke. */
export interface HubInterface {
  name: string;
  /** As last heard, a second. */
  rates: Rates;
  /** Since it was first heard of; what was measured, gaps left out. */
  total: Rates;
}

/** A hub. */
export interface HubState {
  v: 1;
  time: number;
  startedAt: number;
  /** Where it listens. */
  hostname: string;
  port: number;
  rssBytes: number;
  /** Listeners of `/sse`, those turned away, and events that slow ones did not get. */
  clients: number;
  clientsRefused: number;
  eventsSkipped: number;
  /** What was refused of spokes, by why. */
  refused: Record<string, number>;
  spokes: { id: string; heard: number; connected: boolean; interfaces: HubInterface[] }[];
}

const isAmount = (n: unknown): n is number => typeof n === "number" && n >= 0 && n <= 1e18;
const RATES = ["rxBytes", "txBytes", "rxPackets", "txPackets"] as const;
const isRates = (rates: Rates) => RATES.every((key) => isAmount(rates[key]));

/** A hub's state from its text; `undefined` where it is damaged or of another version. */
export function readHubState(text: string): HubState | undefined {
  try {
    const s = JSON.parse(text) as HubState;
    const amounts = [s.time, s.startedAt, s.port, s.rssBytes, s.clients, s.clientsRefused];
    const good = s.v === 1 && typeof s.hostname === "string" && s.port < 65536 &&
      [...amounts, s.eventsSkipped, ...Object.values(s.refused)].every(isAmount) &&
      s.spokes.every((spoke) =>
        isSpokeName(spoke.id) && isAmount(spoke.heard) && typeof spoke.connected === "boolean" &&
        spoke.interfaces.every((i) =>
          isInterfaceName(i.name) && isRates(i.rates) && isRates(i.total)
        )
      );
    return good ? s : undefined;
  } catch {
    return undefined;
  }
}
