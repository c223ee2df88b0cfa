/** How buttons and the focus look in every element here: base.css does not reach into them. */
import { css } from "lit";

export const commonStyles = css`
  button {
    padding: 0.15rem 0.75rem;
    border: 1px solid var(--edge);
    border-radius: 4px;
    background: none;
    color: inherit;
    font: inherit;
    cursor: pointer;
  }
  button:hover {
    background: var(--tint);
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
    border-radius: 2px;
  }
`;
