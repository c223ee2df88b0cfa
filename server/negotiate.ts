/** Who gets which representation of a directory or an error: RFC 9110, sections 12.5.1 and 12.5.3. */
import { type Language, pickLanguage } from "../formats/messages.ts";

/** The formats a listing has; `ui` is the web page, which loads the JSON. */
export type Format = "json" | "html" | "text" | "ui";

/**
 * How much a client wants something: the q of the item that names it most exactly. `exactness` says how
 * exactly an item does so, 0 for not at all.
 */
function quality(field: string, exactness: (item: string) => number): { q: number; exact: number } {
  let best = { q: 0, exact: 0 };
  for (const item of field.split(",")) {
    const [name, ...parameters] = item.split(";").map((s) => s.trim().toLowerCase());
    const exact = exactness(name);
    if (exact <= best.exact) continue;
    const q = parameters.find((p) => /^q\s*=/.test(p))?.replace(/^q\s*=\s*/, "");
    best = { q: q === undefined ? 1 : /^[01](?:\.\d*)?$/.test(q) ? Number(q) : 0, exact };
  }
  return best;
}

const mediaType = (type: string) => (item: string) =>
  item === type ? 3 : item === type.replace(/\/.*/, "/*") ? 2 : item === "*/*" ? 1 : 0;

/**
 * The format that an `Accept` field asks for: the highest q; among equals the one that is named and not
 * only covered by a wildcard (axios: JSON and anything else); then HTML, JSON, text. HTML if nothing fits.
 */
export function acceptedFormat(accept: string | undefined): "json" | "html" | "text" {
  if (!accept) return "html";
  const offers = [["html", "text/html"], ["json", "application/json"], ["text", "text/plain"]];
  const [best] = offers
    .map(([format, type]) => ({ format, ...quality(accept, mediaType(type)) }))
    .sort((a, b) => b.q - a.q || b.exact - a.exact);
  return best.q > 0 ? best.format as "json" | "html" | "text" : "html";
}

/** Programs that call themselves Mozilla, but read the page without running it. */
const NO_SCRIPT = /lynx|w3m|links|dillo|netsurf|curl|wget|bot\b|crawl|spider/i;

/** True if `text/html` is named. What names nothing but any type is a program, whose user reads a terminal. */
export const namesHtml = (accept: string | undefined): boolean =>
  /\btext\/html\b/i.test(accept ?? "");

/** True for a browser of text; links names no type that it takes. */
export const isTextBrowser = (headers: Headers): boolean =>
  /\b(?:lynx|w3m|e?links)\b/i.test(headers.get("user-agent") ?? "");

/** True for a graphical browser: it names `text/html` and calls itself Mozilla, as all of them do. */
export function isBrowser(accept: string | undefined, userAgent: string | undefined): boolean {
  return namesHtml(accept) && /^Mozilla\/\d/.test(userAgent ?? "") &&
    !NO_SCRIPT.test(userAgent!);
}

/** The format of a directory, or `undefined` where `?format=` names one that does not exist. */
export function directoryFormat(headers: Headers, query: string): Format | undefined {
  const asked = new URLSearchParams(query).get("format");
  if (asked !== null) {
    return asked === "json" || asked === "html" || asked === "text" ? asked : undefined;
  }
  const accept = headers.get("accept") ?? undefined;
  const format = acceptedFormat(accept);
  return format === "html" && isBrowser(accept, headers.get("user-agent") ?? undefined)
    ? "ui"
    : format;
}

/** True if the client takes gzip: by name or by `*`, with a q above zero. */
export function acceptsGzip(headers: Headers): boolean {
  const field = headers.get("accept-encoding") ?? "";
  return quality(field, (item) => /^(?:x-)?gzip$/.test(item) ? 2 : item === "*" ? 1 : 0).q > 0;
}

/** The first language of the request's `Accept-Language` that is offered, else the first offered. */
export function languageOf(request: Request, offered: readonly Language[]): Language {
  return pickLanguage((request.headers.get("accept-language") ?? "").split(","), offered);
}
