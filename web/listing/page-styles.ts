/** How the page around the rows looks. */
import { css } from "lit";
import { baseStyles } from "../base/base-styles.ts";

export const pageStyles = [
  baseStyles,
  css`
    .search {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: 0.25rem 1rem;
    }
    input {
      flex: 1 1 10rem;
      max-width: 24rem;
      padding: 0.3rem 0.6rem;
      border: 1px solid var(--edge);
      border-radius: 4px;
      background: var(--paper);
      color: inherit;
      font: inherit;
    }
    input::placeholder {
      color: var(--quiet);
      opacity: 1;
    }
    output,
    .hint {
      color: var(--quiet);
      font-size: var(--small);
    }
    .hint {
      margin: 0.35rem 0 0;
    }
    .keys {
      margin-inline-start: auto;
      padding: 0;
      border: 0;
      color: var(--quiet);
      font-size: var(--small);
    }
    .keys:hover {
      background: none;
      color: var(--text);
    }
    .none {
      margin: 1.5rem 0;
      color: var(--quiet);
    }
    .notice {
      margin-block: 0.75rem 0;
      padding: 0.5rem 1rem;
    }
    @media (hover: none), (max-width: 48rem) {
      .keys {
        display: none;
      }
    }
    @media print {
      .tools {
        display: none;
      }
    }
  `,
];
