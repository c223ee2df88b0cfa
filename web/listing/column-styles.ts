/** The columns of rows. What a row is tall stands here alone: listing-rows reads it from #ruler. */
import { css } from "lit";

/** The columns, and their order on a narrow screen. */
export const columns = css`
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
