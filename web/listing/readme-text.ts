import "./shared.ts";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { t, Translated } from "../base/language.ts";
import { type FileEntry, hrefOf } from "../../formats/listing.ts";
import { toDisplay } from "../../formats/names.ts";
import { fetchStart } from "./file-start.ts";

/** Longer ones are cut; their link leads to all of it. */
const MOST = 65_536;

/**
 * A directory's README as it was written: text, never markup, whatever it holds.
 *
 * @element readme-text
 */
@customElement("readme-text")
export class ReadmeText extends LitElement {
  static override styles = css`
    :host {
      display: block;
      margin-block-start: 2.5rem;
      scroll-margin-block-start: 8rem;
    }
    h2 {
      margin: 0 0 0.75rem;
      padding-block-end: 0.25rem;
      border-block-end: 1px solid var(--edge);
      font-size: var(--body);
    }
    a {
      color: var(--accent);
      text-decoration: none;
    }
    pre {
      max-width: 80ch;
      margin: 0;
      font: var(--small) / 1.55 var(--mono);
      white-space: pre-wrap;
      overflow-wrap: anywhere;
      unicode-bidi: plaintext;
    }
    p {
      color: var(--quiet);
      font-size: var(--small);
    }
  `;

  @property({ attribute: false })
  accessor entry!: FileEntry;
  @state()
  accessor text = "";

  protected translated = new Translated(this);
  private _gone = new AbortController();

  override firstUpdated() {
    fetchStart(hrefOf(this.entry), this._gone.signal, MOST).then((bytes) => {
      const text = new TextDecoder().decode(bytes);
      // A file of zeros, or a picture that is called README: its link is enough.
      if (!text.includes("\0")) this.text = text.split(/\r?\n/).map(shown).join("\n").trimEnd();
    }, () => {});
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this._gone.abort();
  }

  override render() {
    if (this.text === "") return nothing;
    const { bytes } = this.entry;
    return html`
      <h2><a href=${hrefOf(this.entry)}>${this.entry.name}</a></h2>
      <pre>${this.text}</pre>
      ${bytes > MOST ? html`<p>${t("peek.cut", { n: MOST, all: bytes })}</p>` : nothing}
    `;
  }
}

const shown = (line: string) => line.split("\t").map(toDisplay).join("\t");
