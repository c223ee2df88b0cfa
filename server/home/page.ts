/**
 * The home page's HTML: whole without script, in lynx too. Each part is a function of the model; the
 * browser's elements (web/home/) keep it current and say it in the language that its reader chose:
 * `data-t` names the message of a text, `data-words` holds the operator's in all languages.
 *
 * (`html` of hono is called `markup` here: it escapes the same, and deno fmt leaves its white space alone.)
 */
import { html as markup, raw } from "hono/html";
import { formatBitRate, formatBytes, formatMinute, formatTime } from "../../formats/units.ts";
import { type Key, translator, type Values } from "../../formats/messages.ts";
import { nodesView } from "../../formats/node_view.ts";
import { repoView } from "../../formats/repo_view.ts";
import { paragraphs, type Words, wordsIn } from "../../formats/site.ts";
import type { HomeModel, Use } from "./model.ts";
import { statesTable } from "./states.ts";

type Part = ReturnType<typeof markup> | string;

/** A part of the page as a function of the model. */
type Render = (model: HomeModel, say: Say) => Part;

/** Says a message in an element that names it. */
type Say = (tag: string, key: Key, values?: Values, attributes?: Part) => Part;

function sayIn(model: HomeModel): Say {
  const t = translator(model.language);
  return (tag, key, values, attributes = "") => {
    const filled = values ? markup` data-t-values="${JSON.stringify(values)}"` : "";
    return markup`<${raw(tag)}${attributes} data-t="${key}"${filled}>${t(key, values)}</${
      raw(tag)
    }>`;
  };
}

/** The operator's words in an element; where there are several languages, it holds all. */
function words(tag: string, all: Words, model: HomeModel, attributes: Part = ""): Part {
  const { language, site: { languages } } = model;
  const shown = wordsIn(all, language, languages);
  const others = typeof all === "string" ? "" : markup` data-words="${JSON.stringify(all)}"`;
  const text = tag === "div" ? paragraphs(shown).map((p) => markup`<p>${p}</p>`) : shown;
  return markup`<${raw(tag)}${attributes}${others}>${text}</${raw(tag)}>`;
}

const head: Render = (model, say) => {
  const { site, urls, health: { repos: { length: n } } } = model;
  const schemes = [...new Set(urls.map((url) => url.slice(0, url.indexOf(":"))))].join(", ");
  const offered = markup`<p class="quiet">${say("span", "home.protocols")} ${schemes}</p>
`;
  return markup`<header>
${
    site.title
      ? markup`<p class="host">${site.name}</p>
`
      : ""
  }<h1>${site.title ?? site.name}</h1>
${site.about ? words("div", site.about, model) : say("p", "home.about", { n })}
${schemes ? offered : ""}</header>`;
};

const repos: Render = ({ health, now, language }, say) => {
  const t = translator(language), rows = health.repos.map((repo) => repoView(repo, now, t));
  return markup`<section id="repositories">
${say("h2", "home.repos")}
<repo-list time="${health.time}">${statesTable(rows, "repo.name", "repo.state", t)}</repo-list>
</section>`;
};

function article({ repo, href, ways }: Use, say: Say): Part {
  const figures = ways.flatMap(({ scheme, snippets }) =>
    snippets.map(({ tool, file, text }, i) => {
      const id = `use-${repo}-${scheme}-${i}`;
      const name = scheme === "rsync" ? say("span", "home.rsync") : tool;
      return markup`<figure data-scheme="${scheme}">
<figcaption>${name}${file ? markup` <code>${file}</code>` : ""}</figcaption>
<pre id="${id}">${text}</pre>
<copy-button for="${id}"></copy-button>
</figure>
`;
    })
  );
  return markup`<article id="use-${repo}" data-repo="${repo}">
<h3><a href="${href}">${repo}</a></h3>
${figures}</article>
`;
}

const uses: Render = (model, say) => {
  const told = model.uses.filter(({ ways }) => ways.some((w) => w.snippets.length));
  return told.length === 0 ? "" : markup`<section id="use">
${say("h2", "home.use")}
<use-guide>
${told.map((use) => article(use, say))}</use-guide>
</section>`;
};

const images: Render = (model, say) => {
  const all = model.images.flatMap(({ repo, images }) => images.map((i) => ({ repo, ...i })));
  const items = all.map(({ repo, name, href, bytes, mtime, sha256 }, i) => {
    const day = formatMinute(mtime).slice(0, 10);
    const sum = markup`<div class="sum"><span class="quiet">SHA-256</span>
<code id="sum-${i}">${sha256 ?? ""}</code> <copy-button for="sum-${i}"></copy-button></div>
`;
    return markup`<li><a href="${href}">${name}</a>
<span class="quiet">${repo}, ${formatBytes(bytes)}, <time datetime="${
      formatTime(mtime)
    }">${day}</time></span>
${sha256 ? sum : ""}</li>
`;
  });
  return all.length === 0 ? "" : markup`<section id="images">
${say("h2", "home.images")}
<ul class="images">
${items}</ul>
</section>`;
};

const traffic: Render = ({ spokes, language }, say) => {
  if (!spokes) return "";
  const t = translator(language);
  const items = spokes.map(({ id, ...rates }) => {
    const [sent, received] = [formatBitRate(rates.sent), formatBitRate(rates.received)];
    return markup`<li>${id}: ${t("home.traffic.now", { sent, received })}</li>
`;
  });
  return markup`<section id="traffic">
${say("h2", "home.traffic")}
<traffic-meter><ul>
${items}</ul></traffic-meter>
<traffic-history></traffic-history>
</section>`;
};

const nodes: Render = ({ nodes: state, now, language }, say) => {
  if (!state) return "";
  const t = translator(language), { nodes, old } = nodesView(state, now, t);
  return markup`<section id="nodes">
${say("h2", "home.nodes")}
<node-list time="${Math.floor(now)}">${old ? markup`<p class="notice">${old}</p>` : ""}
${statesTable(nodes, "node.name", "node.state", t)}</node-list>
</section>`;
};

const privacy: Render = (model, say) => {
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

const foot: Render = (model, say) => {
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

/** All that stands in the body. */
export async function homeBody(model: HomeModel): Promise<string> {
  const say = sayIn(model);
  const main = [repos, uses, images, traffic, nodes, privacy].map((part) => part(model, say));
  const shown = main.filter((part) => part !== "").map((part) =>
    markup`${part}
`
  );
  const skip = say("a", "skip", undefined, markup` class="skip" href="#repositories"`);
  return String(
    await markup`${skip}
${head(model, say)}
<main>
${shown}</main>
${foot(model, say)}`,
  );
}
