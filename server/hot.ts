/**
 * What is asked for over and over, answered from memory: a cache in front of the app that behaves as any
 * HTTP client does (RFC 9111). It keeps an answer that came with a validator, believes it for some
 * milliseconds, and then asks the app whether it still holds (`If-None-Match`). So a file that everybody
 * fetches is looked up a hundred times a second, not fifty thousand times, and all who read a long listing
 * slowly read the same copy of it.
 */

/** How long an answer is believed: no longer than a request may be on its way. */
const FRESH_MS = 10;
/** Who asks again within this time makes an answer worth keeping. */
const POPULAR_MS = 100;
/** Larger answers are streamed, each on its own. */
const MAX_BODY = 8 * 1024 ** 2;
const MAX_BYTES = 32 * 1024 ** 2;
const MAX_ANSWERS = 1024;

/** A request with one of these wants something of its own. */
const OF_ITS_OWN = [
  "range",
  "if-none-match",
  "if-modified-since",
  "if-match",
  "if-unmodified-since",
];

type Handler = (request: Request) => Response | Promise<Response>;

interface Answer {
  /** When it was given or last confirmed, in milliseconds. */
  at: number;
  etag: string;
  /** The fields that it depends on, and what they were. */
  vary: [string, string | null][];
  /**
   * Itself, never sent: each client gets a clone. Of bytes that is cheap, for all clones share them, and
   * nothing of it is checked or converted again. Missing as long as it was asked for just once.
   */
  response?: Response;
  bytes: number;
  /** True while one request takes it into memory; all others need not. */
  taking?: boolean;
  /** Whether it still holds, while the app is being asked. */
  confirming?: Promise<boolean>;
}

const matches = (answer: Answer, { headers }: Request) =>
  answer.vary.every(([name, value]) => headers.get(name) === value);

/** An answer as it is kept, or nothing where it can't be: it is no file, or too large. */
function describe(request: Request, { headers, status }: Response, at: number): Answer | undefined {
  const etag = headers.get("etag");
  const fits = Number(headers.get("content-length") ?? Infinity) <= MAX_BODY;
  if (status !== 200 || !fits || etag === null) return undefined;
  // The app reads targets as they were sent; one that another parser writes differently isn't asked twice.
  if (new URL(request.url).href !== request.url) return undefined;
  const names = (headers.get("vary") ?? "").split(",").map((name) => name.trim()).filter(Boolean);
  const vary = names.map((name): Answer["vary"][0] => [name, request.headers.get(name)]);
  return { at, etag, vary, bytes: 0 };
}

/** A handler that answers popular requests from memory, all others by `app`. */
export class Hot {
  /** By URL, the one that was used last at the end. */
  #answers = new Map<string, Answer>();
  #bytes = 0;

  constructor(private app: Handler, private now: () => number = () => performance.now()) {}

  readonly handle: Handler = (request) => {
    if (request.method !== "GET") return this.app(request);
    const { headers } = request;
    for (const name of OF_ITS_OWN) if (headers.get(name) !== null) return this.app(request);
    const answer = this.#answers.get(request.url);
    if (answer?.response && this.now() - answer.at < FRESH_MS && matches(answer, request)) {
      return answer.response.clone();
    }
    return this.#ask(request, answer);
  };

  async #ask(request: Request, known: Answer | undefined): Promise<Response> {
    const same = known && matches(known, request) ? known : undefined;
    if (same?.response) {
      same.confirming ??= this.#confirm(request, same).finally(() => same.confirming = undefined);
      if (await same.confirming) return same.response.clone();
    }
    const at = this.now(), response = await this.app(request);
    if (same?.taking) return response;
    const answer = describe(request, response, at);
    if (!answer) return response;
    if (same && at - same.at < POPULAR_MS) await this.#take(response, same, answer);
    this.#keep(request.url, answer);
    return answer.response?.clone() ?? response;
  }

  /** Takes an answer of the app into memory, for which another one stood. */
  async #take(response: Response, before: Answer, answer: Answer) {
    before.taking = true;
    try {
      const bytes = await response.bytes();
      answer.response = new Response(bytes, response);
      // Of bytes Deno counts the length by itself.
      answer.response.headers.delete("content-length");
      answer.bytes = bytes.length;
    } finally {
      before.taking = false;
    }
  }

  /** Asks the app whether an answer still holds. */
  async #confirm({ url, headers: sent }: Request, answer: Answer): Promise<boolean> {
    const at = this.now(), headers = new Headers(sent);
    headers.set("if-none-match", answer.etag);
    const response = await this.app(new Request(url, { headers }));
    await response.body?.cancel();
    if (response.status !== 304) return false;
    answer.at = at;
    if (this.#answers.get(url) === answer) this.#keep(url, answer);
    return true;
  }

  #keep(url: string, answer: Answer) {
    this.#forget(url);
    this.#answers.set(url, answer);
    this.#bytes += answer.bytes;
    for (const oldest of this.#answers.keys()) {
      if (this.#bytes <= MAX_BYTES && this.#answers.size <= MAX_ANSWERS) break;
      this.#forget(oldest);
    }
  }

  #forget(url: string) {
    this.#bytes -= this.#answers.get(url)?.bytes ?? 0;
    this.#answers.delete(url);
  }
}
