/** How dialogs look. */
import { css } from "lit";

export const dialogStyles = css`
  dialog {
    max-width: calc(100vw - 2rem);
    border: 1px solid var(--edge);
    border-radius: 8px;
    background: var(--paper);
    color: var(--text);
  }
  dialog::backdrop {
    background: rgb(0 0 0 / 0.4);
  }
`;
