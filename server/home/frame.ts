/** What stands above and below the sections of the home page, and the statement of privacy. */
import { html as markup } from "hono/html";
import type { Key } from "../../formats/messages.ts";
import type { HomeModel } from "./model.ts";
import { type Part, type Render, type Say, words } from "./say.ts";

/** A host's name, which on a narrow screen breaks after its dots, not within a word. */
const hostName = (name: string) =>
  name.split(/(?<=\.)/).map((part, i) => i === 0 ? part : markup`<wbr>${part}`);

export const head: Render = (model, say) => {
  const { site, urls, health: { repos: { length: n } } } = model;
  const schemes = [...new Set(urls.map((url) => url.slice(0, url.indexOf(":"))))].join(", ");
  const offered = markup`<p class="quiet">${say("span", "home.protocols")} ${schemes}</p>
`;
  return markup`<header>
${
    site.title
      ? markup`<p class="host">${hostName(site.name)}</p>
`
      : ""
  }<h1>${site.title ?? hostName(site.name)}</h1>
${site.about ? words("div", site.about, model) : say("p", "home.about", { n })}
${schemes ? offered : ""}</header>`;
};

export const privacy: Render = (model, say) => {
  const { site, anonymous } = model;
  const own = markup`<p>${say("span", "home.privacy")} ${
    anonymous ? say("span", "home.privacy.logs") : ""
  }</p>`;
  return markup`<section id="privacy">
${say("h2", "privacy")}
${site.privacy ? words("div", site.privacy, model) : own}
</section>`;
};

function contact({ site }: HomeModel, say: Say): Part {
  if (!site.contact) return "";
  const mail = /^[^\s:@]+@[^\s:@]+$/.test(site.contact);
  const href = mail ? `mailto:${site.contact}` : site.contact;
  return /^(?:mailto:|https?:)/.test(href)
    ? say("a", "contact", undefined, markup` href="${href}"`)
    : markup`<span>${site.contact}</span>`;
}

export const foot: Render = (model, say) => {
  const { site } = model;
  const links = site.links.map(({ text, url }) =>
    markup`${words("a", text, model, markup` href="${url}"`)}
`
  );
  const link = (key: Key, href: string) => say("a", key, undefined, markup` href="${href}"`);
  return markup`<footer>
${contact(model, say)}
${links}${link("status", "/status.json")}
${link("home.browse", "/?format=html")}
${site.source ? link("source", site.source) : ""}
<page-settings></page-settings>
</footer>`;
};
