/** What the history says: series on a fixed grid, totals of days and months, and the 95th percentile. */
import type { DatabaseSync } from "node:sqlite";
import {
  type Rates,
  type Series,
  type Span,
  SPANS,
  type Totals,
  type Traffic,
} from "../../formats/stats.ts";

/** Which level of the history a span is read from. */
const LEVEL_OF: Record<Span, number> = { hour: 1, day: 60, month: 3600, year: 86_400 };

const month = (epochSeconds: number) => new Date(epochSeconds * 1000).toISOString().slice(0, 7);

/** Epoch seconds at which a month such as `2026-11` begins and ends, in UTC. */
export function monthBounds(name: string): [from: number, to: number] {
  const [year, number] = name.split("-").map(Number);
  return [Date.UTC(year, number - 1) / 1000, Date.UTC(year, number) / 1000];
}

/** The start of the first step of a span that ends now. */
export function firstStep(span: Span, now: number): number {
  const { seconds, step } = SPANS[span];
  return Math.floor(now / step) * step - seconds + step;
}

const AMOUNTS = ["rx_bytes", "tx_bytes", "rx_packets", "tx_packets"];

/** Numbers of a row of SQLite; sums of integers come as such. */
const numbers = (row: Record<string, unknown>, ...keys: string[]) =>
  keys.map((k) => Number(row[k]));

function emptySeries(spoke: string | null, name: string | null, steps: number): Series {
  const row = () => new Array<number | null>(steps).fill(null);
  return {
    spoke,
    interface: name,
    rxBytes: row(),
    txBytes: row(),
    rxPackets: row(),
    txPackets: row(),
  };
}

/**
 * Average rates over a span that ends now: one series for each interface of a spoke, or the sum of all. A
 * rate is what was counted divided by the time that was measured, so a step half of which is missing says
 * what the other half carried.
 */
export function seriesOf(db: DatabaseSync, span: Span, now: number, spoke?: string): Series[] {
  const { step, seconds } = SPANS[span], from = firstStep(span, now), steps = seconds / step;
  const rows = db.prepare(
    `SELECT i.spoke, i.name, t.time - t.time % ? AS at, sum(t.ms) AS ms, sum(t.rx_bytes) AS rx_bytes,
       sum(t.tx_bytes) AS tx_bytes, sum(t.rx_packets) AS rx_packets, sum(t.tx_packets) AS tx_packets
     FROM interface i JOIN traffic t ON t.interface = i.id AND t.step = ? AND t.time >= ? AND t.time < ?
     WHERE ? IS NULL OR i.spoke = ? GROUP BY i.id, at ORDER BY i.name`,
  ).iterate(step, LEVEL_OF[span], from, from + seconds, spoke ?? null, spoke ?? null);
  const found = new Map<string, Series>();
  if (spoke === undefined) found.set("", emptySeries(null, null, steps));
  for (const row of rows) {
    const key = spoke === undefined ? "" : String(row.name);
    const series = found.get(key) ?? emptySeries(String(row.spoke), key, steps);
    found.set(key, series);
    const [at, ms, rxB, txB, rxP, txP] = numbers(row, "at", "ms", ...AMOUNTS);
    const i = (at - from) / step;
    const add = (to: (number | null)[], amount: number) =>
      to[i] = (to[i] ?? 0) + Math.round(amount / (ms / 1000));
    add(series.rxBytes, rxB);
    add(series.txBytes, txB);
    add(series.rxPackets, rxP);
    add(series.txPackets, txP);
  }
  return [...found.values()];
}

/**
 * The 95th percentile of the five-minute averages of an interface's month, each direction by itself, as
 * bandwidth contracts count it: the top 5 % are left out, the highest of the rest is billed.
 */
export function percentile95(db: DatabaseSync, id: number, name: string): Traffic | null {
  const [from, to] = monthBounds(name);
  const rows = db.prepare(
    `SELECT ms, rx_bytes, tx_bytes FROM traffic
     WHERE step = 300 AND interface = ? AND time >= ? AND time < ?`,
  ).all(id, from, to);
  if (rows.length === 0) return null;
  const rate = (key: string) =>
    rows.map((row) => Number(row[key]) / (Number(row.ms) / 1000)).sort((a, b) => a - b);
  const top = (rates: number[]) => Math.round(rates[Math.ceil(rates.length * 0.95) - 1]);
  return { rxBytes: top(rate("rx_bytes")), txBytes: top(rate("tx_bytes")) };
}

