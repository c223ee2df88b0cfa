/** Asks for something again and again while the page is looked at, and again soon where that failed. */

export interface LiveOptions<T> {
  /** Gets it, or throws. */
  get: (signal: AbortSignal) => Promise<T>;
  /** It came. */
  got: (value: T) => void;
  /** It did not; it is asked for again after a growing while, and when the browser says it is online. */
  lost: () => void;
  periodMs: number;
  retryMs?: number;
}

/** How long until the next question. Pure. */
export function pause(failures: number, periodMs: number, retryMs: number): number {
  return failures === 0 ? periodMs : Math.min(periodMs, retryMs * 2 ** (failures - 1));
}

/** Starts asking, until the signal aborts. */
export function live<T>(options: LiveOptions<T>, signal: AbortSignal): void {
  const { get, got, lost, periodMs, retryMs = 2000 } = options;
  let failures = 0, asking = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ask = async () => {
    if (asking || document.hidden || signal.aborted) return;
    asking = true;
    clearTimeout(timer);
    try {
      const value = await get(signal);
      failures = 0;
      if (!signal.aborted) got(value);
    } catch {
      failures++;
      if (!signal.aborted) lost();
    }
    asking = false;
    if (!signal.aborted) timer = setTimeout(ask, pause(failures, periodMs, retryMs));
  };
  document.addEventListener("visibilitychange", ask, { signal });
  addEventListener("online", ask, { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  void ask();
}

/** A text, and when the server sent it, in epoch seconds: the browser's own clock may be wrong by hours. */
export interface Answer {
  text: string;
  time: number;
}

/** The text at a URL. Throws where the server does not answer with success. */
export async function getText(url: string, signal: AbortSignal): Promise<Answer> {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const date = Date.parse(response.headers.get("date") ?? "");
  return { text: await response.text(), time: (Number.isNaN(date) ? Date.now() : date) / 1000 };
}
