/** From a series of rates to what a chart draws and says. Pure: no browser. */
import type { Series } from "../../formats/stats.ts";

/** Rates a step; `null` where nothing was measured. */
export type Rates = (number | null)[];

/** The sum of several series, as of the interfaces of a node; a step that none has is `null`. */
export function sum(series: Series[], field: "rxBytes" | "txBytes"): Rates {
  const steps = Math.max(0, ...series.map((s) => s[field].length));
  return Array.from({ length: steps }, (_, i) => {
    const known = series.map((s) => s[field][i]).filter((n) => n !== null && n !== undefined);
    return known.length ? known.reduce((a, b) => a + b, 0) : null;
  });
}

/** The averages of every `n` steps: what is left of a series that has more steps than a screen has room. */
export function thin(rates: Rates, n: number): Rates {
  if (n === 1) return rates;
  return rowsOf(rates, rates, n).map((row) => row.sent?.mean ?? null);
}

/** Average and peak of what was measured; `null` where nothing was. */
export function summarize(rates: Rates): { mean: number; peak: number } | null {
  let total = 0, peak = 0, n = 0;
  for (const rate of rates) {
    if (rate === null) continue;
    total += rate;
    peak = Math.max(peak, rate);
    n++;
  }
  return n === 0 ? null : { mean: total / n, peak };
}

/** The end of the axis in bytes a second: the next 1, 2 or 5 with zeros, in bits a second. */
export function axisEnd(peak: number): number {
  const bits = Math.max(1000, peak * 8), power = 10 ** Math.floor(Math.log10(bits));
  return [1, 2, 5, 10].find((n) => n * power >= bits)! * power / 8;
}

/** Runs of steps that were measured: `[first, last]`. */
function runs(rates: Rates): [number, number][] {
  const found: [number, number][] = [];
  for (let i = 0; i < rates.length; i++) {
    if (rates[i] === null) continue;
    const open = found.at(-1);
    if (open && open[1] === i - 1) open[1] = i;
    else found.push([i, i]);
  }
  return found;
}

/** What an SVG path is drawn in: `width` by `height`, `end` at its top. */
export interface Frame {
  width: number;
  height: number;
  end: number;
}

const round = (n: number) => Math.round(n * 100) / 100;

/**
 * The path of a line; a gap stays a gap. A step that stands alone is drawn a step wide, or it would not be
 * seen. With `closed` it is an area down to zero.
 */
export function pathOf(rates: Rates, { width, height, end }: Frame, closed = false): string {
  const step = width / Math.max(1, rates.length);
  const x = (i: number) => round(i * step), y = (n: number) => round(height * (1 - n / end));
  return runs(rates).map(([first, last]) => {
    const points: string[] = [];
    for (let i = first; i <= last; i++) {
      points.push(`${round((i + 0.5) * step)} ${y(rates[i] as number)}`);
    }
    const edges = [
      `${x(first)} ${y(rates[first] as number)}`,
      ...points,
      `${x(last + 1)} ${y(rates[last] as number)}`,
    ];
    return closed
      ? `M${x(first)} ${height}L${edges.join("L")}L${x(last + 1)} ${height}Z`
      : `M${edges.join("L")}`;
  }).join("");
}

/** One row of the table beside the chart. */
export interface ChartRow {
  /** First step. */
  first: number;
  sent: { mean: number; peak: number } | null;
  received: { mean: number; peak: number } | null;
}

/** Both series in groups of `size` steps. */
export function rowsOf(sent: Rates, received: Rates, size: number): ChartRow[] {
  const rows: ChartRow[] = [];
  for (let first = 0; first < sent.length; first += size) {
    rows.push({
      first,
      sent: summarize(sent.slice(first, first + size)),
      received: summarize(received.slice(first, first + size)),
    });
  }
  return rows;
}
