import { css, html, LitElement, svg } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { readStats } from "../../formats/stats.ts";
import { formatBitRate, formatNumber } from "../../formats/units.ts";
import { t, Translated } from "../base/language.ts";
import { follow } from "./feed.ts";
import { lines, type Row, TRAIL_SECONDS, Trails } from "./trail.ts";

const BOX = { width: 120, height: 24 };

/**
 * Live traffic of all nodes and of each: received and sent, bits and packets a second, and a line of the
 * last minutes. Where there is no hub, it shows nothing. It connects while it is in view.
 *
 * @element traffic-meter
 * @slot - what stands there until the first event
 * @csspart table - all of it
 * @csspart row - a node; those that are silent are also part `stale`, the sum is also part `all`
 * @csspart name - the node's name, with its age where it is silent
 * @csspart receive - what it receives
 * @csspart send - what it sends
 * @csspart packets - packets a second, in either
 * @csspart spark - the line of the last minutes
 * @csspart line-receive - the line of what is received
 * @csspart line-send - the line of what is sent
 */
@customElement("traffic-meter")
export class TrafficMeter extends LitElement {
  static override styles = css`
    :host {
      display: block;
      container-type: inline-size;
    }
    table {
      width: 100%;
      border-collapse: collapse;
      font-variant-numeric: tabular-nums;
    }
    th {
      font-weight: inherit;
      text-align: start;
    }
    thead th {
      color: var(--quiet, inherit);
      font-size: var(--small, inherit);
      vertical-align: bottom;
    }
    tbody th {
      font-weight: 600;
    }
    tbody tr {
      border-top: 1px solid var(--line, currentColor);
    }
    th,
    td {
      padding-block: 0.45rem;
      padding-inline: 0 1rem;
      white-space: nowrap;
    }
    th + th,
    td {
      text-align: end;
    }
    /* "12 Mbit/s" is read from left to right in every language. */
    td,
    small {
      unicode-bidi: plaintext;
    }
    td:dir(rtl) {
      text-align: left;
    }
    :is(th, td):last-child {
      width: 7.5rem;
      padding-inline-end: 0;
    }
    small {
      color: var(--quiet, inherit);
      font-size: var(--small, inherit);
    }
    td small {
      display: inline-block;
      min-width: 10em;
    }
    .stale {
      color: var(--quiet, inherit);
    }
    .stale svg {
      opacity: 0.4;
    }
    svg {
      display: block;
      width: 100%;
      height: 1.5rem;
      overflow: hidden;
      direction: ltr;
    }
    polyline {
      fill: none;
      stroke: var(--accent, currentColor);
      stroke-width: 1.25;
      vector-effect: non-scaling-stroke;
    }
    .receive {
      stroke: var(--quiet, currentColor);
      stroke-dasharray: 3 2;
    }
    @container (max-width: 44rem) {
      td small {
        display: none;
      }
      th small {
        display: block;
      }
      :is(th, td):last-child {
        width: 5rem;
      }
      /* A long name breaks; the figures do not, and the line takes what is left to it. */
      th {
        white-space: normal;
        overflow-wrap: anywhere;
      }
      thead th {
        overflow-wrap: normal;
      }
    }
    @container (max-width: 30rem) {
      th,
      td {
        padding-inline-end: 0.5rem;
      }
      :is(th, td):last-child {
        width: 3.5rem;
      }
    }
  `;

  /** Where the hub's events are. */
  @property()
  accessor src = "/sse";

  /** Where its history is, for the line of the minutes before; empty for none. */
  @property()
  accessor history = "/stats.json?span=hour";

  @state()
  protected accessor rows: Row[] = [];

  protected translated = new Translated(this);
  #trails = new Trails();
  #gone?: AbortController;
  /** Browser's clock minus hub's, in seconds: ages are told by the hub's. */
  #skew = 0;

  override connectedCallback() {
    super.connectedCallback();
    const { signal } = this.#gone = new AbortController();
    follow(this.src, (event) => {
      if (this.rows.length === 0) this.#fill(signal);
      this.#skew = Date.now() / 1000 - event.time;
      this.#trails.add(event);
      this.#show();
    }, signal);
    const timer = setInterval(() => this.#show(), 1000);
    signal.addEventListener("abort", () => clearInterval(timer));
  }

  override disconnectedCallback() {
    this.#gone?.abort();
    super.disconnectedCallback();
  }

  /** Asks for the minutes before. Without them the line just begins now. */
  async #fill(signal: AbortSignal) {
    if (!this.history) return;
    try {
      const response = await fetch(this.history, { signal });
      const stats = response.ok ? readStats(await response.text()) : undefined;
      if (stats) this.#trails.fill(stats);
    } catch { /* left, or no answer */ }
  }

  get #now() {
    return Date.now() / 1000 - this.#skew;
  }

  #show() {
    const rows = this.#trails.rows(this.#now);
    if (rows.length || this.rows.length) this.rows = rows;
  }

  #spark({ trail }: Row) {
    const box = { ...BOX, now: this.#now };
    const most = Math.max(...trail.map((p) => Math.max(p.rxBytes, p.txBytes)), 1);
    const draw = (direction: "receive" | "send", key: "rxBytes" | "txBytes") =>
      lines(trail, (p) => p[key], most, box).map((points) =>
        svg`<polyline class=${direction} part="line-${direction}" points=${points} />`
      );
    return html`
      <svg part="spark" preserveAspectRatio="none" aria-hidden="true"
        viewBox="0 0 ${BOX.width} ${BOX.height}">
            ${draw("receive", "rxBytes")}${draw("send", "txBytes")}
          </svg>
    `;
  }

  #row(row: Row) {
    const { id, rates, staleSeconds } = row, stale = staleSeconds !== null;
    const parts = ["row", ...(id === null ? ["all"] : []), ...(stale ? ["stale"] : [])];
    const amount = (part: "receive" | "send", bytes: number, packets: number) =>
      html`<td part=${part}>${formatBitRate(bytes)} <small part="packets">${
        t("traffic.packets", { n: formatNumber(Math.round(packets)) })
      }</small></td>`;
    return html`<tr part=${parts.join(" ")} class=${stale ? "stale" : ""}>
      <th scope="row" part="name">${id ?? t("traffic.all")}${
      stale
        ? html`
          <small>${t("traffic.stale", { n: staleSeconds })}</small>
        `
        : ""
    }</th>
      ${amount("receive", rates.rxBytes, rates.rxPackets)}
      ${amount("send", rates.txBytes, rates.txPackets)}
      <td>${this.#spark(row)}</td>
    </tr>`;
  }

  override render() {
    if (this.rows.length === 0) return html`<slot></slot>`;
    return html`
      <table part="table">
        <thead>
          <tr>
            <th scope="col">${t("traffic.node")}</th>
            <th scope="col">${t("traffic.receive")}</th>
            <th scope="col">${t("traffic.send")}</th>
            <th scope="col">${t("traffic.minutes", { n: TRAIL_SECONDS / 60 })}</th>
          </tr>
        </thead>
        <tbody>${this.rows.map((row) => this.#row(row))}</tbody>
      </table>
    `;
  }
}
