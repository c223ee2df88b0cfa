/** The language of the page: chosen by the reader, else by the browser. */
import type { ReactiveController, ReactiveControllerHost } from "lit";
import {
  directionOf,
  type Key,
  type Language,
  LANGUAGES,
  MESSAGES,
  pickLanguage,
  type Translate,
  translator,
} from "../../formats/messages.ts";
import { paragraphs, wordsIn } from "../../formats/site.ts";
import { store, stored } from "./choice.ts";

/** The languages that the site offers (`--languages` of site.css); all where that did not come. */
export const OFFERED: readonly Language[] = (() => {
  const all = Object.keys(LANGUAGES) as Language[];
  const said = getComputedStyle(document.documentElement).getPropertyValue("--languages");
  const offered = said.match(/\w+/g)?.filter((tag): tag is Language => tag in LANGUAGES) ?? [];
  return offered.length ? offered : all;
})();
const CHANGED = "mirrorkit-language";

/** What is said in languages other than English comes when one of them is wanted. */
const TEXTS: Record<Exclude<Language, "en">, () => Promise<{ default: object }>> = {
  ko: () => import("../../formats/messages/ko.json", { with: { type: "json" } }),
};

/** Brings what is said in a language. Where that cannot be had, it is said in English. */
async function bring(language: Language) {
  if (language === "en") return;
  const texts = await TEXTS[language]().catch(() => undefined);
  Object.assign(MESSAGES[language], texts?.default);
}

let current = pickLanguage([stored("language") ?? "", ...navigator.languages], OFFERED);
await bring(current);
let wanted = current;
let say = translator(current);

/** The language in use. */
export const language = (): Language => current;

/** Says a message in it. In an element that shows one, add a {@linkcode Translated}. */
export const t: Translate = (key, values) => say(key, values);

/** Changes the language for this page and all later ones. */
export async function chooseLanguage(chosen: Language): Promise<void> {
  store("language", chosen);
  wanted = chosen;
  await bring(chosen);
  // Meanwhile another may have been chosen.
  if (wanted !== chosen) return;
  current = chosen;
  say = translator(chosen);
  translatePage();
  document.dispatchEvent(new Event(CHANGED));
}

/** Calls back whenever the language was changed, until the signal aborts. */
export function onLanguage(changed: () => void, signal?: AbortSignal): void {
  document.addEventListener(CHANGED, changed, { signal });
}

/** Renders its element anew whenever the language was changed: `new Translated(this)`. */
export class Translated implements ReactiveController {
  #gone?: AbortController;

  constructor(private host: ReactiveControllerHost) {
    host.addController(this);
  }
  hostConnected() {
    this.#gone = new AbortController();
    onLanguage(() => this.host.requestUpdate(), this.#gone.signal);
  }
  hostDisconnected() {
    this.#gone?.abort();
  }
}

/**
 * Says the fixed words of the page's own HTML: `data-t="key"` for an element's text, `data-t-label="key"`
 * for its `aria-label`; `data-t-values` holds the values of either as JSON. `data-words` holds the
 * operator's own text in each language.
 */
export function translatePage(root: ParentNode = document): void {
  document.documentElement.lang = current;
  document.documentElement.dir = directionOf(current);
  for (const element of root.querySelectorAll<HTMLElement>("[data-t], [data-t-label]")) {
    const { t: text, tLabel: label, tValues: values } = element.dataset;
    const filled = values === undefined ? undefined : JSON.parse(values);
    if (text) element.textContent = t(text as Key, filled);
    if (label) element.setAttribute("aria-label", t(label as Key, filled));
  }
  for (const element of root.querySelectorAll<HTMLElement>("[data-words]")) {
    const text = wordsIn(JSON.parse(element.dataset.words!), current, OFFERED);
    if (element.localName !== "div") element.textContent = text;
    else element.replaceChildren(...paragraphs(text).map(paragraph));
  }
}

function paragraph(text: string): HTMLElement {
  const p = document.createElement("p");
  p.textContent = text;
  return p;
}
