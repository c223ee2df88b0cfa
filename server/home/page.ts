/**
 * The home page's HTML: whole without script, in lynx too. Each part is a function of the model; the
 * browser's elements (web/home/) keep it current and say it in the language that its reader chose:
 * `data-t` names the message of a text, `data-language` the language of a part.
 */
import { html, raw } from "hono/html";
import { formatBytes, formatMinute, formatTime } from "../../formats/units.ts";
import { type Key, type Translate, translator, type Values } from "../../formats/messages.ts";
import { repoView } from "../../formats/repo_view.ts";
import { type Words, wordsIn } from "../../formats/site.ts";
import type { HomeModel, Use } from "./model.ts";

type Part = ReturnType<typeof html> | string;

/** Parts of one page in one language. */
class Page {
  private t: Translate;

  constructor(private model: HomeModel) {
    this.t = translator(model.language);
  }

  /** The attributes that name a message. */
  private key(key: Key, values?: Values): Part {
    const filled = values
      ? html`
        data-t-values="${JSON.stringify(values)}"
      `
      : "";
    return html`
      data-t="${key}"${filled}
    `;
  }

  private heading(key: Key): Part {
    return html`<h2${this.key(key)}>${this.t(key)}</h2>`;
  }

  /** The operator's words as paragraphs, in each language that there are; one of them is shown. */
  private words(words: Words): Part {
    const { language, site } = this.model;
    const paragraphs = (text: string) => text.trim().split(/\n\s*\n/).map((p) => html`<p>${p}</p>`);
    if (typeof words === "string") return html`${paragraphs(words)}`;
    const shown = wordsIn(words, language, site.languages);
    return html`${
      site.languages.map((tag) => {
        const text = wordsIn(words, tag, site.languages);
        const hidden = text === shown && tag === language ? "" : raw(" hidden");
        return html`
          <div lang="${tag}" data-language="${tag}" ${hidden}>${paragraphs(text)}</div>
        `;
      })
    }`;
  }

  head(): Part {
    const { site, urls, health } = this.model, n = health.repos.length;
    const schemes = [...new Set(urls.map((url) => url.slice(0, url.indexOf(":"))))];
    return html`<header>
<h1>${site.title ?? site.name}</h1>
${
      site.about
        ? this.words(site.about)
        : html`<p${this.key("home.about", { n })}>${this.t("home.about", { n })}</p>`
    }
${
      schemes.length
        ? html`
          <p class="quiet">
            <span${this.key("home.protocols")}>${this.t("home.protocols")}</span> ${schemes.join(
              ", ",
            )}</p>
        `
        : ""
    }
</header>`;
  }

  repos(): Part {
    const { health, now } = this.model;
    const views = health.repos.map((repo) => repoView(repo, now, this.t));
    const keys: Key[] = ["repo.name", "repo.state", ...views[0].cells.map((c) => c.key)];
    return html`<section id="repositories">
${this.heading("home.repos")}
<repo-list time="${health.time}"><table class="repos">
<thead><tr>${keys.map((key) => html`<th scope="col">${this.t(key)}</th>`)}</tr></thead>
<tbody>
${
      views.map((view) =>
        html`<tr class="${view.badge}">
<th scope="row"><a href="${view.href}">${view.name}</a></th>
<td><span class="badge ${view.badge}">${view.state}</span></td>
${
          view.cells.map(({ key, text, exact, datetime }) =>
            html`
              <td data-label="${this.t(key)}" ${exact
                ? html`
                  title="${exact}"
                `
                : ""}>${datetime ? html`<time datetime="${datetime}">${text}</time>` : text}</td>
            `
          )
        }
</tr>
${
          view.reason
            ? html`
              <tr class="why">
                <td></td>
                <td colspan="${keys.length - 1}">${view.reason}</td>
              </tr>
            `
            : ""
        }`
      )
    }</tbody>
</table></repo-list>
</section>`;
  }

