/**
 * What is done for who comes near a row: it says its size and times exactly, and the listing of a directory is fetched
 * ahead. Of the rows that are made, hardly any is ever asked.
 */
import "./shared.ts";
import { bothTimes, exactSize } from "../../formats/exact.ts";
import type { Entry } from "../../formats/listing.ts";
import { rowOf } from "../../formats/listing_view.ts";
import { Prefetch } from "./prefetch.ts";

const prefetch = new Prefetch();

/** Somebody came to an entry's row, or to none; `click` where a click may follow. */
export function comeNear(row: Element | null, entry: Entry | undefined, click: boolean): void {
  if (row && entry) addTooltips(row, entry);
  prefetch.over(click ? entry : undefined);
}

function addTooltips(row: Element, entry: Entry) {
  const [, , size, time, ago] = row.children as Iterable<HTMLElement>, said = rowOf(entry);
  if (time.title) return;
  size.title = exactSize(said);
  time.title = ago.title = bothTimes(said);
}
