import { html, LitElement, nothing, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { relative } from "../../formats/moments.ts";
import { t, Translated } from "../base/language.ts";
import { getText, live } from "./live.ts";

const PERIOD_MS = 60_000;

/**
 * A part of the page that the server rendered, and that is asked for again every minute. What the server
 * rendered in it stays until the first answer. It has no shadow: one style is for both.
 */
export abstract class LiveTable<Data> extends LitElement {
  /** When the server rendered it, in epoch seconds. */
  @property({ type: Number })
  accessor time = 0;

  @state()
  protected accessor data: Data | undefined;

  /** The mirror could not be reached since. */
  @state()
  private accessor lost = false;

  protected translated = new Translated(this);
  #fresh = document.createElement("div");
  #gone?: AbortController;
  /** When `time` was, on the browser's clock: that may be wrong by hours, but it runs on. */
  #since = performance.now();

  /** Where the data is. */
  protected abstract readonly url: string;
  /** The data of the answer; `undefined` where it is damaged. */
  protected abstract readonly read: (text: string) => Data | undefined;
  protected abstract view(data: Data, now: number): TemplateResult | typeof nothing;

  protected override createRenderRoot() {
    return this.#fresh;
  }

  override connectedCallback() {
    super.connectedCallback();
    const { signal } = this.#gone = new AbortController();
    const get = async () => {
      const { text, time } = await getText(this.url, signal), data = this.read(text);
      if (!data) throw new Error(`${this.url} is damaged`);
      return { data, time };
    };
    live({
      periodMs: PERIOD_MS,
      get,
      got: ({ data, time }) => {
        this.#since = performance.now();
        [this.data, this.time, this.lost] = [data, time, false];
        if (!this.contains(this.#fresh)) this.replaceChildren(this.#fresh);
      },
      lost: () => {
        this.lost = true;
        this.requestUpdate();
        if (!this.contains(this.#fresh)) this.append(this.#fresh);
      },
    }, signal);
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#gone?.abort();
  }

  override render() {
    const now = this.time + (performance.now() - this.#since) / 1000;
    const notice = this.lost
      ? html`<p class="notice">${t("home.lost", { ago: relative(this.time, now, t) })}</p>`
      : nothing;
    return html`
      <div role="status">${notice}</div>
      ${this.data === undefined ? nothing : this.view(this.data, now)}
    `;
  }
}
