/** The `[site]` table of mirror.toml: what the pages say of this mirror, and its colours. */
import * as v from "valibot";
import { type Language, LANGUAGES } from "../../formats/messages.ts";
import { type Colors, contrast, PALETTE } from "../../formats/site.ts";
import { like, text } from "./schema.ts";

const TAGS = Object.keys(LANGUAGES) as [Language, ...Language[]];

const WORDS = `a text, or one a language: { ${TAGS.map((tag) => `${tag} = "…"`).join(", ")} }`;
const words = v.union([
  text("a text"),
  v.strictObject(
    Object.fromEntries(TAGS.map((tag) => [tag, v.optional(text("a text"))])) as Record<
      Language,
      v.OptionalSchema<ReturnType<typeof text>, undefined>
    >,
  ),
], `allowed is ${WORDS}`);

const LINK = "a URL (https, http, mailto) or a path such as /archlinux/";
const link = like(LINK, /^(?:https?:\/\/[^\s"<>]+|mailto:[^\s"<>]+|\/(?!\/)[^\s"<>]*)$/);

const URLS = 'the root of this mirror as its users write it, such as "https://mirror.example.org/"';
const url = v.pipe(
  like(URLS, /^(?:https?|rsync|ftp):\/\/[^\s"<>\/@]+\/(?:[^\s"<>]*\/)?$/),
);

const COLOR = 'a pair of colours, on light and on dark paper, such as ["#1f5c87", "#8cc2e8"]';
const color = like(COLOR, /^#[0-9a-f]{6}$/i);
const pair = v.tuple([color, color], `allowed is ${COLOR}`);

/** Contrast that WCAG 2.2 asks for: AA for links, AAA for text. */
const LEAST = { accent: 4.5, text: 7 };

/** What of the colours cannot be read, in words; `undefined` where all can. */
function unreadable(colors: Colors): string | undefined {
  const all = { ...PALETTE, ...colors };
  for (const name of ["accent", "text"] as const) {
    for (const [i, paper] of all.paper.entries()) {
      const found = contrast(all[name][i], paper);
      if (found >= LEAST[name]) continue;
      return `${name} ${all[name][i]} on ${
        ["light", "dark"][i]
      } paper ${paper} has a contrast of ` +
        `${found.toFixed(1)}, needed is ${LEAST[name]}`;
    }
  }
}

/** The schema of `[site]`. */
export const siteTable = v.strictObject({
  name: like(
    "the host name of this mirror, such as mirror.example.org",
    /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/,
  ),
  title: v.optional(text("a text")),
  contact: v.optional(text("an e-mail address or URL")),
  about: v.optional(words),
  privacy: v.optional(words),
  source: v.optional(link),
  links: v.optional(
    v.array(
      v.strictObject({ text: words, url: link }, 'allowed is { text = "…", url = "…" }'),
      "allowed is a list of links",
    ),
    [],
  ),
  urls: v.optional(v.array(url, `allowed is a list of URLs, each ${URLS}`)),
  languages: v.optional(
    v.pipe(
      v.array(v.picklist(TAGS, `allowed are ${TAGS.join(", ")}`), "allowed is a list of languages"),
      v.minLength(1, "allowed is at least one language"),
    ),
    TAGS,
  ),
  colors: v.optional(
    v.pipe(
      v.strictObject({
        accent: v.optional(pair),
        text: v.optional(pair),
        paper: v.optional(pair),
      }, "allowed is a table with accent, text, paper"),
      v.check((c) => unreadable(c) === undefined, (issue) => unreadable(issue.input)!),
    ),
    {},
  ),
}, "allowed is a table with a name");

/** `[site]`, defaults filled in. */
export type Site = v.InferOutput<typeof siteTable>;
