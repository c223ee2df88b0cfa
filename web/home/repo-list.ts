import { html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type NodeHealth, readHealth } from "../../formats/health.ts";
import { relative } from "../../formats/moments.ts";
import { type Cell, type RepoView, repoView } from "../../formats/repo_view.ts";
import { t, Translated } from "../base/language.ts";
import { getText, live } from "./live.ts";

const PERIOD_MS = 60_000;

const cell = ({ key, text, exact, datetime }: Cell) =>
  html`<td data-label=${t(key)} title=${exact ?? nothing}>${
    datetime ? html`<time datetime=${datetime}>${text}</time>` : text
  }</td>`;

const row = ({ name, href, badge, state, reason, cells }: RepoView) =>
  html`
    <tr class=${badge}>
      <th scope="row"><a href=${href}>${name}</a></th>
      <td><span class="badge ${badge}">${state}</span></td>
      ${cells.map(cell)}
    </tr>
    ${reason
      ? html`
        <tr class="why">
          <td></td>
          <td colspan=${cells.length + 1}>${reason}</td>
        </tr>
      `
      : nothing}
  `;

/**
 * The repositories and how they stand, from `/status.json`, again every minute. What the server rendered
 * in it stays until the first answer. It has no shadow: home.css styles both alike.
 *
 * @element repo-list
 */
@customElement("repo-list")
export class RepoList extends LitElement {
  /** When the server rendered it, in epoch seconds. */
  @property({ type: Number })
  accessor time = 0;

  @state()
  private accessor health: NodeHealth | undefined;

  /** The mirror could not be reached since. */
  @state()
  private accessor lost = false;

  protected translated = new Translated(this);
  #fresh = document.createElement("div");
  #gone?: AbortController;
  /** When the last answer came, on the browser's clock, which may be wrong by hours, but runs on. */
  #since = performance.now();

  protected override createRenderRoot() {
    return this.#fresh;
  }

  override connectedCallback() {
    super.connectedCallback();
    this.#gone = new AbortController();
    live({
      periodMs: PERIOD_MS,
      get: async (signal) => {
        const health = readHealth(await getText("/status.json", signal));
        if (!health) throw new Error("/status.json is damaged");
        return health;
      },
      got: (health) => {
        this.health = health;
        this.lost = false;
        this.#since = performance.now();
        if (!this.#fresh.isConnected) this.replaceChildren(this.#fresh);
      },
      lost: () => {
        this.lost = true;
        if (!this.#fresh.isConnected) this.append(this.#fresh);
        this.requestUpdate();
      },
    }, this.#gone.signal);
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#gone?.abort();
  }

  override render() {
    const then = this.health?.time ?? this.time;
    const now = then + (performance.now() - this.#since) / 1000;
    const notice = this.lost
      ? html`<p class="notice">${t("home.lost", { ago: relative(then, now, t) })}</p>`
      : nothing;
    const views = this.health?.repos.map((repo) => repoView(repo, now, t)) ?? [];
    const head = views.length
      ? [t("repo.name"), t("repo.state"), ...views[0].cells.map((c) => t(c.key))]
      : [];
    return html`
      <div role="status">${notice}</div>
      ${views.length
        ? html`
          <table class="repos">
            <thead>
              <tr>${head.map((text) => html`<th scope="col">${text}</th>`)}</tr>
            </thead>
            <tbody>${views.map(row)}</tbody>
          </table>
        `
        : nothing}
    `;
  }
}
