import { html, LitElement, nothing, svg } from "lit";
import { customElement, state } from "lit/decorators.js";
import { readStats, type Span, SPANS, type Stats } from "../../formats/stats.ts";
import { formatBitRate } from "../../formats/units.ts";
import { language, t, Translated } from "../base/language.ts";
import { axisEnd, type Frame, pathOf, type Rates, rowsOf, sum, summarize, thin } from "./chart.ts";
import { choiceStyles } from "./choice.css.ts";
import { getText, live } from "./live.ts";
import { historyStyles } from "./traffic-history.css.ts";

const WIDTH = 800, HEIGHT = 160;

const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;

/**
 * Of each span: how often it is asked for again, how many steps become one (a screen has no room for
 * more than some 360), how many of those a row of the table stands for, and how a moment is written.
 */
const SPAN: Record<
  Span,
  { periodMs: number; thin: number; group: number; format: Intl.DateTimeFormatOptions }
> = {
  hour: { periodMs: 10_000, thin: 1, group: 30, format: CLOCK },
  day: { periodMs: 60_000, thin: 4, group: 15, format: CLOCK },
  month: { periodMs: 600_000, thin: 2, group: 12, format: { month: "short", day: "numeric" } },
  year: { periodMs: 600_000, thin: 1, group: 31, format: { year: "numeric", month: "short" } },
};

/**
 * What was sent and received in the last hour, day, month or year, from `/stats.json`: a chart, a slider
 * over it that says each moment's numbers, and the numbers as a table.
 *
 * @element traffic-history
 */
@customElement("traffic-history")
export class TrafficHistory extends LitElement {
  static override styles = [choiceStyles, historyStyles];

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

  /** The step that the slider stands on; -1 before it was touched. */
  @state()
  private accessor at = -1;

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
      periodMs: SPAN[this.span].periodMs,
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
    if (change.span) this.span = change.span;
    if (change.node !== undefined) this.node = change.node;
    this.at = -1;
    this.#ask();
  }

  /** The start of a step in the reader's own time, as they write it. */
  #when(step: number): string {
    const { from, step: seconds, span } = this.stats!;
    return new Intl.DateTimeFormat(language(), SPAN[span].format)
      .format((from + step * SPAN[span].thin * seconds) * 1000);
  }

  #said(sent: Rates, received: Rates, step: number): string {
    const when = this.#when(step), tx = sent[step];
    return tx === null || tx === undefined ? t("history.gap", { when }) : t("history.at", {
      when,
      sent: formatBitRate(tx),
      received: formatBitRate(received[step] ?? 0),
    });
  }

  #rates({ series, span }: Stats, field: "txBytes" | "rxBytes"): Rates {
    return thin(sum(series, field), SPAN[span].thin);
  }

  override render() {
    const { stats } = this;
    return html`
      ${this.#controls()}
      <div role="status">${this.lost
        ? html`<p class="quiet">${t("history.lost")}</p>`
        : nothing}</div>
      ${stats ? this.#chart(this.#rates(stats, "txBytes"), this.#rates(stats, "rxBytes")) : nothing}
    `;
  }

  #controls() {
    return html`
      <div class="controls">
        <fieldset>
          <legend>${t("history.span")}</legend>
          ${(Object.keys(SPANS) as Span[]).map((span) =>
            html`
              <label><input type="radio" name="span" .checked=${span === this.span}
                @change=${() => this.#choose({ span })}><span>${t(`history.${span}`)}</span></label>
            `
          )}
        </fieldset>
        ${this.nodes.length < 2 ? nothing : html`
          <select aria-label=${t("history.node")}
            @change=${(e: Event) => this.#choose({ node: (e.target as HTMLSelectElement).value })}>
            <option value="">${t("history.all")}</option>
            ${this.nodes.map((node) =>
              html`<option value=${node} ?selected=${node === this.node}>${node}</option>`
            )}
          </select>
        `}
      </div>
    `;
  }

  #chart(sent: Rates, received: Rates) {
    const out = summarize(sent), back = summarize(received);
    if (!out || !back) return html`<p class="quiet">${t("history.none")}</p>`;
    const end = axisEnd(Math.max(out.peak, back.peak));
    const frame: Frame = { width: WIDTH, height: HEIGHT, end };
    const summary = t("history.summary", {
      mean: formatBitRate(out.mean),
      peak: formatBitRate(out.peak),
      received: formatBitRate(back.mean),
    });
    const at = this.at < 0 ? sent.length - 1 : Math.min(this.at, sent.length - 1);
    const cursor = (at + 0.5) / sent.length * WIDTH;
    return html`
      <figure>
        <div class="plot">
          <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img"
            aria-label=${summary}>
            ${[0, 0.5, 1].map((part) =>
              svg`<line class="grid" x1="0" x2=${WIDTH} y1=${HEIGHT * part} y2=${HEIGHT * part}/>`
            )}
            <path class="sent" d=${pathOf(sent, frame, true)}></path>
            <path class="edge" d=${pathOf(sent, frame)}></path>
            <path class="received" d=${pathOf(received, frame)}></path>
            ${this.at < 0
              ? nothing
              : svg`<line class="cursor" x1=${cursor} x2=${cursor} y1="0" y2=${HEIGHT}/>`}
          </svg>
          <span class="end">${formatBitRate(end)}</span><span class="half">${formatBitRate(
            end / 2,
          )}</span>
          <input type="range" min="0" max=${sent.length - 1} .value=${String(at)}
            aria-label=${t("history.moment")} aria-valuetext=${this.#said(sent, received, at)}
            @input=${(e: Event) => this.at = Number((e.target as HTMLInputElement).value)}
            @pointermove=${(e: PointerEvent) => this.#point(e, sent.length)}
            @pointerleave=${() => this.at = -1}>
        </div>
        <div class="times" aria-hidden="true">
          ${[0, 0.25, 0.5, 0.75].map((part) =>
            html`<span>${this.#when(Math.floor(part * sent.length))}</span>`
          )}
        </div>
        <figcaption>
          <span class="key out">${t("history.sent")}</span>
          <span class="key in">${t("history.received")}</span>
          <span class="said">${this.at < 0 ? summary : this.#said(sent, received, at)}</span>
        </figcaption>
      </figure>
      ${this.#table(sent, received)}
    `;
  }

  #point({ offsetX, currentTarget }: PointerEvent, steps: number) {
    const { clientWidth } = currentTarget as HTMLElement;
    this.at = Math.max(0, Math.min(steps - 1, Math.floor(offsetX / clientWidth * steps)));
  }

  #table(sent: Rates, received: Rates) {
    const cell = (value?: number) =>
      html`<td>${value === undefined ? "–" : formatBitRate(value)}</td>`;
    return html`
      <details>
        <summary>${t("history.numbers")}</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">${t("history.from")}</th>
              <th scope="col">${t("history.sent.mean")}</th>
              <th scope="col">${t("history.sent.peak")}</th>
              <th scope="col">${t("history.received.mean")}</th>
            </tr>
          </thead>
          <tbody>${rowsOf(sent, received, SPAN[this.stats!.span].group).map((row) =>
            html`
              <tr><th scope="row">${this.#when(row.first)}</th>
                ${cell(row.sent?.mean)}${cell(row.sent?.peak)}${cell(row.received?.mean)}</tr>
            `
          )}</tbody>
        </table>
      </details>
    `;
  }
}
