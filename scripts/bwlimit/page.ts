/** What a refused client is told, as HTML, text or JSON. Pure. */
import { escapeHtml } from "../../formats/names.ts";
import { formatBytes, formatDuration, formatTime } from "../../formats/units.ts";

/** Why somebody is refused. */
export interface Refusal {
  /** The address or network that it is about. */
  who: string;
  why: string;
  /** What had been counted, by protocol. */
  counted: { tcp: number; udp: number; other: number };
  limits: { seconds: number; bytes: number }[];
  /** Epoch seconds. */
  until: number;
}

/** Whose mirror it is. */
export interface Host {
  name: string;
  contact?: string;
}

export type PageFormat = "html" | "json" | "text";

/** The format for an Accept field: only who names HTML or JSON gets it (RFC 9110, 12.5.1). */
export function formatFor(accept: string): PageFormat {
  if (/\btext\/html\b/i.test(accept)) return "html";
  return /\bapplication\/(?:\w+\+)?json\b/i.test(accept) ? "json" : "text";
}

export const TYPES: Record<PageFormat, string> = {
  html: "text/html; charset=utf-8",
  json: "application/json",
  text: "text/plain; charset=utf-8",
};

const STYLE = ":root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;" +
  "max-width:40rem;margin:12vh auto;padding:0 1.25rem}h1{font-size:1.25rem}";

/** A contact as a link where it can be one. */
function contactHtml(contact: string): string {
  const href = /^https?:\/\//.test(contact)
    ? contact
    : /^[^\s@]+@[^\s@]+$/.test(contact)
    ? `mailto:${contact}`
    : undefined;
  const text = escapeHtml(contact);
  return href === undefined ? text : `<a href="${escapeHtml(href)}">${text}</a>`;
}

/** The body of the answer. */
export function refusalPage(r: Refusal, host: Host, now: number, format: PageFormat): string {
  const seconds = retryAfter(r, now), until = formatTime(r.until);
  const total = r.counted.tcp + r.counted.udp + r.counted.other;
  const limits = r.limits.map((l) => `${formatBytes(l.bytes)} in ${formatDuration(l.seconds)}`)
    .join(", ");
  if (format === "json") {
    return JSON.stringify({
      status: 429,
      error: "Too many requests",
      who: r.who,
      why: r.why,
      counted: r.counted,
      limits: r.limits,
      until,
      retry_after: seconds,
      contact: host.contact,
    }) + "\n";
  }
  const facts: [string, string][] = [
    ["Who", r.who],
    ["Why", r.why],
    [
      "Counted",
      `${formatBytes(total)} (tcp ${formatBytes(r.counted.tcp)}, udp ${
        formatBytes(r.counted.udp)
      }, other ${formatBytes(r.counted.other)})`,
    ],
    ["Allowed", limits],
    ["Until", `${until}, in ${formatDuration(seconds)}`],
  ];
  const title = "429 Too many requests";
  const lead = `${host.name} is shared by many. It serves you again when this time is over; ` +
    "downloads can be resumed then.";
  const write = "Is that wrong, or do you need more, as a mirror for example? Write to ";
  if (format === "text") {
    const lines = facts.map(([name, value]) => `${name}:`.padEnd(10) + value);
    return `${title}\n\n${lead}\n\n${lines.join("\n")}\n` +
      (host.contact ? `\n${write}${host.contact}\n` : "");
  }
  const rows = facts.map(([name, value]) => `<dt>${name}</dt>\n<dd>${escapeHtml(value)}</dd>\n`);
  return `<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n` +
    `<meta name="viewport" content="width=device-width">\n<title>${title}</title>\n` +
    `<style>${STYLE}</style>\n<h1>${title}</h1>\n<p>${escapeHtml(lead)}</p>\n` +
    `<dl>\n${rows.join("")}</dl>\n` +
    (host.contact ? `<p>${write}${contactHtml(host.contact)}</p>\n` : "");
}

/** Whole seconds until the refusal is over (RFC 9110, 10.2.3); no less than one. */
export const retryAfter = (r: Refusal, now: number): number =>
  Math.max(1, Math.ceil(r.until - now));
