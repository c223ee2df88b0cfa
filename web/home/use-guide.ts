import { css, html, LitElement, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { t, Translated } from "../base/language.ts";
import { choiceStyles } from "./choice.css.ts";

/**
 * Shows what to write for one repository over one protocol, and lets the reader choose both. Without script
 * all of it stands there, one after the other.
 *
 * @element use-guide
 * @slot - an `article` with `data-repo` for each repository, in it elements with `data-scheme`
 */
@customElement("use-guide")
export class UseGuide extends LitElement {
  static override styles = [
    choiceStyles,
    css`
      :host {
        display: block;
      }
      fieldset {
        margin-bottom: 0.5rem;
      }
    `,
  ];

  @state()
  private accessor repo = "";

  @state()
  private accessor scheme = "";

  protected translated = new Translated(this);

  get #articles(): HTMLElement[] {
    return [...this.querySelectorAll<HTMLElement>("article")];
  }

  /** The protocols that have something to say of a repository. */
  #schemes(repo: string): string[] {
    const article = this.#articles.find((a) => a.dataset.repo === repo);
    const parts = article?.querySelectorAll<HTMLElement>("[data-scheme]") ?? [];
    return [...new Set([...parts].map((part) => part.dataset.scheme!))];
  }

  override connectedCallback() {
    super.connectedCallback();
    const [first] = this.#articles;
    this.#choose(first?.dataset.repo ?? "");
  }

  #choose(repo: string) {
    const schemes = this.#schemes(repo);
    this.repo = repo;
    if (!schemes.includes(this.scheme)) this.scheme = schemes[0] ?? "";
  }

  override updated() {
    for (const article of this.#articles) {
      article.hidden = article.dataset.repo !== this.repo;
      for (const part of article.querySelectorAll<HTMLElement>("[data-scheme]")) {
        part.hidden = part.dataset.scheme !== this.scheme;
      }
    }
  }

  #choice(legend: string, all: string[], chosen: string, choose: (one: string) => void) {
    if (all.length < 2) return nothing;
    return html`
      <fieldset>
        <legend>${legend}</legend>
        ${all.map((one) =>
          html`
            <label><input type="radio" name=${legend} .checked=${one === chosen}
              @change=${() => choose(one)}><span>${one}</span></label>
          `
        )}
      </fieldset>
    `;
  }

  override render() {
    const repos = this.#articles.map((article) => article.dataset.repo!);
    return html`
      ${this.#choice(t("repo.name"), repos, this.repo, (repo) => this.#choose(repo))}
      ${this.#choice(
        t("home.protocol"),
        this.#schemes(this.repo),
        this.scheme,
        (scheme) => this.scheme = scheme,
      )}
      <slot></slot>
    `;
  }
}
