import "./shared.ts";
import "../../formats/messages_later.ts";
import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { baseStyles } from "../base/base-styles.ts";
import { t, Translated } from "../base/language.ts";
import { formatBytes } from "../../formats/units.ts";
import { copyText } from "../base/clipboard.ts";
import { curlLine, urlLines, type Wanted, wgetLine } from "./commands.ts";
import type { Kept } from "./kept.ts";
import type { Selection } from "./selection.ts";
import { Sums } from "./sums.ts";
import { wantedOf } from "./wanted.ts";

/**
 * What can be done with the rows that are selected: their URLs, commands and checksums, to be copied.
 *
 * @element selection-bar
 * @fires listing-deselect - the selection is to be cleared
 */
@customElement("selection-bar")
export class SelectionBar extends LitElement {
  static override styles = [
    baseStyles,
    css`
      :host {
        position: sticky;
        inset-block-end: 0;
        z-index: 2;
        display: block;
        margin-inline: -0.5rem;
        padding: 0.5rem;
        border-block-start: 1px solid var(--edge);
        background: var(--paper);
        font-size: var(--small);
      }
      div {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.35rem 0.5rem;
      }
      .what {
        margin-inline-end: auto;
      }
      textarea {
        width: 100%;
        margin-block-start: 0.5rem;
        box-sizing: border-box;
        background: var(--tint);
        color: inherit;
        font: var(--small) / 1.5 var(--mono);
      }
      @media print {
        :host {
          display: none;
        }
      }
    `,
  ];

  @property({ attribute: false })
  accessor kept!: Kept;
  @property({ attribute: false })
  accessor selection!: Selection;
  @property({ attribute: false })
  accessor version = 0;
  /** What was said last: copied, or why not. */
  @state()
  accessor said = "";
  /** What could not be copied, to be copied by hand. */
  @state()
  accessor byHand = "";

  protected translated = new Translated(this);
  private _sums?: Sums;

  override willUpdate(changed: PropertyValues<this>) {
    if (changed.has("kept")) this._sums = new Sums(this.kept);
    if (changed.has("version")) this.said = this.byHand = "";
  }

  /** Copies what was made for so many of the selected rows; `none` says why it was for none. */
  private async _copy(text: string, n: number, none = t("listing.uncopiable")) {
    const done = n > 0 && await copyText(text), total = this.selection.size;
    const copied = n < total ? t("listing.copied", { n, total }) : t("copied");
    this.said = done ? copied : n === 0 ? none : t("listing.uncopied");
    this.byHand = done ? "" : text;
  }

  /** Copies the URLs of what is selected. */
  copyUrls() {
    this._copyFor(urlLines, this._wanted);
  }

  private async _copySums() {
    this.said = t("listing.loading");
    const lines = await this._sums!.lines(this.selection);
    this._copy(lines.join("\n"), lines.length, t("listing.nosums"));
  }

  private _copyFor(line: (wanted: Wanted[]) => string, wanted: Wanted[]) {
    this._copy(line(wanted), wanted.length);
  }

  private get _wanted() {
    return wantedOf(this.kept, this.selection);
  }

  override render() {
    const { selection, kept } = this;
    const bytes = selection.list().reduce((sum, i) => sum + kept.entry(i).bytes, 0);
    const button = (label: string, copy: () => void) =>
      html`<button type="button" @click=${copy} aria-label="${
        t("listing.copy")
      }: ${label}">${label}</button>`;
    return html`
      <div role="region" aria-label=${t("listing.selected", { n: selection.size })}>
        <span class="what" role="status">
          ${t("listing.selected", { n: selection.size })} · ${formatBytes(bytes)}
          ${this.said
            ? html`
              · ${this.said}
            `
            : nothing}
        </span>
        <span>${t("listing.copy")}</span>
        ${button(t("listing.urls"), () => this.copyUrls())}
        ${button("curl", () => this._copyFor(curlLine, this._wanted.filter(({ dir }) => !dir)))}
        ${button("wget", () => this._copyFor(wgetLine, this._wanted))}
        ${this._sums!.known ? button(t("listing.sums"), () => this._copySums()) : nothing}
        <button type="button" aria-label=${t("listing.deselect")} @click=${() =>
          this.dispatchEvent(new CustomEvent("listing-deselect"))}>✕</button>
      </div>
      ${this.byHand
        ? html`<textarea readonly rows="4" aria-label=${
          t("listing.uncopied")
        } .value=${this.byHand}></textarea>`
        : nothing}
    `;
  }
}
