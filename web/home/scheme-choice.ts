import { css, html, LitElement } from "lit";
import { customElement, state } from "lit/decorators.js";
import { t, Translated } from "../base/language.ts";

/**
 * Shows what concerns one protocol of those that stand in it (`data-scheme`), and lets the reader choose
 * which. Without script all stand there, one after the other.
 *
 * @element scheme-choice
 * @slot - elements with `data-scheme`, and whatever is for all
 */
@customElement("scheme-choice")
export class SchemeChoice extends LitElement {
  static override styles = css`
    :host {
      display: block;
    }
    fieldset {
      display: flex;
      flex-wrap: wrap;
      gap: 0.25rem 1.25rem;
      margin: 0 0 1.25rem;
      padding: 0;
      border: 0;
    }
    legend {
      float: inline-start;
      margin-inline-end: 1.25rem;
      padding: 0;
      color: var(--quiet);
    }
    label {
      display: inline-flex;
      align-items: center;
      gap: 0.4rem;
      cursor: pointer;
    }
    input {
      margin: 0;
      accent-color: var(--accent);
    }
    :focus-visible {
      outline: 2px solid var(--accent);
      outline-offset: 2px;
    }
  `;

  @state()
  private accessor schemes: string[] = [];

  @state()
  private accessor chosen = "";

  protected translated = new Translated(this);

  #parts(): HTMLElement[] {
    return [...this.querySelectorAll<HTMLElement>("[data-scheme]")];
  }

  override connectedCallback() {
    super.connectedCallback();
    this.schemes = [...new Set(this.#parts().map((part) => part.dataset.scheme!))];
    this.chosen = this.schemes[0] ?? "";
  }

  override updated() {
    for (const part of this.#parts()) part.hidden = part.dataset.scheme !== this.chosen;
    // A repository that is not offered this way says nothing about it.
    for (const article of this.querySelectorAll<HTMLElement>("article")) {
      article.hidden = !article.querySelector("[data-scheme]:not([hidden])");
    }
  }

  override render() {
    return html`
      ${this.schemes.length < 2 ? "" : html`
        <fieldset>
          <legend>${t("home.protocol")}</legend>
          ${this.schemes.map((scheme) =>
            html`
              <label><input type="radio" name="scheme" .checked=${scheme === this.chosen}
                @change=${() => this.chosen = scheme}>${scheme}</label>
            `
          )}
        </fieldset>
      `}
      <slot></slot>
    `;
  }
}
