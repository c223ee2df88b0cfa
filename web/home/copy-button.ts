import { css, html, LitElement } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { copyText } from "../base/clipboard.ts";
import { t, Translated } from "../base/language.ts";

/** How long it says that it copied. */
const SAID_MS = 2000;

/**
 * Copies the text of another element, and says so.
 *
 * @element copy-button
 */
@customElement("copy-button")
export class CopyButton extends LitElement {
  static override styles = css`
    button {
      padding: 0.1rem 0.6rem;
      border: 1px solid var(--line);
      border-radius: 4px;
      background: var(--paper);
      color: var(--quiet);
      font: inherit;
      font-size: var(--small);
      cursor: pointer;
    }
    button:hover {
      border-color: var(--edge);
      color: var(--text);
    }
    :focus-visible {
      outline: 2px solid var(--accent);
      outline-offset: 2px;
    }
  `;

  /** The id of the element whose text is copied. */
  @property({ attribute: "for" })
  accessor source = "";

  @state()
  private accessor copied = false;

  protected translated = new Translated(this);

  async #onClick() {
    const source = document.getElementById(this.source);
    this.copied = await copyText(source?.textContent ?? "");
    // Where copying is refused, the text is selected: Ctrl-C is left to the reader.
    if (!this.copied && source) getSelection()?.selectAllChildren(source);
    setTimeout(() => this.copied = false, SAID_MS);
  }

  override render() {
    const place = document.getElementById(this.source)?.closest("figure, li");
    const what = place?.querySelector("figcaption, a")?.textContent?.trim() ?? "";
    return html`
      <button @click=${this.#onClick} aria-label=${`${t("copy")} ${what}`.trim()}>
        <span role="status">${this.copied ? t("copied") : t("copy")}</span>
      </button>
    `;
  }
}
