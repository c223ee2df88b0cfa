import "./shared.ts";
import "../../formats/messages_later.ts";
import { css, html, LitElement } from "lit";
import { customElement } from "lit/decorators.js";
import { baseStyles } from "../base/base-styles.ts";
import { dialogStyles } from "./dialog-styles.ts";
import { t, Translated } from "../base/language.ts";
import type { Key } from "../../formats/messages.ts";

/** Keys, and what they do. */
const KEYS: [string[], Key][] = [
  [["↓", "↑"], "help.move"],
  [["PgDn", "PgUp"], "help.page"],
  [["Home", "End"], "help.ends"],
  [["Enter"], "help.open"],
  [["→"], "help.peek"],
  [["⌫", "Alt+↑"], "help.parent"],
  [["help.letters"], "help.type"],
  [["/"], "help.filter"],
  [["Ctrl+F"], "help.find"],
  [["help.space"], "help.select"],
  [["Shift+↓"], "help.range"],
  [["Ctrl+A"], "help.all"],
  [["Ctrl+C"], "help.copy"],
  [["Esc"], "help.escape"],
  [["?"], "help.help"],
];

/**
 * What the keyboard can do on a listing.
 *
 * @element key-help
 * @fires close - the reader has seen it
 */
@customElement("key-help")
export class KeyHelp extends LitElement {
  static override styles = [
    baseStyles,
    dialogStyles,
    css`
      dialog {
        padding: 1.25rem 1.5rem;
      }
      h2 {
        margin: 0 0 0.75rem;
        font-size: var(--large);
      }
      dl {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 0.35rem 1.25rem;
        margin: 0 0 1.25rem;
        font-size: var(--small);
      }
      dd {
        margin: 0;
      }
      kbd {
        padding: 0.05rem 0.35rem;
        border: 1px solid var(--line);
        border-radius: 4px;
        background: var(--tint);
        font-family: var(--mono);
        white-space: nowrap;
      }
    `,
  ];

  protected translated = new Translated(this);

  get dialog(): HTMLDialogElement {
    return this.renderRoot.querySelector("dialog")!;
  }

  override firstUpdated() {
    this.dialog.showModal();
  }

  override render() {
    const key = (name: string) =>
      html`
        <kbd>${name.startsWith("help.") ? t(name as Key) : name}</kbd>
      `;
    return html`
      <dialog aria-labelledby="title" @close=${() => this.dispatchEvent(new CustomEvent("close"))}>
        <h2 id="title">${t("listing.keys")}</h2>
        <dl>${KEYS.map(([keys, what]) =>
          html`
            <dt>${keys.map(key)}</dt>
            <dd>${t(what)}</dd>
          `
        )}</dl>
        <form method="dialog"><button autofocus>${t("peek.close")}</button></form>
      </dialog>
    `;
  }
}
