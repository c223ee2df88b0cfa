/**
 * Live events from the hub, for as long as the page is looked at. Of all tabs of a mirror that are in view,
 * one holds the connection and tells the others (Web Locks and BroadcastChannel; without them, over plain
 * HTTP, each has its own). A tab out of view has none: nobody sees it, and a browser has but six.
 */
import { type LiveEvent, readLiveEvent } from "../../formats/stats.ts";

const NAME = "mirrorkit-traffic";
/** A hub speaks every second, or every 15 s where it knows no spoke: then it is asked anew. */
const SILENT_MS = 45_000;
const FIRST_PAUSE_MS = 2000, LONGEST_PAUSE_MS = 120_000;

/** Calls back with every event until the signal aborts. */
export function follow(url: string, heard: (event: LiveEvent) => void, signal: AbortSignal): void {
  const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(NAME) : undefined;
  const take = (data: unknown): boolean => {
    const event = typeof data === "string" ? readLiveEvent(data) : undefined;
    if (event) heard(event);
    return event !== undefined;
  };
  channel?.addEventListener("message", ({ data }) => take(data));
  let looking: AbortController | undefined;
  const look = () => {
    if (document.hidden || signal.aborted) looking?.abort();
    else if (!looking || looking.signal.aborted) {
      looking = new AbortController();
      const each = (data: string) => {
        if (take(data)) channel?.postMessage(data);
      };
      lead(looking.signal, (left) => listen(url, each, left));
    }
  };
  document.addEventListener("visibilitychange", look, { signal });
  signal.addEventListener("abort", () => {
    look();
    channel?.close();
  });
  look();
}

/** Runs `body` once this tab is the one that holds the connection, until it is left. */
function lead(left: AbortSignal, body: (left: AbortSignal) => void): void {
  if (!navigator.locks) return body(left);
  const held = async () => {
    body(left);
    await new Promise<void>((resolve) => left.addEventListener("abort", () => resolve()));
  };
  // Who leaves while it waits for the lock is told so by an error.
  navigator.locks.request(NAME, { signal: left }, held).catch(() => {});
}

/** Keeps an EventSource open. One that was refused, or fell silent, is tried again after growing pauses. */
function listen(url: string, each: (data: string) => void, left: AbortSignal): void {
  let failures = 0, source: EventSource, timer: ReturnType<typeof setTimeout> | undefined;
  const again = () => {
    source.close();
    clearTimeout(timer);
    if (left.aborted) return;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures++);
    timer = setTimeout(open, pause * (0.5 + Math.random() / 2));
  };
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(again, SILENT_MS);
  };
  const open = () => {
    source = new EventSource(url);
    source.onopen = watch;
    source.onmessage = ({ data }) => {
      failures = 0;
      watch();
      each(data);
    };
    // While it is connecting, the browser tries again by itself, after the hub's own "retry".
    source.onerror = () => source.readyState === EventSource.CLOSED ? again() : undefined;
  };
  left.addEventListener("abort", () => again());
  open();
}
