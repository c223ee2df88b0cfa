/** Errors as people and programs can use them: what happened, what to do, in the format they asked for. */
import { escapeHtml } from "../formats/names.ts";
import { acceptedFormat } from "./negotiate.ts";

const TITLES: Record<number, string> = {
  400: "Bad request",
  403: "Forbidden",
  404: "Not found",
  405: "Method not allowed",
  412: "Precondition failed",
  414: "URL too long",
  416: "Range not satisfiable",
  500: "Internal error",
  503: "Not available yet",
};

/** An error that a handler answers with. */
export interface Problem {
  status: number;
  /** What happened, in one sentence. */
  message: string;
  /** What to do about it. */
  hint?: string;
  headers?: Record<string, string>;
}

export const NOT_FOUND: Problem = { status: 404, message: "There is nothing at this URL." };

/** Without script, frame or anything from elsewhere; the style is ours and holds nothing of the request. */
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
const STYLE =
  ":root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;" +
  "margin:15vh auto;padding:0 1.25rem}h1{font-size:1.25rem}";

function page(title: string, { message, hint }: Problem): string {
  return `<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n` +
    `<meta name="viewport" content="width=device-width">\n<title>${title}</title>\n` +
    `<style>${STYLE}</style>\n<h1>${title}</h1>\n<p>${escapeHtml(message)}</p>\n` +
    (hint ? `<p>${escapeHtml(hint)}</p>\n` : "") + `<p><a href="/">Start page</a></p>\n`;
}

/** The response to a request that cannot be served; nothing of it is kept by caches. */
export function problemResponse(request: Request, problem: Problem): Response {
  const accept = request.headers.get("accept") ?? undefined;
  // Only who names HTML gets a page: `*/*` is a program, and its user reads a terminal.
  const wanted = acceptedFormat(accept);
  const format = wanted === "html" && !/\btext\/html\b/i.test(accept ?? "") ? "text" : wanted;
  const { status, message, hint } = problem;
  const title = `${status} ${TITLES[status] ?? "Error"}`;
  const [type, body] = format === "json"
    ? ["application/json", JSON.stringify({ status, error: message, hint }) + "\n"]
    : format === "html"
    ? ["text/html; charset=utf-8", page(title, problem)]
    : ["text/plain; charset=utf-8", `${title}: ${message}\n${hint ? hint + "\n" : ""}`];
  const bytes = new TextEncoder().encode(body);
  return new Response(request.method === "HEAD" ? null : bytes, {
    status,
    headers: {
      "content-type": type,
      "content-length": String(bytes.length),
      "cache-control": "no-store",
      "vary": "Accept",
      "x-content-type-options": "nosniff",
      ...(format === "html" ? { "content-security-policy": PAGE_POLICY } : {}),
      ...problem.headers,
    },
  });
}
