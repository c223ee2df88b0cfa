import "./shared.ts";
import "../../formats/messages_later.ts";
import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { baseStyles } from "../base/base-styles.ts";
import { dialogStyles } from "./dialog-styles.ts";
import { t, Translated } from "../base/language.ts";
import { type Entry, hrefOf } from "../../formats/listing.ts";
import { toDisplay } from "../../formats/names.ts";
import { formatBytes, formatMinute } from "../../formats/units.ts";
import { fetchStart, START_BYTES } from "./file-start.ts";
import { kindOf } from "../../formats/kinds.ts";
import { readSignature, unarmour } from "./signature.ts";
import { bothTimes } from "../../formats/exact.ts";
import { rowOf } from "../../formats/listing_view.ts";

/**
 * Shows what a file holds: text, checksums and signatures as text, pictures as such. Nothing of it becomes
 * markup or is run; a picture that is an SVG runs no script where it stands in an `img`.
 *
 * @element file-peek
 * @fires close - the reader has seen it
 */
@customElement("file-peek")
export class FilePeek extends LitElement {
  static override styles = [
    baseStyles,
    dialogStyles,
    css`
      dialog {
        width: min(60rem, 100vw - 2rem);
        max-height: calc(100vh - 2rem);
        padding: 0;
        overflow: auto;
      }
      .head {
        position: sticky;
        inset-block-start: 0;
        display: flex;
        align-items: start;
        gap: 1rem;
        padding: 0.75rem 1rem;
        border-block-end: 1px solid var(--line);
        background: var(--paper);
      }
      h2 {
        margin: 0;
        font: 600 var(--small) / 1.5 var(--mono);
        overflow-wrap: anywhere;
      }
      p {
        margin: 0;
        color: var(--quiet);
        font-size: var(--small);
      }
      .head > div {
        flex: 1;
      }
      section {
        padding: 1rem;
      }
      section > p {
        margin-block-end: 0.75rem;
      }
      pre {
        margin: 0;
        font: var(--small) / 1.5 var(--mono);
        white-space: pre-wrap;
        overflow-wrap: anywhere;
        tab-size: 4;
        unicode-bidi: plaintext;
      }
      img {
        display: block;
        max-width: 100%;
        margin: auto;
      }
      p a {
        text-decoration: underline;
      }
    `,
  ];

  @property({ attribute: false })
  accessor entry!: Entry;
  @state()
  accessor text = "";
  @state()
  accessor bytes: Uint8Array | undefined;
  @state()
  accessor error = "";

  protected translated = new Translated(this);
  private _gone = new AbortController();

  get dialog(): HTMLDialogElement {
    return this.renderRoot.querySelector("dialog")!;
  }

  override firstUpdated() {
    this.dialog.showModal();
    if (kindOf(this.entry) === "image") return;
    fetchStart(hrefOf(this.entry), this._gone.signal).then(
      (bytes) => {
        this.bytes = bytes;
        this.text = new TextDecoder().decode(bytes);
      },
      (error) => this.error = error.message,
    );
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this._gone.abort();
  }

  private _close = () => this.dispatchEvent(new CustomEvent("close"));

  private _signature(): TemplateResult | typeof nothing {
    if (!this.bytes || kindOf(this.entry) !== "signature") return nothing;
    const signature = readSignature(unarmour(this.text) ?? this.bytes);
    if (!signature) return nothing;
    const { made, key, algorithm } = signature;
    const time = made === undefined ? t("peek.unknown") : formatMinute(made);
    return html`
      <p>${t("peek.signed", { time, algorithm })}</p>
      <p>${t("peek.key")}: <code>${key ?? t("peek.unknown")}</code></p>
    `;
  }

  private _content(): TemplateResult | typeof nothing {
    if (this.error) return html`<p role="alert">${t("peek.failed", { why: this.error })}</p>`;
    const { name } = rowOf(this.entry);
    if (kindOf(this.entry) === "image") {
      const failed = () => this.error = "img";
      return html`<img src=${hrefOf(this.entry)} alt=${name} @error=${failed}>`;
    }
    if (!this.bytes) return html`<p>${t("listing.loading")}</p>`;
    const { bytes } = this.entry;
    const cut = bytes > START_BYTES
      ? html`<p>${t("peek.cut", { n: START_BYTES, all: bytes })}</p>`
      : nothing;
    return html`${this._signature()}${cut}<pre tabindex="0">${
      shownText(this.bytes, this.text)
    }</pre>`;
  }

  override render() {
    const row = rowOf(this.entry);
    return html`
      <dialog aria-labelledby="name" @close=${this._close} @click=${(event: Event) => {
        if (event.target === this.dialog) this.dialog.close();
      }}>
        <div class="head">
          <div>
            <h2 id="name">${row.name}</h2>
            <p title=${bothTimes(row)}>${formatBytes(this.entry.bytes)} · ${row.time} UTC ·
              <a href=${row.href ?? nothing}>${t("peek.open")}</a></p>
          </div>
          <form method="dialog"><button autofocus>${t("peek.close")}</button></form>
        </div>
        <section>${this._content()}</section>
      </dialog>
    `;
  }
}

/** Text as it is; what is none as its bytes, sixteen a line. */
export function shownText(bytes: Uint8Array, text: string): string {
  // deno-lint-ignore no-control-regex
  if (!/[\u0000-\u0008\u000e-\u001f]/.test(text.slice(0, 4096))) {
    return text.split("\n").map((line) =>
      toDisplay(line.replace(/\r$/, "").replaceAll("\t", "    "))
    )
      .join("\n");
  }
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, 4096); at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const codes = row.map((b) => b.toString(16).padStart(2, "0")).join(" ");
    const letters = row.map((b) => b > 31 && b < 127 ? String.fromCharCode(b) : ".").join("");
    lines.push(`${at.toString(16).padStart(8, "0")}  ${codes.padEnd(48)} ${letters}`);
  }
  return lines.join("\n");
}
