/**
 * An error as people and programs can use it: what happened and what to do, as text, JSON or HTML. The
 * embedded server sends it; `configure` writes it into files for nginx.
 */
import { escapeHtml } from "./names.ts";

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

/** What is said of an error. */
export interface ProblemText {
  status: number;
  /** What happened, in one sentence. */
  message: string;
  /** What to do about it. */
  hint?: string;
}

/** The formats, by the extension of a file that holds one. */
export const PROBLEM_FORMATS = ["txt", "json", "html"] as const;
export type ProblemFormat = typeof PROBLEM_FORMATS[number];

/** Problems that need no more words than these. */
export const PROBLEMS = {
  badUrl: {
    status: 400,
    message: "The URL is not valid.",
    hint: "Percent-encode what is special in it, and stay below the root.",
  },
  forbidden: { status: 403, message: "The server may not read this file." },
  notFound: { status: 404, message: "There is nothing at this URL." },
  readOnly: { status: 405, message: "This server only reads.", hint: "Use GET or HEAD." },
  changed: {
    status: 412,
    message: "What is here is not the version that the request is about.",
    hint: "Fetch it anew.",
  },
  longUrl: { status: 414, message: "The URL is too long." },
  broken: {
    status: 500,
    message: "The server cannot answer this; its operator finds the reason in its log.",
  },
} satisfies Record<string, ProblemText>;

/** What is passed on to another process of ours that does not answer. */
export const DOWN: ProblemText = {
  status: 503,
  message: "The part of this server that answers here is being restarted.",
  hint: "Try again in a minute. Files and listings are served meanwhile.",
};

const STYLE =
  ":root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;" +
  "margin:15vh auto;padding:0 1.25rem}h1{font-size:1.25rem}";

function page(title: string, { message, hint }: ProblemText): string {
  return `<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n` +
    `<meta name="viewport" content="width=device-width">\n<title>${title}</title>\n` +
    `<style>${STYLE}</style>\n<h1>${title}</h1>\n<p>${escapeHtml(message)}</p>\n` +
    (hint ? `<p>${escapeHtml(hint)}</p>\n` : "") + `<p><a href="/">Start page</a></p>\n`;
}

/** The body of an error. */
export function renderProblem(problem: ProblemText, format: ProblemFormat): string {
  const { status, message, hint } = problem;
  const title = `${status} ${TITLES[status] ?? "Error"}`;
  if (format === "json") return JSON.stringify({ status, error: message, hint }) + "\n";
  if (format === "html") return page(title, problem);
  return `${title}: ${message}\n${hint ? hint + "\n" : ""}`;
}
