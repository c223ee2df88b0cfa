/** What the hub knows: who speaks, how fast, and what was refused. It has no port and no clock of its own. */
import { type LiveEvent, MAX_SPOKES, type Rates, type SpokeRates } from "../../formats/stats.ts";
import type { History } from "./history.ts";
import { readMessage, type Sample } from "./sample.ts";

/** Why something was refused; counted by these, and never kept. */
export const REFUSALS = [
  "unauthorized",
  "malformed",
  "oversized",
  "impersonating",
  "too_many",
  "untimely",
] as const;
export type Refusal = typeof REFUSALS[number];

/** A spoke silent for this long is stale, and after {@linkcode GONE_SECONDS} gone. */
export const STALE_SECONDS = 5;
export const GONE_SECONDS = 600;

/** A clock that is wrong by more than this, in seconds, is corrected by what the hub's own says. */
const CLOCK_TOLERANCE = 1.5;
/** Samples may be this late: a spoke keeps a quarter of an hour. */
const MAX_LATE = 1000;

/** Messages a second that a spoke may send, and how many at once. */
const RATE = 3, BURST = 12;

/** A spoke as the hub sees it. */
interface Spoke {
  rates: Rates;
  /** Rates by interface. */
  interfaces: Map<string, Rates>;
  /** Epoch seconds. */
  heard: number;
  /** Messages that it may send now. */
  allowance: number;
}

const NOTHING: Rates = { rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0 };

/** The rates of a sample, by interface and in all. */
function ratesOf({ ms, rows }: Sample): Pick<Spoke, "rates" | "interfaces"> {
  const seconds = ms / 1000, interfaces = new Map<string, Rates>();
  const rates = { ...NOTHING };
  for (const [name, ...amounts] of rows) {
    const [rxBytes, txBytes, rxPackets, txPackets] = amounts.map((n) => n / seconds);
    interfaces.set(name, { rxBytes, txBytes, rxPackets, txPackets });
    rates.rxBytes += rxBytes;
    rates.txBytes += txBytes;
    rates.rxPackets += rxPackets;
    rates.txPackets += txPackets;
  }
  return { rates, interfaces };
}

/** The state of all spokes. Times are epoch seconds with fractions. */
export class Hub {
  readonly refused: Record<Refusal, number> = Object.fromEntries(
    REFUSALS.map((reason) => [reason, 0]),
  ) as Record<Refusal, number>;
  readonly spokes = new Map<string, Spoke>();

  constructor(private readonly history: History) {}

  /** Counts a refusal. */
  refuse(reason: Refusal): Refusal {
    this.refused[reason]++;
    return reason;
  }

  /** Takes a frame of a spoke whose token was good. Gives why it was refused, or `undefined`. */
  take(id: string, text: string, now: number): Refusal | undefined {
    const known = this.spokes.get(id);
    const allowance = known
      ? Math.min(BURST, known.allowance + Math.max(0, now - known.heard) * RATE)
      : BURST;
    if (allowance < 1) return this.refuse("too_many");
    const message = readMessage(text);
    if (!message) return this.refuse("malformed");
    if (message.spoke !== id) return this.refuse("impersonating");
    if (!known && this.spokes.size >= MAX_SPOKES) return this.refuse("too_many");
    const wrong = now - message.clock;
    const offset = Math.abs(wrong) > CLOCK_TOLERANCE ? Math.round(wrong) : 0;
    const timely = ({ time }: Sample) => time > now - MAX_LATE && time < now + CLOCK_TOLERANCE;
    const samples = message.samples.map((s) => ({ ...s, time: s.time + offset })).filter(timely);
    // A spoke whose clock was set has some of these; they are left out, and it goes on.
    if (samples.length < message.samples.length) this.refuse("untimely");
    this.history.add(id, message.session, samples);
    const last = samples.at(-1);
    this.spokes.set(id, {
      ...(last ? ratesOf(last) : { rates: NOTHING, interfaces: new Map(), ...known }),
      heard: now,
      allowance: allowance - 1,
    });
    return undefined;
  }

  /** Forgets a spoke, as its token was taken away. */
  forget(id: string): void {
    this.spokes.delete(id);
  }

  /** All spokes as they are now; who is gone for long is forgotten. */
  event(now: number): LiveEvent {
    const spokes: SpokeRates[] = [];
    for (const [id, { rates, heard }] of this.spokes) {
      const silent = now - heard;
      if (silent >= GONE_SECONDS) this.forget(id);
      else {
        const staleSeconds = silent >= STALE_SECONDS ? Math.floor(silent) : null;
        spokes.push({ id, ...rates, staleSeconds });
      }
    }
    spokes.sort((a, b) => a.id < b.id ? -1 : 1);
    return { time: Math.floor(now), spokes };
  }
}
