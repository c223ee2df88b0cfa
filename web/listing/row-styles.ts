/** How rows look. */
import { css } from "lit";
import { boxes } from "./box-styles.ts";
import { columns } from "./column-styles.ts";
import { icons } from "./icon-styles.ts";

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
