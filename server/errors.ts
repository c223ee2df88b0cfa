/** Errors as responses, in the format that the client asked for. */
import { PROBLEMS, type ProblemText, renderProblem } from "../formats/problem.ts";
import { type Language, LANGUAGES } from "../formats/messages.ts";
import { acceptedFormat, isTextBrowser, languageOf, namesHtml } from "./negotiate.ts";

/** An error that a handler answers with. */
export interface Problem extends ProblemText {
  headers?: Record<string, string>;
}

export const NOT_FOUND: Problem = PROBLEMS.notFound;

/**
 * Without frame or anything from elsewhere; the style is ours and holds nothing of the request. The one
 * script shows the appearance that the reader chose: it writes no HTML, and could not.
 */
const PAGE_POLICY = "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
  "require-trusted-types-for 'script'; trusted-types 'none'";

const TYPES = {
  txt: "text/plain; charset=utf-8",
  json: "application/json",
  html: "text/html; charset=utf-8",
};

/** The response to a request that cannot be served; nothing of it is kept by caches. */
export function problemResponse(request: Request, problem: Problem): Response {
  const accept = request.headers.get("accept") ?? undefined;
  const wanted = acceptedFormat(accept);
  const page = namesHtml(accept) || isTextBrowser(request.headers);
  const format = wanted === "json" || wanted === "html" && page ? wanted : "txt";
  const language = languageOf(request, Object.keys(LANGUAGES) as Language[]);
  const bytes = new TextEncoder().encode(renderProblem(problem, format, language));
  return new Response(request.method === "HEAD" ? null : bytes, {
    status: problem.status,
    headers: {
      "content-type": TYPES[format],
      "content-length": String(bytes.length),
      "cache-control": "no-store",
      "vary": "Accept, User-Agent, Accept-Language",
      "x-content-type-options": "nosniff",
      ...(format === "html" ? { "content-security-policy": PAGE_POLICY } : {}),
      ...problem.headers,
    },
  });
}
