/**
 * Fetches a listing, and goes on where it was cut: by itself after a pause, at once when the connection
 * is back or a person asks. What has come stays; if the listing is still the same, it is not read twice.
 */
import { Kept } from "./kept.ts";

/** How a listing comes. `refused`: the server answered, but with no listing; no use to ask again. */
export type Phase = "loading" | "complete" | "cut" | "refused";

/** Parts of a stream are read for so long before the page may answer a person again. */
const BUSY_MS = 12;

/** A part that took so long was not there yet. */
const WAITED_MS = 2;

/**
 * On a slow line, what comes is let gather between two looks, for a tenth of the time that the listing has taken so far:
 * each look costs the same, however little it finds. A listing that comes at once is read at once.
 */
const GATHERED = 0.1, GATHER_MS = { least: 25, most: 100 };

const MAX_PAUSE_MS = 30_000;

/** What the server said where it gave no listing. */
class Refused extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

export interface LoaderOptions {
  fetch?: typeof fetch;
  /** Milliseconds before the next attempt after `failures` ones. */
  pause?: (failures: number) => number;
  now?: () => number;
  /** Waits for so many milliseconds. */
  sleep?: (ms: number) => Promise<void>;
}

/**
 * Lets what waits happen; painting, too. (After `scheduler.yield()`, we would be first again; after a timer, by
 * the fifth time at least 4 ms late.)
 */
const pass = () =>
  new Promise<void>((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });

/** Loads one listing. */
export class Loader {
  kept = new Kept();
  phase: Phase = "loading";
  /** What went wrong last. */
  error = "";
  #tag = "";
  /** Attempts in a row that brought nothing. */
  failures = 0;
  #timer?: ReturnType<typeof setTimeout>;
  #wake?: () => void;

  /** `changed` is called whenever more came or the phase is another. */
  constructor(
    private url: string,
    private changed: () => void,
    private options: LoaderOptions = {},
  ) {}

  /** Loads until the listing is complete or refused. */
  async run(): Promise<void> {
    while (this.phase !== "complete" && this.phase !== "refused") {
      try {
        await this.#attempt();
        this.phase = "complete";
      } catch (error) {
        this.error = (error as Error).message;
        this.phase = error instanceof Refused && error.status < 500 ? "refused" : "cut";
      }
      this.changed();
      if (this.phase === "cut") await this.#rest();
    }
  }

  /** Tries again at once: a person asked, or the connection is back. */
  again = () => this.#wake?.();

  async #rest() {
    const pause = this.options.pause ?? ((n: number) => Math.min(MAX_PAUSE_MS, 1000 * 2 ** n));
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#timer = setTimeout(resolve, pause(this.failures++));
    });
    clearTimeout(this.#timer);
    this.phase = "loading";
  }

  async #attempt() {
    const { fetch: get = fetch } = this.options;
    // (What the page preloads is taken.)
    const response = await get(this.url, { cache: "no-cache" });
    if (!response.ok) {
      const said = await response.json().catch(() => ({})) as { error?: string };
      throw new Refused(response.status, said.error ?? String(response.status));
    }
    const tag = response.headers.get("etag") ?? "";
    let skip = this.kept.bytes;
    if (skip > 0 && (tag === "" || tag !== this.#tag)) [this.kept, skip] = [new Kept(), 0];
    this.#tag = tag;
    await this.#read(response.body!.getReader(), skip);
  }

  async #read(reader: ReadableStreamDefaultReader<Uint8Array>, skip: number) {
    const now = this.options.now ?? (() => performance.now());
    const sleep = this.options.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
    const begun = now();
    let since = begun;
    for (;;) {
      const asked = now();
      const { done, value } = await reader.read();
      if (done) break;
      const came = now(), slow = came - asked > WAITED_MS;
      // While nothing came, all others had their turn: on a slow line, it is always theirs.
      if (slow) since = came;
      const known = Math.min(skip, value.length);
      skip -= known;
      try {
        this.kept.push(known ? value.subarray(known) : value);
      } catch (error) {
        await reader.cancel().catch(() => {});
        throw new Refused(200, (error as Error).message);
      }
      if (this.kept.count > 0) this.failures = 0;
      this.changed();
      const gather = Math.min(GATHER_MS.most, GATHERED * (came - begun));
      if (slow && !this.kept.complete && gather >= GATHER_MS.least) await sleep(gather);
      else if (now() - since >= BUSY_MS) await pass();
      else continue;
      since = now();
    }
    if (!this.kept.complete) throw new Error("the connection was cut");
  }
}
