/** What is told to people: one message a change, none a probe. Pure but for {@linkcode deliver}. */
import { BOUNDS } from "../../formats/nodes.ts";
import type { Healthz } from "../lib/healthz.ts";
import type { Change } from "./decide.ts";
import type { History, Notice } from "./history.ts";

/** Something that happened. */
export interface Event {
  title: string;
  text: string;
}

/** A message that could not be sent is tried again for so long, and so many of them. */
const KEPT_SECONDS = 3600;
const KEPT = 50;

/** The history with its alarms as they are now, and what there is to tell about it. */
export function settle(
  history: History,
  { name, dns }: Pick<Healthz, "name" | "dns">,
  changes: Change[],
  alarms: Record<string, string>,
  now: number,
): { history: History; events: Event[] } {
  // Who only watches changes nothing, and says nothing else.
  const verbs = dns ? { add: "joins", remove: "leaves" } : {
    add: "would join",
    remove: "would leave",
  };
  const events = changes.map(({ kind, address, node, reason }): Event => ({
    title: `${name}: ${node ?? "an address"} ${verbs[kind]}`,
    text: `${kind === "add" ? "+" : "-"} ${address}: ${reason}`,
  }));
  const lasting: History["alarms"] = {};
  for (const [code, text] of Object.entries(alarms)) {
    const message = text.slice(0, BOUNDS.text);
    const since = history.alarms[code]?.since ?? now;
    if (!history.alarms[code]) events.push({ title: `${name}: alarm`, text: message });
    lasting[code] = { since, message };
  }
  for (const [code, { message }] of Object.entries(history.alarms)) {
    if (!lasting[code]) events.push({ title: `${name}: over`, text: `It was: ${message}` });
  }
  return { history: { ...history, alarms: lasting }, events };
}

/** A way to tell. Throws where it fails. */
export type Channel = (event: Event) => Promise<void>;

/**
 * Tells events, and those of earlier runs that could not be told; gives the history with what is still
 * to be told.
 */
export async function deliver(
  history: History,
  events: Event[],
  channels: Record<string, Channel>,
  now: number,
  warn: (text: string) => void,
): Promise<History> {
  const fresh = Object.keys(channels).flatMap((channel) =>
    events.map((event): Notice => ({ channel, at: now, ...event }))
  );
  const waiting = [...history.notices.filter((n) => now - n.at <= KEPT_SECONDS), ...fresh];
  const failed: Notice[] = [];
  await Promise.all(
    Object.entries(channels).map(async ([name, send]) => {
      // In their order; after the first failure the rest waits.
      const mine = waiting.filter((n) => n.channel === name);
      while (mine.length) {
        try {
          await send(mine[0]);
          mine.shift();
        } catch (error) {
          warn(`Cannot tell by ${name}: ${(error as Error).message}`);
          break;
        }
      }
      failed.push(...mine);
    }),
  );
  return { ...history, notices: failed.slice(-KEPT) };
}

/** The body for a webhook: Slack and its like read `text`, ntfy `topic`, `title` and `message`. */
export function webhookBody({ title, text }: Event, { topic }: Healthz["notify"]) {
  return topic
    ? { topic, title, message: text }
    : { text: `${title}\n${text}`, title, message: text };
}

/** A webhook. Its URL is a secret, so messages name the host alone. */
export function webhook(
  url: string,
  config: Healthz["notify"],
  fetcher: typeof fetch = fetch,
): Channel {
  return async (event) => {
    let status: number;
    try {
      const response = await fetcher(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(webhookBody(event, config)),
        redirect: "manual",
        signal: AbortSignal.timeout(10_000),
      });
      await response.body?.cancel();
      status = response.status;
    } catch (error) {
      const why = (error as Error).message.replaceAll(url, "…");
      throw new Error(`${new URL(url).host} does not answer: ${why}`);
    }
    if (status < 200 || status > 299) throw new Error(`${new URL(url).host} says ${status}`);
  };
}
