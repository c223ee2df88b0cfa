import { html, LitElement, nothing, type PropertyValues, svg } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Span, Stats } from "../../formats/stats.ts";
import { formatBitRate } from "../../formats/units.ts";
import { language, t, Translated } from "../base/language.ts";
import { axisEnd, type Frame, pathOf, type Rates, rowsOf, sum, summarize, thin } from "./chart.ts";
import { chartStyles } from "./traffic-chart.css.ts";

const WIDTH = 800, HEIGHT = 160;
const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;

/**
 * Of each span: how many steps become one (a screen has no room for more than some 360), how many of those
 * a row of the table stands for, and how a moment is written.
 */
const SPAN: Record<Span, { thin: number; group: number; format: Intl.DateTimeFormatOptions }> = {
  hour: { thin: 1, group: 30, format: CLOCK },
  day: { thin: 4, group: 15, format: CLOCK },
  month: { thin: 2, group: 12, format: { month: "short", day: "numeric" } },
  year: { thin: 1, group: 31, format: { year: "numeric", month: "short" } },
};

/**
 * What was sent and received, drawn: a chart, a slider over it that says each moment's numbers, and the
 * numbers as a table.
 *
 * @element traffic-chart
 */
@customElement("traffic-chart")
export class TrafficChart extends LitElement {
  static override styles = chartStyles;

  @property({ attribute: false })
  accessor stats: Stats | undefined;

  /** The step that is pointed at; -1 for none. */
  @state()
  private accessor at = -1;

  protected translated = new Translated(this);

  protected override willUpdate(changed: PropertyValues<this>) {
    if (changed.has("stats") && changed.get("stats")?.span !== this.stats?.span) this.at = -1;
  }

  override render() {
    if (!this.stats) return nothing;
    const { series, span } = this.stats;
    const sent = thin(sum(series, "txBytes"), SPAN[span].thin);
    const received = thin(sum(series, "rxBytes"), SPAN[span].thin);
    const out = summarize(sent), back = summarize(received);
    if (!out || !back) return html`<p class="quiet">${t("history.none")}</p>`;
    const frame = { width: WIDTH, height: HEIGHT, end: axisEnd(Math.max(out.peak, back.peak)) };
    const [mean, peak] = [formatBitRate(out.mean), formatBitRate(out.peak)];
    const summary = t("history.summary", { mean, peak, received: formatBitRate(back.mean) });
    return html`
      <figure>
        <div class="plot">
          ${this.#drawing(sent, received, frame, summary)}
          <span class="end">${formatBitRate(frame.end)}</span>
          <span class="half">${formatBitRate(frame.end / 2)}</span>
          ${this.#slider(sent, received)}
        </div>
        <div class="times" aria-hidden="true">
          ${[0, 0.25, 0.5, 0.75].map((part) =>
            html`<span>${this.#when(Math.floor(part * sent.length))}</span>`
          )}
        </div>
        <figcaption>
          <span class="key out">${t("history.sent")}</span>
          <span class="key in">${t("history.received")}</span>
          <span class="said">${this.at < 0 ? summary : this.#said(sent, received, this.at)}</span>
        </figcaption>
      </figure>
      ${this.#table(sent, received)}
    `;
  }

  /** The start of a step in the reader's own time, as they write it. */
  #when(step: number): string {
    const { from, step: seconds, span } = this.stats!, { thin, format } = SPAN[span];
    const at = from + step * thin * seconds;
    return new Intl.DateTimeFormat(language(), format).format(at * 1000);
  }

  #said(sent: Rates, received: Rates, step: number): string {
    const when = this.#when(step), out = sent[step], back = received[step];
    if (typeof out !== "number" || typeof back !== "number") return t("history.gap", { when });
    return t("history.at", { when, sent: formatBitRate(out), received: formatBitRate(back) });
  }

  #drawing(sent: Rates, received: Rates, frame: Frame, summary: string) {
    const cursor = (this.at + 0.5) / sent.length * WIDTH;
    return html`
      <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img"
        aria-label=${summary}>
        ${[0, 0.5, 1].map((part) =>
          svg`<line class="grid" x1="0" x2=${WIDTH} y1=${HEIGHT * part} y2=${HEIGHT * part} />`
        )}
        <path class="sent" d=${pathOf(sent, frame, true)}></path>
        <path class="edge" d=${pathOf(sent, frame)}></path>
        <path class="received" d=${pathOf(received, frame)}></path>
        ${this.at < 0
          ? nothing
          : svg`<line class="cursor" x1=${cursor} x2=${cursor} y1="0" y2=${HEIGHT} />`}
      </svg>
    `;
  }

  #slider(sent: Rates, received: Rates) {
    const last = sent.length - 1, at = this.at < 0 ? last : Math.min(this.at, last);
    const point = ({ offsetX, currentTarget }: PointerEvent) => {
      const { clientWidth } = currentTarget as HTMLElement;
      this.at = Math.max(0, Math.min(last, Math.floor(offsetX / clientWidth * sent.length)));
    };
    return html`
      <input type="range" min="0" max=${last} .value=${String(at)}
        aria-label=${t("history.moment")} aria-valuetext=${this.#said(sent, received, at)}
        @input=${(e: Event) => this.at = Number((e.target as HTMLInputElement).value)}
        @pointermove=${point} @pointerleave=${() => this.at = -1}>
    `;
  }

  #table(sent: Rates, received: Rates) {
    const cell = (rate?: number) =>
      html`<td>${rate === undefined ? "–" : formatBitRate(rate)}</td>`;
    const rows = rowsOf(sent, received, SPAN[this.stats!.span].group);
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
          <tbody>${rows.map(({ first, sent, received }) =>
            html`
              <tr><th scope="row">${this.#when(first)}</th>
                ${cell(sent?.mean)}${cell(sent?.peak)}${cell(received?.mean)}</tr>
            `
          )}</tbody>
        </table>
      </details>
    `;
  }
}
