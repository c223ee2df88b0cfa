/** What the operator says of the mirror, as the pages show it: texts by language, links, colours. */
import type { Language } from "./messages.ts";

/** A text, the same in all languages, or one for each. */
export type Words = string | Partial<Record<Language, string>>;

/** The text in a language; where there is none, in the first of `offered` that has one. */
export function wordsIn(words: Words, language: Language, offered: readonly Language[]): string {
  if (typeof words === "string") return words;
  const found = [language, ...offered, ...Object.keys(words) as Language[]].find((l) => words[l]);
  return found === undefined ? "" : words[found]!;
}

/** The paragraphs of a text: a blank line parts them. */
export const paragraphs = (text: string): string[] => text.trim().split(/\n\s*\n/);

/** A colour on light paper and on dark. */
export type ColorPair = [light: string, dark: string];

/** The colours that an operator may set. */
export interface Colors {
  accent?: ColorPair;
  text?: ColorPair;
  paper?: ColorPair;
}

/** The palette of web/base/base.css, where an operator sets none. */
export const PALETTE: Required<Colors> = {
  accent: ["#1f5c87", "#8cc2e8"],
  text: ["#1c1d1f", "#e6e4df"],
  paper: ["#fdfcfa", "#151719"],
};

/** Relative luminance of `#rrggbb` (WCAG 2.2). */
function luminance(color: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const c = parseInt(color.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Contrast of two colours `#rrggbb`, 1 to 21 (WCAG 2.2). */
export function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

/**
 * `/.mirrorkit/site.css`: what mirror.toml says of all pages. The operator's colours stand over the
 * palette, unless the reader asked for more contrast or has colours of their own. The languages are a
 * property that scripts read: so they know them without a further request.
 */
export function siteCss(colors: Colors, languages: readonly Language[]): string {
  const lines = Object.entries(colors).map(([name, [light, dark]]) =>
    `    --${name}: light-dark(${light}, ${dark});\n`
  ).join("");
  return `:root {\n  --languages: "${languages.join(" ")}";\n}\n` + (lines &&
    `@media (prefers-contrast: no-preference) and (forced-colors: none) {\n  :root {\n${lines}  }\n}\n`);
}
