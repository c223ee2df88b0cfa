/**
 * An error as a page that helps: what it means, what to do, and where to go on from here. Its words stand
 * in `messages/errors.*.json`, apart from those of the pages that browsers load scripts for.
 */
import en from "./messages/errors.en.json" with { type: "json" };
import ko from "./messages/errors.ko.json" with { type: "json" };
import { directionOf, type Language } from "./messages.ts";
import { escapeHtml, fromHref, toDisplay, toTextLossy } from "./names.ts";
import type { ProblemText } from "./problem.ts";

/** What an error says, by its status or, where that says too little, its kind. */
type Texts = Record<string, string | string[]>;
export const ERROR_MESSAGES: Record<Language, Texts> = { en, ko };

// The palette and scale of web/base/base.css, so much of it as a page of a few lines needs.
const STYLE = ":root{color-scheme:light dark;--text:light-dark(#1c1d1f,#e6e4df);" +
  "--quiet:light-dark(#5c5f64,#a3a3a2);--paper:light-dark(#fdfcfa,#151719);" +
  "--accent:light-dark(#1f5c87,#8cc2e8)}" +
  ":root[data-theme=light]{color-scheme:light}:root[data-theme=dark]{color-scheme:dark}" +
  ":root:lang(ko){word-break:keep-all}" +
  "@media(prefers-contrast:more){:root{--text:light-dark(#000,#fff);--quiet:light-dark(#333,#ddd);" +
  "--paper:light-dark(#fff,#000);--accent:light-dark(#003f73,#a8d8ff)}}" +
  "body{box-sizing:border-box;max-width:66rem;margin:0 auto;padding:15vh 1.5rem 3rem;background:var(--paper);" +
  "color:var(--text);font:.9375rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}" +
  "h1{margin:0;font-size:1.9rem;line-height:1.2;text-wrap:balance}" +
  "p{max-width:44rem;margin:.75rem 0}.quiet{margin:0 0 .25rem;color:var(--quiet)}" +
  "ul{margin:2rem 0 0;padding:0;list-style:none}li{margin:.4rem 0}" +
  "a{color:var(--accent);text-underline-offset:.2em}" +
  ":focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:2px}" +
  "@media(max-width:40rem){body{padding:10vh 1rem 2rem}}";

// The operator's colours, and the appearance that the reader chose. Both are extra: without them the page
// follows the system.
const CHOSEN = '<link rel="stylesheet" href="/.mirrorkit/site.css">\n' +
  '<script src="/.mirrorkit/early.js"></script>\n';

/** A path for the eye. */
const shown = (href: string) => escapeHtml(toDisplay(toTextLossy(fromHref(href))));

/** The page of an error; `title` is its status in the protocol's own words. */
export function problemPage(problem: ProblemText, title: string, language: Language): string {
  const { status, kind, message, hint, up } = problem;
  const texts = ERROR_MESSAGES[language];
  const [heading, help] = (texts[kind ?? status] ?? [message, hint ?? ""]) as string[];
  const said = (key: string) => String(texts[key]);
  const links = [
    up === undefined
      ? ""
      : said("up").replace("{up}", `<a href="${escapeHtml(up)}"><bdi>${shown(up)}</bdi></a>`),
    status >= 500 ? `<a href="">${said("again")}</a>` : "",
    status === 503 && kind !== "down"
      ? `<a href="/.mirrorkit/#repositories">${said("status")}</a>`
      : "",
    `<a href="/">${said("home")}</a>`,
  ].filter((link) => link !== "");
  return `<!DOCTYPE html>\n<html lang="${language}" dir="${directionOf(language)}">\n` +
    `<head>\n<meta charset="utf-8">\n` +
    `<meta name="viewport" content="width=device-width, initial-scale=1">\n` +
    `<title>${title}</title>\n<style>${STYLE}</style>\n${CHOSEN}</head>\n<body>\n<main>\n` +
    `<p class="quiet">${title}</p>\n<h1>${escapeHtml(heading)}</h1>\n<p>${escapeHtml(help)}</p>\n` +
    `<ul>\n${links.map((link) => `<li>${link}</li>\n`).join("")}</ul>\n</main>\n</body>\n</html>\n`;
}
