/** Calls of an HTTP API that answers JSON: bounded in time and size, patient with rate limits. */
import { Failure } from "../lib/failure.ts";
import { readBody } from "./body.ts";

/** How an API is called; a test passes its own clock. */
export interface Api {
  /** What stands in messages. */
  what: string;
  base: string;
  headers: Record<string, string>;
  fetch?: typeof fetch;
  pause?: (seconds: number) => Promise<void>;
}

/** An answer of the API. */
export interface ApiAnswer {
  status: number;
  json: unknown;
}

const SECONDS = 15;
const BYTES = 8 << 20;
/** Who asks to wait longer is asked again in the next run. */
const LONGEST_WAIT = 20;
const ATTEMPTS = 3;

const sleep = (seconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, seconds * 1000));

/** Calls once, and again when it is asked to wait (429, 503 with Retry-After). Messages hold no header. */
export async function call(
  api: Api,
  method: string,
  path: string,
  body?: unknown,
): Promise<ApiAnswer> {
  const headers = body === undefined
    ? api.headers
    : { ...api.headers, "content-type": "application/json" };
  for (let attempt = 1;; attempt++) {
    let response: Response;
    try {
      response = await (api.fetch ?? fetch)(api.base + path, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        // The token goes to nobody else.
        redirect: "manual",
        signal: AbortSignal.timeout(SECONDS * 1000),
      });
      if (![429, 503].includes(response.status)) {
        const text = await readText(response);
        return { status: response.status, json: parse(text) };
      }
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw new Failure(`${api.what} does not answer: ${(error as Error).message}.`);
    }
    await response.body?.cancel();
    const wait = Math.max(1, Number(response.headers.get("retry-after") ?? 2) || 2);
    if (attempt === ATTEMPTS || wait > LONGEST_WAIT) {
      throw new Failure(
        `${api.what} is asked too often (${response.status}, again in ${wait} s).`,
        "The next run tries again.",
      );
    }
    await (api.pause ?? sleep)(wait);
  }
}

async function readText(response: Response): Promise<string> {
  const { body, isCut } = await readBody(response.body, BYTES);
  if (isCut) throw new Error(`its answer is larger than ${BYTES} bytes`);
  return new TextDecoder().decode(body);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
