/**
 * Runs before the first paint, as a small script of its own: the theme, and the question for the listing. What
 * comes is read when the page is there: read before, it would keep the page from being made.
 */
import "../base/early.ts";

declare global {
  var mirrorkitListing: Promise<Response> | undefined;
}

globalThis.mirrorkitListing = fetch("?format=json");
// Who takes it hears of the failure.
globalThis.mirrorkitListing.catch(() => {});
