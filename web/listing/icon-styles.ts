/** The icons of rows. */
import { css } from "lit";

/** A shape in 16 × 16 pixels for each kind: drawn, so there is nothing to load. */
export const icons = css`
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
    /* A colour that is seen through needs no layer of its own, as an element that is would. */
    background: color-mix(in srgb, var(--ink, var(--quiet)) 75%, transparent);
    clip-path: var(--icon);
  }
  .dir {
    --ink: var(--accent);
  }
  .broken {
    --ink: var(--alarm);
  }
  @media (forced-colors: active) {
    #space .name::before {
      forced-color-adjust: none;
      background: CanvasText;
    }
  }
`;
