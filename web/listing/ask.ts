/**
 * Runs before the first paint, as a small script of its own: the theme, and the question for the listing. What
 * comes is read when the page is there: read before, it would keep the page from being made.
 */
import "../base/early.ts";

declare global {
  var listing: Promise<Response> | undefined;
}

// Who takes it hears of the failure.
(globalThis.listing = fetch("?format=json")).catch(() => {});
