/**
 * Runs before the first paint, as a small script of its own: the theme, and the question for the listing. What
 * comes is read when the page is there: read before, it would keep the page from being made. Like its preload, it
 * has low priority: rows are of use when the scripts that show them are there.
 */
import "../base/early.ts";

declare global {
  var listing: Promise<Response> | undefined;
}

// Who takes it hears of the failure.
(globalThis.listing = fetch("?format=json", { priority: "low" })).catch(() => {});
