import { css, html, LitElement, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { readStats, type Span, SPANS, type Stats } from "../../formats/stats.ts";
import { t, Translated } from "../base/language.ts";
import { choiceStyles } from "./choice.css.ts";
import { getText, live } from "./live.ts";
import "./traffic-chart.ts";

/** How often each span is asked for again. */
const PERIOD_MS: Record<Span, number> = {
  hour: 10_000,
  day: 60_000,
  month: 600_000,
  year: 600_000,
};

/**
 * What was sent and received in the last hour, day, month or year, of all nodes or one, from
 * `/stats.json`.
 *
 * @element traffic-history
 */
@customElement("traffic-history")
export class TrafficHistory extends LitElement {
  static override styles = [
    choiceStyles,
    css`
      :host {
        display: block;
      }
      .controls {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        justify-content: space-between;
        gap: 0.25rem 1.25rem;
        margin-bottom: 0.75rem;
      }
      select {
        border: 0;
        background: var(--paper);
        color: inherit;
        font: inherit;
      }
      select:focus-visible {
        outline: 2px solid var(--accent);
        outline-offset: 2px;
      }
      .quiet {
        color: var(--quiet);
      }
    `,
  ];

  @state()
  private accessor span: Span = "day";

  /** A node, or empty for the sum of all. */
  @state()
  private accessor node = "";

  @state()
  private accessor stats: Stats | undefined;

  /** All nodes that were ever named. */
  @state()
  private accessor nodes: string[] = [];

  @state()
  private accessor lost = false;

  protected translated = new Translated(this);
  #asking?: AbortController;

  override connectedCallback() {
    super.connectedCallback();
    this.#ask();
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#asking?.abort();
  }

  /** Asks for what is chosen, and gives up on what was. */
  #ask() {
    this.#asking?.abort();
    this.#asking = new AbortController();
    const spoke = this.node ? `&spoke=${encodeURIComponent(this.node)}` : "";
    live({
      periodMs: PERIOD_MS[this.span],
      get: async (signal) => {
        const { text } = await getText(`/stats.json?span=${this.span}${spoke}`, signal);
        const stats = readStats(text);
        if (!stats) throw new Error("/stats.json is damaged");
        return stats;
      },
      got: (stats) => {
        this.stats = stats;
        this.lost = false;
        const named = [...this.nodes, ...stats.totals.map((total) => total.spoke)];
        this.nodes = [...new Set(named)].sort();
      },
      lost: () => this.lost = true,
    }, this.#asking.signal);
  }

  #choose(change: { span?: Span; node?: string }) {
    this.span = change.span ?? this.span;
    this.node = change.node ?? this.node;
    this.#ask();
  }

  override render() {
    const { stats, lost } = this;
    return html`
      <div class="controls">${this.#spans()}${this.nodes.length < 2 ? nothing : this.#nodes()}</div>
      <div role="status">${lost ? html`<p class="quiet">${t("history.lost")}</p>` : nothing}</div>
      ${stats ? html`<traffic-chart .stats=${stats}></traffic-chart>` : nothing}
    `;
  }

  #spans() {
    return html`
      <fieldset>
        <legend>${t("history.span")}</legend>
        ${(Object.keys(SPANS) as Span[]).map((span) =>
          html`
            <label><input type="radio" name="span" .checked=${span === this.span}
              @change=${() => this.#choose({ span })}><span>${t(`history.${span}`)}</span></label>
          `
        )}
      </fieldset>
    `;
  }

  #nodes() {
    const choose = ({ target }: Event) =>
      this.#choose({ node: (target as HTMLSelectElement).value });
    return html`
      <select aria-label=${t("history.node")} @change=${choose}>
        <option value="">${t("history.all")}</option>
        ${this.nodes.map((node) =>
          html`<option value=${node} ?selected=${node === this.node}>${node}</option>`
        )}
      </select>
    `;
  }
}
