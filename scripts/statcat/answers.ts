/** What the hub answers at `/stats.json`, and what it leaves in its state file. */
import type { HubState } from "../../formats/hub.ts";
import { isSpokeName, type Rates, type Span, SPANS } from "../../formats/stats.ts";
import type { Audience } from "./audience.ts";
import type { History } from "./history.ts";
import type { Hub } from "./hub.ts";
import { totalsEver } from "./periods.ts";
import type { Answer, Question } from "./stats_worker.ts";

/** For so long an answer is the same, in seconds. */
const FRESH: Record<Span, number> = { hour: 5, day: 30, month: 60, year: 60 };

/**
 * Answers queries, `undefined` for a spoke or span that there is not. Each answer is kept for a while:
 * however many ask, the history is read once.
 */
export class Answers implements Disposable {
  /** Started when somebody asks: many a hub is only listened to. */
  #worker: Worker | undefined;
  readonly #kept = new Map<string, { until: number; text: Promise<string> }>();
  /** The worker answers in turn. */
  readonly #waiting: PromiseWithResolvers<string>[] = [];

  constructor(
    private readonly history: History,
    private readonly files: Pick<Question, "history" | "traffic">,
    private readonly now: () => number,
  ) {}

  #start(): Worker {
    const worker = new Worker(new URL("./stats_worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const waiting = this.#waiting.shift();
      if ("text" in data) waiting?.resolve(data.text);
      else waiting?.reject(new Error(data.error));
    };
    return worker;
  }

  answer(query: URLSearchParams): Promise<string> | undefined {
    const span = (query.get("span") || "hour") as Span, spoke = query.get("spoke") || undefined;
    if (!Object.hasOwn(SPANS, span)) return undefined;
    if (spoke !== undefined && !(isSpokeName(spoke) && this.history.knows(spoke))) return undefined;
    const now = this.now(), key = `${span} ${spoke ?? ""}`, kept = this.#kept.get(key);
    if (kept && kept.until > now) return kept.text;
    const waiting = Promise.withResolvers<string>();
    this.#waiting.push(waiting);
    this.#worker ??= this.#start();
    this.#worker.postMessage({ ...this.files, span, spoke, now } satisfies Question);
    waiting.promise.catch(() => this.#kept.delete(key));
    this.#kept.set(key, { until: now + FRESH[span], text: waiting.promise });
    return waiting.promise;
  }

  [Symbol.dispose]() {
    this.#worker?.terminate();
    this.#waiting.splice(0).forEach(({ reject }) => reject(new Error("the hub stops")));
  }
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
