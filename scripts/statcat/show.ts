/** What the history and the live events look like in a terminal. Pure. */
import { type LiveEvent, type Series, SPANS, type Traffic } from "../../formats/stats.ts";
import { formatBitRate, formatBytes, formatNumber } from "../../formats/units.ts";
import type { Period } from "./periods.ts";

const BARS = "▁▂▃▄▅▆▇█";

/** Numbers as bars, the highest full; a gap where nothing was measured. `width` characters at most. */
export function sparkline(row: (number | null)[], width: number): string {
  const per = Math.max(1, Math.ceil(row.length / width)), means: (number | null)[] = [];
  for (let i = 0; i < row.length; i += per) {
    const known = row.slice(i, i + per).filter((n) => n !== null);
    means.push(known.length ? known.reduce((a, b) => a + b, 0) / known.length : null);
  }
  const most = Math.max(...means.map((n) => n ?? 0));
  const bar = (n: number) => BARS[most > 0 ? Math.min(7, Math.floor(n / most * 8)) : 0];
  return means.map((n) => n === null ? " " : bar(n)).join("");
}

/** Columns that line up: the first to the left, the others to the right. */
function table(rows: string[][]): string[] {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) =>
    row.map((cell, i) => i ? cell.padStart(widths[i]) : cell.padEnd(widths[i])).join("  ").trimEnd()
  );
}

const UNKNOWN = "-";
const rates = (traffic: Traffic | null | undefined) =>
  traffic ? [traffic.rxBytes, traffic.txBytes].map(formatBitRate) : [UNKNOWN, UNKNOWN];

function periodRow(label: string, { rxBytes, txBytes, p95 }: Period): string[] {
  return [label, ...[rxBytes, txBytes, rxBytes + txBytes].map(formatBytes), ...rates(p95)];
}

/** One interface: the last hour as lines, days and months as a table. */
export function showInterface(
  series: Series | undefined,
  days: Period[],
  months: Period[],
): string {
  const of = days[0] ?? months[0], name = `${of.spoke}  ${of.interface}`;
  const line = (label: string, row: (number | null)[]) => {
    const known = row.filter((n) => n !== null);
    if (known.length === 0) return [];
    const highest = `highest ${formatBitRate(Math.max(...known))}`;
    return [`  ${label}  ${sparkline(row, 60)}  ${formatBitRate(known.at(-1)!)}, ${highest}`];
  };
  const head = ["", "received", "sent", "total", "p95 received", "p95 sent"];
  const rows = [head, ...[...days, ...months].map((p) => periodRow(p.period, p))];
  return [
    name,
    ...(series ? line("received", series.rxBytes) : []),
    ...(series ? line("sent    ", series.txBytes) : []),
    ...table(rows).map((row) => `  ${row}`),
  ].join("\n") + "\n";
}

/** All spokes now, as a screen that the next event replaces. */
export function showLive({ time, spokes }: LiveEvent): string {
  const packets = (n: number) => `${formatNumber(Math.round(n))}/s`;
  const rows = spokes.map((s) => [
    s.staleSeconds === null ? s.id : `${s.id} (silent for ${s.staleSeconds} s)`,
    formatBitRate(s.rxBytes),
    packets(s.rxPackets),
    formatBitRate(s.txBytes),
    packets(s.txPackets),
  ]);
  const head = ["spoke", "received", "packets", "sent", "packets"];
  const clock = new Date(time * 1000).toISOString().slice(0, 19) + "Z";
  return [clock, ...table([head, ...rows])].join("\n") + "\n";
}

/** The name of a column, and how a row of the history is written as CSV (RFC 4180; no field needs quotes). */
export const CSV_HEAD = "time,spoke,interface,seconds,rx_bytes,tx_bytes,rx_packets,tx_packets";

/** Lines of CSV. */
export function csvLine(row: Record<string, unknown>): string {
  const time = new Date(Number(row.time) * 1000).toISOString().slice(0, 19) + "Z";
  const amounts = ["rx_bytes", "tx_bytes", "rx_packets", "tx_packets"].map((key) => row[key]);
  return [time, row.spoke, row.name, Number(row.ms) / 1000, ...amounts].join(",");
}

/** The step of the history that is exported for a span. */
export const EXPORT_STEP: Record<keyof typeof SPANS, number> = {
  hour: 1,
  day: 60,
  month: 3600,
  year: 86_400,
};