/** Totals of every interface, or of one spoke's: today, this month, and this month's 95th percentile. */
export function totalsOf(db: DatabaseSync, now: number, spoke?: string): Totals[] {
  const [from] = monthBounds(month(now)), today = now - now % 86_400;
  const rows = db.prepare(
    `SELECT i.id, i.spoke, i.name, coalesce(sum(t.rx_bytes), 0) AS month_rx,
       coalesce(sum(t.tx_bytes), 0) AS month_tx,
       coalesce(sum(t.rx_bytes) FILTER (WHERE t.time >= ?), 0) AS today_rx,
       coalesce(sum(t.tx_bytes) FILTER (WHERE t.time >= ?), 0) AS today_tx
     FROM interface i LEFT JOIN traffic t ON t.interface = i.id AND t.step = 86400 AND t.time >= ?
     WHERE ? IS NULL OR i.spoke = ? GROUP BY i.id ORDER BY i.spoke, i.name`,
  ).all(today, today, from, spoke ?? null, spoke ?? null);
  return rows.map((row) => {
    const [id, monthRx, monthTx, todayRx, todayTx] = numbers(
      row,
      "id",
      "month_rx",
      "month_tx",
      "today_rx",
      "today_tx",
    );
    return {
      spoke: String(row.spoke),
      interface: String(row.name),
      today: { rxBytes: todayRx, txBytes: todayTx },
      month: { rxBytes: monthRx, txBytes: monthTx },
      p95: percentile95(db, id, month(now)),
    };
  });
}

/** What every interface has carried since it was first heard of, by spoke and name. */
export function totalsEver(db: DatabaseSync): Map<string, Map<string, Rates>> {
  const found = new Map<string, Map<string, Rates>>();
  const rows = db.prepare(
    `SELECT i.spoke, i.name, sum(t.rx_bytes) AS rx_bytes, sum(t.tx_bytes) AS tx_bytes,
       sum(t.rx_packets) AS rx_packets, sum(t.tx_packets) AS tx_packets
     FROM interface i JOIN traffic t ON t.interface = i.id AND t.step = 86400 GROUP BY i.id`,
  ).iterate();
  for (const row of rows) {
    const [rxBytes, txBytes, rxPackets, txPackets] = numbers(row, ...AMOUNTS);
    const of = found.get(String(row.spoke)) ?? new Map<string, Rates>();
    found.set(
      String(row.spoke),
      of.set(String(row.name), { rxBytes, txBytes, rxPackets, txPackets }),
    );
  }
  return found;
}

/** A past period of an interface. */
export interface Period extends Traffic {
  spoke: string;
  interface: string;
  /** `2026-11-22` or `2026-11`. */
  period: string;
  /** Of a month. */
  p95?: Traffic | null;
}

/** Days or months of every interface, oldest first. */
export function periodsOf(db: DatabaseSync, kind: "day" | "month", from: number): Period[] {
  const rows = db.prepare(
    `SELECT i.id, i.spoke, i.name, strftime(?, t.time, 'unixepoch') AS period,
       sum(t.rx_bytes) AS rx_bytes, sum(t.tx_bytes) AS tx_bytes, p.rx_bytes AS p95_rx, p.tx_bytes AS p95_tx
     FROM interface i JOIN traffic t ON t.interface = i.id AND t.step = 86400 AND t.time >= ?
     LEFT JOIN p95 p ON p.interface = i.id AND p.month = strftime('%Y-%m', t.time, 'unixepoch')
     GROUP BY i.id, period ORDER BY period, i.spoke, i.name`,
  ).all(kind === "day" ? "%Y-%m-%d" : "%Y-%m", from);
  return rows.map((row) => {
    const period = String(row.period);
    const known = row.p95_rx === null
      ? percentile95(db, Number(row.id), period)
      : { rxBytes: Number(row.p95_rx), txBytes: Number(row.p95_tx) };
    return {
      spoke: String(row.spoke),
      interface: String(row.name),
      period,
      rxBytes: Number(row.rx_bytes),
      txBytes: Number(row.tx_bytes),
      ...(kind === "month" ? { p95: known } : {}),
    };
  });
}
