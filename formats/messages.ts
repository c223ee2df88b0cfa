/**
 * What the pages say, in each language: a plain file a language (`messages/en.json`), from keys to texts.
 * English has every message; one that another language lacks is said in English. To add a language, write
 * its file and name it in {@linkcode LANGUAGES} and {@linkcode MESSAGES}, and in web/base/language.ts.
 *
 * A page's bundle has those that it says, in English (web/build.ts); another language comes when it is wanted.
 */
import en from "./messages/en.json" with { type: "json" };
import ko from "./messages/ko.json" with { type: "json" };
import type { LaterKey } from "./messages_later.ts";
import { formatNumber } from "./units.ts";

/** The languages there are, each by its own name. */
export const LANGUAGES = { en: "English", ko: "한국어" } as const;
export type Language = keyof typeof LANGUAGES;

/** The name of a message; {@linkcode LaterKey} for those of parts that bring their own. */
export type Key = keyof typeof en | LaterKey;

/** A text, or one for each plural category that the language has (Unicode's: one, few, other …). */
export type Message = string | { [category: string]: string };

export const MESSAGES: Record<Language, Partial<Record<Key, Message>>> = { en, ko };

/** What stands in for `{name}` in a message. `n` picks the plural; numbers get their commas. */
export type Values = Record<string, string | number>;

/** Says a message. The result is text, never markup. */
export type Translate = (key: Key, values?: Values) => string;

const plurals = new Map<Language, Intl.PluralRules>();

function category(language: Language, n: number): string {
  let rules = plurals.get(language);
  if (!rules) plurals.set(language, rules = new Intl.PluralRules(language));
  return rules.select(n);
}

/** Says messages in a language, and what it lacks in English. */
export function translator(language: Language): Translate {
  return (key, values = {}) => {
    const own = MESSAGES[language][key], message = own ?? MESSAGES.en[key]!;
    const text = typeof message === "string"
      ? message
      : message[category(own ? language : "en", Number(values.n))] ?? message.other;
    return text.replace(/\{(\w+)\}/g, (whole, name) => {
      const value = values[name];
      return value === undefined ? whole : typeof value === "number" ? formatNumber(value) : value;
    });
  };
}

/**
 * The first of the wanted language tags that is offered (`ko-KR` is `ko`), or else the first offered.
 * `wanted` is `navigator.languages`, or an `Accept-Language` field split at its commas: browsers sort both.
 */
export function pickLanguage(wanted: readonly string[], offered: readonly Language[]): Language {
  for (const tag of wanted) {
    const primary = /^\s*([a-z]+)/i.exec(tag)?.[1].toLowerCase();
    const found = offered.find((language) => language === primary);
    if (found) return found;
  }
  return offered[0];
}

/** Which way a language is written. */
export const directionOf = (language: string): "ltr" | "rtl" =>
  /^(?:ar|fa|he|ur|yi|ps|dv|ckb)\b/.test(language) ? "rtl" : "ltr";
