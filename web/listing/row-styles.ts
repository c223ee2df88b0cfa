/** How rows look. What a row is tall stands here alone: listing-rows reads it from #ruler. */
import { css } from "lit";

/** A shape in 16 × 16 pixels for each kind: drawn, so there is nothing to load. */
const icons = css`
  .name {
    --icon: path(evenodd, "M3 1h7l4 4v10H3zM4 2v12h9V6H9V2z");
  }
  .dir .name {
    --icon: path("M1 3h5l2 2h7v9H1z");
  }
  .package .name {
    --icon: path(evenodd, "M8 0l7 4v8l-7 4l-7-4V4zM8 1L3 4l5 3l5-3zM2 5v6.5l5.5 3V8zM14 5L8.5 8v6.5l5.5-3z");
  }
  .archive .name {
    --icon: path(evenodd, "M1 2h14v4h-1v8H2V6H1zM2 3v2h12V3zM3 6v7h10V6zM6 8h4v1H6z");
  }
  .disk .name {
    --icon: path(evenodd, "M8 1a7 7 0 1 1 0 14a7 7 0 1 1 0-14M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12M8 6a2 2 0 1 1 0 4a2 2 0 1 1 0-4");
  }
  .image .name {
    --icon: path(evenodd, "M1 2h14v12H1zM2 3v9l4-4l3 3l2-2l3 3V3zM10 5h2v2h-2z");
  }
  .signature .name,
  .checksum .name {
    --icon: path(evenodd, "M8 1l6 2v5q0 5-6 7q-6-2-6-7V3zM8 2L3 4v4q0 4 5 6q5-2 5-6V4zM7 11L4 8l1-1l2 2l4-4l1 1z");
  }
  .text .name {
    --icon: path(evenodd, "M3 1h7l4 4v10H3zM4 2v12h9V6H9V2zM6 8h5v1H6zM6 11h5v1H6z");
  }
  .broken .name {
    --icon: path(evenodd, "M8 1a7 7 0 1 1 0 14a7 7 0 1 1 0-14M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12M5 7h6v2H5z");
  }
  #space .name::before {
    content: "";
    position: absolute;
    inset-inline-start: 0;
    inset-block-start: 0.125rem;
    width: 16px;
    height: 16px;
    background: var(--quiet);
    opacity: 0.75;
    clip-path: var(--icon);
  }
  #space .dir .name::before {
    background: var(--accent);
  }
  #space .broken .name::before {
    background: var(--alarm);
  }
  @media (forced-colors: active) {
    #space .name::before {
      forced-color-adjust: none;
      background: CanvasText;
    }
  }
`;

/** Selecting a row: the box takes the icon's place where a pointer or the keyboard is. */
const boxes = css`
  input {
    appearance: none;
    position: absolute;
    inset-inline-start: -0.5rem;
    inset-block: calc(var(--base) / -2);
    width: 2rem;
    margin: 0;
    opacity: 0;
    cursor: pointer;
  }
  input::before {
    content: "";
    position: absolute;
    inset-inline-start: 0.5rem;
    inset-block-start: calc(var(--base) / 2 + 0.125rem);
    width: 16px;
    height: 16px;
    border: 1px solid var(--edge);
    border-radius: 3px;
    background: var(--paper);
  }
  input:checked::before {
    border-color: var(--accent);
    background: var(--accent);
  }
  input:checked::after {
    content: "";
    position: absolute;
    inset-inline-start: 0.5rem;
    inset-block-start: calc(var(--base) / 2 + 0.125rem);
    width: 16px;
    height: 16px;
    background: var(--paper);
    clip-path: polygon(18% 50%, 28% 40%, 42% 55%, 72% 24%, 82% 34%, 42% 75%);
  }
  input:checked,
  input:focus-visible,
  .row:has(a:focus-visible) input {
    opacity: 1;
  }
  @media (hover: hover) {
    .row:hover input {
      opacity: 1;
    }
  }
  [aria-selected="true"] {
    background: color-mix(in srgb, var(--accent) 14%, var(--paper));
  }
`;

