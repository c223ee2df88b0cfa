/**
 * The home page's HTML: whole without script, in lynx too. Each part is a function of the model; the
 * browser's elements (web/home/) keep it current.
 */
import { html as markup } from "hono/html";
import { translator } from "../../formats/messages.ts";
import { nodesView } from "../../formats/node_view.ts";
import { repoView } from "../../formats/repo_view.ts";
import { formatBitRate, formatBytes, formatMinute, formatTime } from "../../formats/units.ts";
import { foot, head, privacy } from "./frame.ts";
import type { HomeModel, Use } from "./model.ts";
import { type Part, type Render, type Say, sayIn } from "./say.ts";
import { statesTable } from "./states.ts";

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
