/**
 * Words in the home page's HTML: the browser says them again in the language that its reader chose. `data-t`
 * names the message of a text, `data-words` holds the operator's in all languages.
 *
 * (`html` of hono is called `markup` here: it escapes the same, and deno fmt leaves its white space alone.)
 */
import { html as markup, raw } from "hono/html";
import { type Key, translator, type Values } from "../../formats/messages.ts";
import { paragraphs, type Words, wordsIn } from "../../formats/site.ts";
import type { HomeModel } from "./model.ts";

export type Part = ReturnType<typeof markup> | string;

/** A part of the page as a function of the model. */
export type Render = (model: HomeModel, say: Say) => Part;

/** Says a message in an element that names it. */
export type Say = (tag: string, key: Key, values?: Values, attributes?: Part) => Part;

export function sayIn(model: HomeModel): Say {
  const t = translator(model.language);
  return (tag, key, values, attributes = "") => {
    const filled = values ? markup` data-t-values="${JSON.stringify(values)}"` : "";
    return markup`<${raw(tag)}${attributes} data-t="${key}"${filled}>${t(key, values)}</${
      raw(tag)
    }>`;
  };
}

/** The operator's words in an element; where there are several languages, it holds all. */
export function words(tag: string, all: Words, model: HomeModel, attributes: Part = ""): Part {
  const { language, site: { languages } } = model;
  const shown = wordsIn(all, language, languages);
  const others = typeof all === "string" ? "" : markup` data-words="${JSON.stringify(all)}"`;
  const text = tag === "div" ? paragraphs(shown).map((p) => markup`<p>${p}</p>`) : shown;
  return markup`<${raw(tag)}${attributes}${others}>${text}</${raw(tag)}>`;
}
