/**
 * An error as people and programs can use it: what happened and what to do, as text, JSON or HTML. The
 * embedded server sends it; `configure` writes it into files for nginx.
 */
import type { Language } from "./messages.ts";
import { problemPage } from "./problem_html.ts";

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
  /** Which page explains it, where its status alone says too little. */
  kind?: "gate" | "unlisted" | "down";
  /** The nearest directory that is there, percent-encoded. */
  up?: string;
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
  kind: "down",
  message: "The part of this server that answers here is being restarted.",
  hint: "Try again in a minute. Files and listings are served meanwhile.",
};

/** The body of an error. A page is in the reader's language; programs are told in English. */
export function renderProblem(
  problem: ProblemText,
  format: ProblemFormat,
  language: Language = "en",
): string {
  const { status, message, hint } = problem;
  const title = `${status} ${TITLES[status] ?? "Error"}`;
  if (format === "json") return JSON.stringify({ status, error: message, hint }) + "\n";
  if (format === "html") return problemPage(problem, title, language);
  return `${title}: ${message}\n${hint ? hint + "\n" : ""}`;
}