/** The columns, and their order on a narrow screen. */
const columns = css`
  .list {
    --leading: 1.25rem;
    --base: 0.75rem;
    --columns: minmax(0, 1fr) 5rem 9rem 7.5rem;
  }
  .dirs {
    --columns: minmax(0, 1fr) 6rem 5rem 9rem 7.5rem;
  }
  .list:not(.dirs) .files {
    display: none;
  }
  .row {
    display: grid;
    grid-template-columns: var(--columns);
    column-gap: 1.25rem;
    padding: calc(var(--base) / 2) 0.5rem;
    line-height: var(--leading);
    white-space: nowrap;
  }
  .files,
  .size,
  .time,
  .ago {
    justify-self: start;
    color: var(--quiet);
    font-size: var(--small);
    unicode-bidi: plaintext;
  }
  .files,
  .size,
  .bytes {
    justify-self: end;
  }
  @media (max-width: 48rem) {
    .list,
    .dirs {
      --columns: auto auto minmax(0, 1fr);
    }
    .list {
      --base: 1.875rem;
    }
    .row {
      padding-block: 0.375rem;
      column-gap: 0.75rem;
    }
    .name {
      grid-column: 1 / -1;
    }
    .name {
      padding-inline-end: 0;
    }
    .peek {
      inset-block: 100% auto;
      inset-inline: 11rem auto;
    }
    .row:not(.head) .time {
      padding-inline-start: 1.75rem;
    }
    .time,
    .size,
    .files {
      line-height: 1.125rem;
    }
    .size {
      order: 1;
      grid-column: 3;
    }
    .ago,
    .files {
      display: none;
    }
    .head {
      display: flex;
      gap: 1.25rem;
    }
    .head .name {
      padding: 0;
    }
    .head .bytes {
      margin-inline-start: auto;
      order: 1;
    }
    input::before,
    input::after {
      inset-block-start: 0.5rem !important;
    }
    input {
      inset-block: -0.375rem -1.5rem;
    }
  }
`;

export const rowStyles = [
  css`
    :host {
      display: block;
    }
    *,
    ::before,
    ::after {
      box-sizing: border-box;
    }
    .list {
      position: relative;
      margin-inline: -0.5rem;
    }
    #space {
      position: relative;
      overflow-anchor: none;
    }
    #space .row {
      position: absolute;
      inset-inline: 0;
      border-block-end: 1px solid var(--line);
      contain: strict;
    }
    .name {
      position: relative;
      padding-inline: 1.75rem;
      font-family: var(--mono);
      font-size: var(--small);
      white-space: break-spaces;
      line-break: anywhere;
      word-break: break-all;
      /* Each name is read as its own letters say, and stands where the page begins. */
      unicode-bidi: plaintext;
      text-align: left;
    }
    .name:dir(rtl) {
      text-align: right;
    }
    /* As the name of a row; out of sight, and read by the element. */
    .sizer {
      position: absolute;
      inset-inline: 0;
      height: 0;
      overflow: hidden;
      visibility: hidden;
    }
    #ruler {
      display: block;
      min-height: var(--base);
    }
    #ruler i {
      display: block;
      width: 100ch;
    }
    a {
      color: var(--text);
      text-decoration: none;
    }
    .dir a {
      color: var(--accent);
    }
    a[href]:hover {
      text-decoration: underline;
      text-underline-offset: 0.2em;
    }
    .target {
      color: var(--quiet);
    }
    .broken a {
      color: var(--alarm);
    }
    .active {
      background: var(--tint);
    }
    @media (hover: hover) {
      #space .row:hover {
        background: var(--tint);
      }
    }
    a:focus-visible {
      outline: 0;
    }
    .row:has(a:focus-visible) {
      outline: 2px solid var(--accent);
      outline-offset: -2px;
      border-radius: 3px;
    }
    .top {
      position: sticky;
      inset-block-start: 0;
      z-index: 1;
      background: var(--paper);
      border-block-end: 1px solid var(--edge);
    }
    .head,
    .head .name {
      color: var(--quiet);
      font: var(--small) / var(--leading) system-ui, sans-serif;
    }
    button {
      padding: 0;
      border: 0;
      background: none;
      color: inherit;
      font: inherit;
      cursor: pointer;
    }
    .head button:hover {
      color: var(--text);
    }
    button:focus-visible {
      outline: 2px solid var(--accent);
      outline-offset: 2px;
      border-radius: 2px;
    }
    [aria-sort="ascending"] button,
    [aria-sort="descending"] button {
      color: var(--text);
      font-weight: 600;
    }
    [aria-sort="ascending"] button::after {
      content: " ↑";
    }
    [aria-sort="descending"] button::after {
      content: " ↓";
    }
    .peek {
      position: absolute;
      inset-inline-end: 0;
      inset-block-start: 0;
      width: 1.5rem;
      height: var(--leading);
    }
    .peek::before {
      content: "";
      position: absolute;
      inset: 0;
      margin: auto;
      width: 16px;
      height: 16px;
      background: var(--quiet);
      clip-path: path(evenodd,
        "M0 8q8-11 16 0q-8 11-16 0M2 8q6 8 12 0q-6-8-12 0M8 6a2 2 0 1 1 0 4a2 2 0 1 1 0-4");
    }
    .peek:hover::before {
      opacity: 1;
    }
    @media print {
      #space {
        height: auto !important;
      }
      #space .row {
        position: static;
        height: auto !important;
        contain: none;
        break-inside: avoid;
      }
      .top {
        position: static;
      }
      input,
      .peek {
        display: none;
      }
    }
  `,
  icons,
  boxes,
  columns,
];
