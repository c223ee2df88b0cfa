/**
 * What the hub of statcat answers, passed on: `/sse` and `/stats.json`. The hub is a process of its own
 * (scripts/statcat.ts) and leaves word in the storage where it listens; spokes go to it directly.
 */
import { type HubState, readHubState } from "../formats/hub.ts";
import { DOWN } from "../formats/problem.ts";
import type { Config } from "../scripts/lib/config.ts";
import { readText } from "../scripts/lib/files.ts";
import { hubUrl, statcatFiles } from "../scripts/lib/statcat.ts";
import { NOT_FOUND, type Problem, problemResponse } from "./errors.ts";

const NO_HUB: Problem = {
  status: 404,
  message: "This node has no statistics hub.",
  hint: "Its state is at /status.json and /metrics.",
};
// Its field as nginx says it of every 503.
const NOT_THERE: Problem = { ...DOWN, headers: { "retry-after": "300" } };
const FULL: Problem = {
  status: 503,
  message: "There are too many listeners.",
  hint: "Try again later.",
  headers: { "retry-after": "30" },
};
const FIELDS = ["content-type", "content-length", "cache-control", "x-accel-buffering"];
const ANSWER_MS = 5000;

/** The way to this node's hub. */
export class HubLink {
  readonly #streams = new Set<TransformStreamDefaultController>();

  constructor(private readonly config: Config) {}

  /** What the hub left last; `undefined` where none runs. */
  async state(): Promise<HubState | undefined> {
    if (!this.config.statcat.hub) return undefined;
    return readHubState(await readText(statcatFiles(this.config.data).hub) ?? "");
  }

  /** Asks the hub. Who asked is told it, so that nobody takes all its places. */
  async pass(request: Request, address: string | undefined): Promise<Response> {
    if (!this.config.statcat.hub) return problemResponse(request, NO_HUB);
    const state = await this.state();
    if (!state) return problemResponse(request, NOT_THERE);
    const { pathname, search } = new URL(request.url);
    const url = hubUrl(state) + pathname + search;
    const headers = new Headers();
    if (address) headers.set("x-forwarded-for", address);
    const last = request.headers.get("last-event-id");
    if (last) headers.set("last-event-id", last);
    const late = new AbortController(), timer = setTimeout(() => late.abort(), ANSWER_MS);
    try {
      const { method } = request;
      // A client that goes away cancels the body, and that the request; request.signal would have Deno warn.
      const response = await fetch(url, {
        method,
        headers,
        redirect: "manual",
        signal: late.signal,
      });
      if (response.status === 200) return this.#passOn(response);
      await response.body?.cancel();
      return problemResponse(request, response.status === 503 ? FULL : NOT_FOUND);
    } catch {
      return problemResponse(request, NOT_THERE);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * A stream that can be ended. Handed on as it is, Deno would pass the hub's answer by itself, and nothing
   * could end it.
   */
  #endable(): TransformStream<Uint8Array, Uint8Array> {
    let own: TransformStreamDefaultController;
    const ended = () => void this.#streams.delete(own);
    return new TransformStream({
      start: (controller) => void this.#streams.add(own = controller),
      flush: ended,
      cancel: ended,
    });
  }

  /** The hub's answer as ours. */
  #passOn({ body, headers }: Response): Response {
    const fields = new Headers({ "x-content-type-options": "nosniff" });
    for (const name of FIELDS) {
      const value = headers.get(name);
      if (value !== null) fields.set(name, value);
    }
    return new Response(body?.pipeThrough(this.#endable()), { headers: fields });
  }

  /** Ends what is being passed on: a stream would go on for ever. */
  close(): void {
    for (const stream of this.#streams) stream.terminate();
    this.#streams.clear();
  }
}
