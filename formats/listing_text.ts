/** A listing as a plain text table, for `curl` and a terminal of 80 columns. */
import { isLink, type Listing } from "./listing.ts";
import { columns, totals } from "./listing_html.ts";
import { toDisplay } from "./names.ts";

/**
 * Path, totals, and one entry a line: UTC time, size, name. Names come last and are not cut off, so
 * that every other column stays aligned and a name can be copied.
 */
export function renderText(listing: Listing): string {
  const rows = listing.entries.map((entry) => {
    const target = isLink(entry)
      ? ` -> ${toDisplay(entry.target)}${entry.broken ? " (broken)" : ""}`
      : "";
    return `${columns(entry)}  ${toDisplay(entry.name)}${target}\n`;
  });
  return `${toDisplay(listing.path)}\n${totals(listing)}\n\n${rows.join("")}`;
}
