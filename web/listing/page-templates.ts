/** The parts of the page around the rows, as pure functions of what is known. */
import { html, nothing, type TemplateResult } from "lit";
import { t } from "../base/language.ts";
import type { FileEntry } from "../../formats/listing.ts";
import type { Loader } from "./load.ts";
import { type Crumb, crumbsOf, redirectedOf, totalsOf } from "../../formats/listing_view.ts";

/** The window's title: the path, then the mirror. */
export function title(mirror: string, pathname: string): string {
  const names = crumbsOf(mirror, pathname).slice(1).map((crumb) => crumb.name);
  return `${names.join("/") || "/"} · ${mirror}`;
}

export function crumbs(mirror: string, pathname: string): TemplateResult {
  const all = crumbsOf(mirror, pathname);
  const crumb = ({ name, href }: Crumb, i: number) =>
    html`<li><a href=${href} aria-current=${
      i === all.length - 1 ? "page" : nothing
    }>${name}</a></li>`;
  const last = all.at(-1)!.name;
  return html`
    <nav aria-label=${t("listing.path")}>
      <ol class="crumbs">${all.map(crumb)}</ol>
    </nav>
    <h1 class="unseen">${last}</h1>
  `;
}

/** The line of totals, and what else is to be known of the directory. */
export function summary(loader: Loader, pathname: string, readme?: FileEntry): TemplateResult {
  const { head } = loader.kept;
  const totals = head ? totalsOf(head, t) : loader.phase === "loading" ? t("listing.loading") : "";
  const redirected = head ? redirectedOf(head, pathname, t) : "";
  return html`
    <p class="summary">
      ${totals}${readme
        ? html`
          · <a href="#readme" @click=${toReadme}>${readme.name}</a>
        `
        : nothing}
    </p>
    ${redirected ? html`<p class="summary">${redirected}</p>` : nothing}
  `;
}

/** A fragment would be the name of an entry. */
function toReadme(event: Event) {
  event.preventDefault();
  document.querySelector("readme-text")?.scrollIntoView();
}

/** What the tools call. */
export interface Actions {
  type: (event: Event) => void;
  leave: () => void;
  help: () => void;
}

/** The filter, what it found, and the way to the help. */
export function search(
  { kept }: Loader,
  filter: string,
  found: number | undefined,
  hinted: boolean | undefined,
  actions: Actions,
): TemplateResult {
  const count = !kept.complete
    ? kept.count > 0 ? t("listing.sofar", { n: kept.count }) : ""
    : filter
    ? t("listing.matches", { n: found ?? 0, all: kept.count })
    : t("listing.count", { n: kept.count });
  const mac = /^Mac|^iP/.test(navigator.platform);
  return html`
    <div class="search" role="search">
      <input
        name="filter"
        type="search"
        placeholder=${t("listing.filter")}
        aria-label=${t("listing.filter")}
        autocomplete="off"
        autocapitalize="none"
        spellcheck="false"
        enterkeyhint="done"
        .value=${filter}
        @input=${actions.type}
        @blur=${actions.leave}
      >
      <output>${count}</output>
      <button type="button" class="keys" @click=${actions.help}>${t("listing.keys")}</button>
    </div>
    ${hinted
      ? html`<p class="hint" role="status">${
        t("listing.filter.hint", { n: kept.count, key: mac ? "⌘F" : "Ctrl+F" })
      }</p>`
      : nothing}
  `;
}

const plain = () => html`<a href="?format=html">${t("listing.plain")}</a>`;

/** What went wrong with the connection, and the ways on. */
export function trouble(loader: Loader): TemplateResult | typeof nothing {
  const { phase, kept, failures } = loader;
  if (phase === "complete" || phase === "loading" && failures === 0) return nothing;
  const said = phase === "refused"
    ? t("listing.refused", { why: loader.error })
    : kept.count > 0
    ? t("listing.cut", { n: kept.count })
    : t("listing.unreachable");
  const again = phase === "refused" ? () => location.reload() : loader.again;
  return html`
    <div class="notice" role="alert">
      <p>${said}</p>
      <p><button type="button" @click=${again}>${t("retry")}</button> ${plain()}</p>
    </div>
  `;
}

/** No row at all, and why. */
export function nothingThere(
  { kept, phase }: Loader,
  filter: string,
  found: number | undefined,
  clear: () => void,
): TemplateResult | typeof nothing {
  if (phase !== "complete") return nothing;
  if (kept.count === 0) return html`<p class="none">${t("listing.empty")}</p>`;
  if (filter === "" || found !== 0) return nothing;
  return html`<p class="none">
    ${t("listing.nothing", { text: filter })}
    <button type="button" @click=${clear}>${t("listing.clear")}</button>
  </p>`;
}
