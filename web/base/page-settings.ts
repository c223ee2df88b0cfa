import { css, html, LitElement } from "lit";
import { customElement } from "lit/decorators.js";
import { type Language, LANGUAGES } from "../../formats/messages.ts";
import { showTheme, store, type Theme, theme, THEMES } from "./choice.ts";
import { chooseLanguage, language, OFFERED, t, Translated } from "./language.ts";

/**
 * Lets the reader choose appearance and language: two selects, stored for all pages.
 *
 * @element page-settings
 */
@customElement("page-settings")
export class PageSettings extends LitElement {
  static override styles = css`
    :host {
      display: inline-flex;
      flex-wrap: wrap;
      gap: 0.25rem 1rem;
    }
    select {
      max-width: 100%;
      padding: 0.2rem 0.1rem;
      border: 0;
      border-radius: 0.2rem;
      background: transparent;
      color: inherit;
      font: inherit;
      cursor: pointer;
    }
    select:hover {
      color: var(--text);
    }
    option {
      background: var(--paper);
      color: var(--text);
    }
    :focus-visible {
      outline: 2px solid var(--accent);
      outline-offset: 1px;
    }
  `;

  protected translated = new Translated(this);

  #onTheme({ target }: Event) {
    const chosen = (target as HTMLSelectElement).value as Theme;
    store("theme", chosen === "auto" ? undefined : chosen);
    showTheme(chosen);
  }

  #onLanguage({ target }: Event) {
    chooseLanguage((target as HTMLSelectElement).value as Language);
  }

  override render() {
    const chosen = theme();
    return html`
      <select aria-label=${t("theme")} @change=${this.#onTheme}>
        ${THEMES.map((name) =>
          html`<option value=${name} ?selected=${name === chosen}>${t(`theme.${name}`)}</option>`
        )}
      </select>
      ${OFFERED.length < 2 ? "" : html`
        <select aria-label=${t("language")} @change=${this.#onLanguage}>
          ${OFFERED.map((tag) =>
            html`<option value=${tag} lang=${tag} ?selected=${tag === language()}>${
              LANGUAGES[tag]
            }</option>`
          )}
        </select>
      `}
    `;
  }
}
