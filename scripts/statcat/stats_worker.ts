/** Reads the history for `/stats.json` in a thread of its own: the year of 200 spokes must not hold up events. */
import { DatabaseSync } from "node:sqlite";
import { type Span, SPANS, type Stats, type Totals } from "../../formats/stats.ts";
import { readTraffic, trafficToday } from "../../formats/traffic.ts";
import { firstStep, seriesOf, totalsOf } from "./periods.ts";

/** What is asked. */
export interface Question {
  history: string;
  traffic: string;
  span: Span;
  spoke: string | undefined;
  /** Epoch seconds. */
  now: number;
}

/** What comes back. */
export type Answer = { text: string } | { error: string };

/** Totals, and their percentiles above all, change slowly: they are counted this often, in seconds. */
const TOTALS_SECONDS = 60;

let db: DatabaseSync | undefined, totals: { until: number; all: Totals[] } | undefined;

/** The traffic that `statcat logs` counted, if it has. */
function trafficOf(file: string) {
  try {
    return readTraffic(Deno.readTextFileSync(file));
  } catch {
    return undefined;
  }
}

function answer({ history, traffic, span, spoke, now }: Question): string {
  db ??= new DatabaseSync(history, { readOnly: true });
  if (!totals || totals.until < now) {
    totals = { until: now + TOTALS_SECONDS, all: totalsOf(db, now) };
  }
  const stats: Stats = {
    v: 1,
    time: Math.floor(now),
    span,
    from: firstStep(span, now),
    step: SPANS[span].step,
    series: seriesOf(db, span, now, spoke),
    totals: totals.all.filter((t) => spoke === undefined || t.spoke === spoke),
    ...trafficToday(trafficOf(traffic), now),
  };
  return JSON.stringify(stats) + "\n";
}

const port = globalThis as unknown as Worker;

port.onmessage = ({ data }: MessageEvent<Question>) => {
  try {
    port.postMessage({ text: answer(data) } satisfies Answer);
  } catch (error) {
    port.postMessage({ error: String(error) } satisfies Answer);
  }
};
