/** The look of one choice among a few: words in a row, the chosen one underlined. */
import { css } from "lit";

export const choiceStyles = css`
  fieldset {
    display: flex;
    flex-wrap: wrap;
    gap: 0.1rem 1.25rem;
    margin: 0;
    padding: 0;
    border: 0;
  }
  legend {
    position: absolute;
    clip-path: inset(50%);
  }
  label {
    cursor: pointer;
  }
  input {
    position: absolute;
    margin: 0;
    opacity: 0;
  }
  label span {
    display: block;
    padding: 0.15rem 0;
    border-bottom: 2px solid transparent;
    color: var(--quiet);
  }
  label:hover span {
    color: var(--text);
  }
  :checked + span {
    border-color: var(--accent);
    color: var(--text);
    font-weight: 600;
  }
  @media (forced-colors: active) {
    label span {
      border-color: Canvas;
    }
    :checked + span {
      border-color: Highlight;
    }
  }
  :focus-visible + span {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }
`;
