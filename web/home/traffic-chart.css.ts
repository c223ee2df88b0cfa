/** The look of `<traffic-chart>`. */
import { css } from "lit";

export const chartStyles = css`
  :host {
    display: block;
  }
  figcaption {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    gap: 0.25rem 1.25rem;
  }
  figure {
    margin: 0;
  }
  .plot {
    position: relative;
    height: 10rem;
  }
  svg,
  input[type="range"] {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
    margin: 0;
  }
  svg {
    overflow: visible;
    direction: ltr;
  }
  /* The slider lies over the chart, which shows where it stands. */
  input[type="range"] {
    opacity: 0;
    cursor: crosshair;
    direction: ltr;
  }
  .plot:focus-within {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }
  .grid {
    stroke: var(--line);
  }
  .cursor {
    stroke: var(--text);
  }
  .sent {
    fill: var(--accent);
    opacity: 0.18;
  }
  .edge,
  .received {
    fill: none;
    stroke: var(--accent);
    stroke-width: 1.5;
  }
  .received {
    stroke: var(--quiet);
    stroke-dasharray: 3 2;
  }
  path,
  line {
    vector-effect: non-scaling-stroke;
  }
  .end,
  .half {
    position: absolute;
    inset-inline-end: 0;
    top: 0.15rem;
    padding-inline-start: 0.35rem;
    background: var(--paper);
    color: var(--quiet);
    font-size: var(--small);
    line-height: 1.2;
  }
  .end,
  .half {
    unicode-bidi: plaintext;
  }
  .half {
    top: calc(50% + 0.15rem);
  }
  .times {
    display: grid;
    grid-template-columns: repeat(4, 1fr);
    padding-top: 0.25rem;
    color: var(--quiet);
    font-size: var(--small);
    direction: ltr;
  }
  figcaption {
    margin-top: 0.5rem;
    font-size: var(--small);
  }
  .key::before {
    content: "";
    display: inline-block;
    width: 1.2em;
    margin-inline-end: 0.4em;
    border-top: 2px solid var(--accent);
    vertical-align: 0.25em;
  }
  .key.in::before {
    border-top: 2px dashed var(--quiet);
  }
  .said,
  .quiet,
  summary {
    color: var(--quiet);
  }
  details {
    margin-top: 0.5rem;
    font-size: var(--small);
  }
  summary {
    cursor: pointer;
  }
  table {
    margin-top: 0.5rem;
    border-collapse: collapse;
  }
  th,
  td {
    padding-block: 0.15rem;
    padding-inline: 0 1.5rem;
    font-weight: 400;
    text-align: end;
  }
  td {
    unicode-bidi: plaintext;
  }
  td:dir(rtl) {
    text-align: left;
  }
  th:first-child {
    text-align: start;
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }
`;
