/** The boxes that select rows. */
import { css } from "lit";

/** Selecting a row: the box takes the icon's place where a pointer or the keyboard is. */
export const boxes = css`
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
  input::before,
  input:checked::after {
    content: "";
    position: absolute;
    inset-inline-start: 0.5rem;
    inset-block-start: calc(var(--base) / 2 + 0.125rem);
    width: 16px;
    height: 16px;
    background: var(--paper);
  }
  input::before {
    border: 1px solid var(--edge);
    border-radius: 3px;
  }
  input:checked::before {
    border-color: var(--accent);
    background: var(--accent);
  }
  input:checked::after {
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
