/** What the hub answers at `/stats.json`, and what it leaves in its state file. */
import type { HubState } from "../../formats/hub.ts";
import { isSpokeName, type Rates, type Span, SPANS, type Stats } from "../../formats/stats.ts";
import { readTraffic, trafficToday } from "../../formats/traffic.ts";
import type { Audience } from "./audience.ts";
import type { History } from "./history.ts";
import type { Hub } from "./hub.ts";
import { firstStep, seriesOf, totalsEver, totalsOf } from "./periods.ts";

/** For so long an answer is the same, in seconds. */
const FRESH: Record<Span, number> = { hour: 5, day: 30, month: 60, year: 60 };

/** The traffic that `statcat logs` counted, if it has. */
function readTrafficFile(file: string) {
  try {
    return readTraffic(Deno.readTextFileSync(file));
  } catch {
    return undefined;
  }
}

/**
 * Answers queries, `undefined` for a spoke or span that there is not. Each answer is kept for a while:
 * however many ask, the history is read once.
 */
export function statsAnswers(
  history: History,
  trafficFile: string,
  now: () => number,
): (query: URLSearchParams) => string | undefined {
  const answers = new Map<string, { until: number; text: string }>();
  return (query) => {
    const span = (query.get("span") || "hour") as Span, spoke = query.get("spoke") || undefined;
    if (!Object.hasOwn(SPANS, span)) return undefined;
    if (spoke !== undefined && !(isSpokeName(spoke) && history.knows(spoke))) return undefined;
    const time = now(), key = `${span} ${spoke ?? ""}`, kept = answers.get(key);
    if (kept && kept.until > time) return kept.text;
    const stats: Stats = {
      v: 1,
      time: Math.floor(time),
      span,
      from: firstStep(span, time),
      step: SPANS[span].step,
      series: seriesOf(history.db, span, time, spoke),
      totals: totalsOf(history.db, time, spoke),
      ...trafficToday(readTrafficFile(trafficFile), time),
    };
    const text = JSON.stringify(stats) + "\n";
    answers.set(key, { until: time + FRESH[span], text });
    return text;
  };
}

const NOTHING: Rates = { rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0 };

/** What the hub leaves for the server. */
export function stateOf(
  { hub, audience, history, connected, where, startedAt, now }: {
    hub: Hub;
    audience: Audience;
    history: History;
    connected: Set<string>;
    where: { hostname: string; port: number };
    startedAt: number;
    now: number;
  },
): HubState {
  const totals = totalsEver(history.db);
  const spokes = [...hub.spokes].map(([id, { heard, interfaces }]) => {
    const names = new Set([...totals.get(id)?.keys() ?? [], ...interfaces.keys()]);
    return {
      id,
      heard: Math.floor(heard),
      connected: connected.has(id),
      interfaces: [...names].map((name) => ({
        name,
        rates: interfaces.get(name) ?? NOTHING,
        total: totals.get(id)?.get(name) ?? NOTHING,
      })),
    };
  });
  return {
    v: 1,
    time: Math.floor(now),
    startedAt: Math.floor(startedAt),
    ...where,
    rssBytes: Deno.memoryUsage().rss,
    clients: audience.size,
    clientsRefused: audience.refused,
    eventsSkipped: audience.skipped,
    refused: { ...hub.refused },
    spokes,
  };
}
