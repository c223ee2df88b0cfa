/** The last minutes of every spoke, and the line that shows them. Pure: no element, no clock. */
import type { LiveEvent, Rates, Stats } from "../../formats/stats.ts";

/** What the sparkline shows, in seconds. */
export const TRAIL_SECONDS = 300;
/** A spoke that nothing was heard of for this long is not shown any more; as the hub does it. */
const GONE_SECONDS = 600;
/** Without events for this long, what is shown is old. */
const STALE_SECONDS = 5;

/** A moment of a trail. */
export interface Point extends Rates {
  time: number;
}

/** A spoke to show. */
export interface Row {
  /** `null` for all spokes together. */
  id: string | null;
  rates: Rates;
  /** Seconds since it was last heard, where that is long ago. */
  staleSeconds: number | null;
  trail: Point[];
}

const NOTHING: Rates = { rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0 };

function sum(all: Rates[]): Rates {
  const total = { ...NOTHING };
  for (const rates of all) {
    total.rxBytes += rates.rxBytes;
    total.txBytes += rates.txBytes;
    total.rxPackets += rates.rxPackets;
    total.txPackets += rates.txPackets;
  }
  return total;
}

/** What was heard in the last minutes. */
export class Trails {
  #points = new Map<string | null, Point[]>();
  #last: LiveEvent | undefined;

  /** Takes an event; one that is not newer than the last is left out. */
  add(event: LiveEvent): void {
    if (this.#last && event.time <= this.#last.time) return;
    this.#last = event;
    // What is stale does not count: its rates are old.
    const live = event.spokes.filter((s) => s.staleSeconds === null);
    this.#push(null, { time: event.time, ...sum(live) });
    for (const { id, staleSeconds: _, ...rates } of live) {
      this.#push(id, { time: event.time, ...rates });
    }
    const from = event.time - TRAIL_SECONDS;
    for (const [id, points] of this.#points) {
      const kept = points.filter((p) => p.time > from);
      if (kept.length) this.#points.set(id, kept);
      else this.#points.delete(id);
    }
  }

  #push(id: string | null, point: Point) {
    const points = this.#points.get(id);
    if (points) points.push(point);
    else this.#points.set(id, [point]);
  }

  /** What was before the first event, from the history of all spokes: the line is there at once. */
  fill({ from, step, series }: Stats): void {
    const [all] = series, first = this.#points.get(null)?.[0]?.time ?? Infinity;
    const before: Point[] = [];
    for (const [i, rxBytes] of all?.rxBytes.entries() ?? []) {
      const time = from + (i + 1) * step;
      if (rxBytes === null || time >= first) continue;
      const at = (row: (number | null)[]) => row[i] ?? 0;
      const { txBytes, rxPackets, txPackets } = all;
      before.push({
        time,
        rxBytes,
        txBytes: at(txBytes),
        rxPackets: at(rxPackets),
        txPackets: at(txPackets),
      });
    }
    this.#points.set(null, [...before, ...this.#points.get(null) ?? []]);
  }

  /** What to show at a time: all together first, where there are several; nothing where nothing is known. */
  rows(now: number): Row[] {
    const event = this.#last, silent = event ? Math.max(0, now - event.time) : Infinity;
    if (!event || silent > GONE_SECONDS) return [];
    const cut = silent >= STALE_SECONDS ? Math.floor(silent) : null;
    const rows = event.spokes.map(({ id, staleSeconds, ...rates }): Row => ({
      id,
      rates,
      staleSeconds: staleSeconds === null ? cut : staleSeconds + (cut ?? 0),
      trail: this.#points.get(id) ?? [],
    }));
    if (rows.length < 2) return rows;
    const live = event.spokes.filter((s) => s.staleSeconds === null);
    const trail = this.#points.get(null) ?? [];
    return [{ id: null, rates: sum(live), staleSeconds: cut, trail }, ...rows];
  }
}

/**
 * The points of an SVG line for one direction of a trail, in a box: the newest moment at the right edge,
 * `most` at the top. Where nothing was measured for a while, there are two lines.
 */
export function lines(
  trail: Point[],
  pick: (point: Point) => number,
  most: number,
  box: { width: number; height: number; now: number },
): string[] {
  const found: string[][] = [];
  let before = -Infinity;
  for (const point of trail) {
    const x = box.width * (1 - (box.now - point.time) / TRAIL_SECONDS);
    const y = box.height * (1 - (most > 0 ? pick(point) / most : 0));
    if (x < 0) continue;
    if (point.time - before > 30) found.push([]);
    before = point.time;
    found.at(-1)!.push(`${x.toFixed(1)},${y.toFixed(1)}`);
  }
  return found.map((points) => points.join(" "));
}