  private use({ repo, href, ways }: Use): Part {
    const figures = ways.flatMap(({ scheme, snippets }) =>
      snippets.map(({ tool, file, text }, i) => {
        const id = `use-${repo}-${scheme}-${i}`;
        const name = scheme === "rsync"
          ? html`<span${this.key("home.rsync")}>${this.t("home.rsync")}</span>`
          : tool;
        return html`
          <figure data-scheme="${scheme}">
            <figcaption>${name}${file
              ? html`
                <code>${file}</code>
              `
              : ""}</figcaption>
            <pre id="${id}">${text}</pre>
            <copy-button for="${id}"></copy-button>
          </figure>
        `;
      })
    );
    return html`
      <article id="use-${repo}">
      <h3><a href="${href}">${repo}</a></h3>
      ${figures}</article>
    `;
  }

  uses(): Part {
    const uses = this.model.uses.filter(({ ways }) => ways.some((w) => w.snippets.length));
    if (uses.length === 0) return "";
    return html`<section id="use">
${this.heading("home.use")}
<scheme-choice>
${uses.map((use) => this.use(use))}</scheme-choice>
</section>`;
  }

  images(): Part {
    const { images } = this.model;
    if (images.length === 0) return "";
    const all = images.flatMap(({ repo, images }) => images.map((image) => ({ repo, ...image })));
    return html`<section id="images">
${this.heading("home.images")}
<ul class="images">
${
      all.map(({ repo, name, href, bytes, mtime, sha256 }, i) =>
        html`
          <li>
          <a href="${href}">${name}</a> <span class="quiet">${repo} · ${formatBytes(
            bytes,
          )} · <time datetime="${formatTime(mtime)}">${formatMinute(mtime).slice(
            0,
            10,
          )}</time></span>
          ${sha256
            ? html`
              <div
                class="sum"><span class="quiet">SHA-256</span> <code id="sum-${i}">${sha256}</code> <copy-button for="sum-${i}"></copy-button></div>
            `
            : ""}</li>
        `
      )
    }</ul>
</section>`;
  }

  privacy(): Part {
    const { site, anonymous } = this.model;
    const own = html`
      <p>
        <span${this.key("home.privacy")}>${this.t("home.privacy")}</span>${anonymous
          ? html`
            <span${this.key("home.privacy.logs")}>${this.t("home.privacy.logs")}</span>
          `
          : ""}</p>
    `;
    return html`<section id="privacy">
${this.heading("privacy")}
${site.privacy ? this.words(site.privacy) : own}
</section>`;
  }

  private contact(): Part {
    const { contact } = this.model.site;
    if (!contact) return "";
    const href = contact.includes("@") && !contact.includes(":") ? `mailto:${contact}` : contact;
    return /^(?:mailto:|https?:)/.test(href)
      ? html`
        <a href="${href}" ${this.key("contact")}>${this.t("contact")}</a>\\n
      `
      : html`<span>${contact}</span>\n`;
  }

  foot(): Part {
    const { site, language } = this.model;
    return html`<footer>
${this.contact()}${
      site.links.map(({ text, url }) =>
        html`
          <a href="${url}">${wordsIn(text, language, site.languages)}</a>
        `
      )
    }<a href="/status.json"${this.key("status")}>${this.t("status")}</a>
<a href="?format=html"${this.key("home.browse")}>${this.t("home.browse")}</a>
${
      site.source
        ? html`
          <a href="${site.source}" ${this.key("source")}>${this.t("source")}</a>
        `
        : ""
    }<page-settings></page-settings>
</footer>`;
  }
}

/** All that stands in the body. */
export async function homeBody(model: HomeModel): Promise<string> {
  const page = new Page(model), t = translator(model.language);
  return String(
    await html`
      <a class="skip" href="#repositories" data-t="skip">${t("skip")}</a>
      ${page.head()}
      <main>
      ${page.repos()}
      ${page.uses()}
      ${page.images()}
      ${page.privacy()}
      </main>
      ${page.foot()}
    `,
  );
}
