/** Whether both sources count the same. */
import { formatDuration } from "../../formats/units.ts";

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
