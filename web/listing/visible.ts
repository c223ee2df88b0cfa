/** Which rows are elements now, and what each shows: those in view, and the keyboard's. */
import { type Row, rowOf } from "../../formats/listing_view.ts";
import type { Heights } from "./heights.ts";
import type { RowState } from "./row-element.ts";
import type { Selection } from "./selection.ts";
import type { Place } from "./track.ts";

/** Rows are made for so much beyond the view, so that a finger is not faster than they are. */
const MARGIN_PX = 160;

/** What is known of the rows and of the view. Lengths in CSS pixels. */
export interface Scene {
  heights: Heights;
  place: Place;
  /** The height of the view, and of what covers its upper edge. */
  view: number;
  covered: number;
  /** The entry that the keyboard is at, and its position among the rows; -1 where there is none. */
  active: number;
  activeAt: number;
  selection: Selection;
  /** So many rows are printed; undefined on a screen. */
  printed?: number;
}

/** The positions of rows to show; that of the keyboard's stays when it is scrolled away. */
export function positionsOf({ heights, place, view, activeAt, printed }: Scene): number[] {
  const from = printed === undefined ? heights.at(place.y - MARGIN_PX) : 0;
  const to = printed === undefined
    ? heights.at(place.y + view + MARGIN_PX)
    : Math.min(printed, heights.count) - 1;
  const positions = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  if (activeAt >= 0 && activeAt < from) positions.unshift(activeAt);
  if (activeAt > to) positions.push(activeAt);
  return positions;
}

/** The rows to show. A row is read only where it was not drawn yet. */
export function rowsOf(scene: Scene): [() => Row, RowState][] {
  const { heights, place: { s, y }, covered, active, activeAt, selection } = scene;
  if (heights.count === 0) return [];
  const now = Date.now() / 1000, positions = positionsOf(scene);
  const first = positions.find((p) => heights.top(p) >= y + covered) ?? positions[0];
  // What the keyboard comes to with Tab.
  const stop = activeAt >= 0 ? active : heights.entryAt(first);
  return positions.map((position) => {
    const entry = heights.entryAt(position), top = heights.top(position) - y + s;
    return [() => rowOf(heights.kept.entry(entry)), {
      entry,
      index: position + 2,
      style: `top:${top}px;height:${heights.height(position)}px`,
      selected: selection.has(entry),
      active: entry === active,
      stop: entry === stop,
      now,
    }];
  });
}
