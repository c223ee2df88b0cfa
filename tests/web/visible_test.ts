/** Which rows are elements, without a browser. */
import { assertEquals } from "@std/assert";
import { renderJson } from "../../formats/listing.ts";
import { Heights } from "../../web/listing/heights.ts";
import { Kept } from "../../web/listing/kept.ts";
import { Selection } from "../../web/listing/selection.ts";
import { positionsOf, rowsOf, type Scene } from "../../web/listing/visible.ts";

const entries = Array.from({ length: 1000 }, (_, i) => ({ name: `f${i}`, bytes: i, mtime: 0 }));
const kept = new Kept();
const head = { v: 1 as const, path: "/x/", bytes: 0, mtime: 0, files: 1000, dirs: 0 };
kept.push(new TextEncoder().encode(renderJson({ ...head, entries })));

/** Rows of 32 px in a view of 640. */
const scene = (more: Partial<Scene>): Scene => ({
  heights: new Heights(kept, undefined, { base: 12, line: 20, columns: 80 }),
  place: { s: 0, y: 0 },
  view: 640,
  covered: 0,
  active: -1,
  activeAt: -1,
  selection: new Selection(),
  ...more,
});
const ends = (positions: number[]) => [positions[0], positions.at(-1), positions.length];

Deno.test("positionsOf: the view and five rows beyond it, the keyboard's row, all that is printed", () => {
  const at = (y: number, more: Partial<Scene> = {}) =>
    ends(positionsOf(scene({ place: { s: y, y }, ...more })));
  assertEquals(at(0), [0, 25, 26]);
  // The rows begin 200 px below the view's edge.
  assertEquals(at(-200), [0, 18, 19]);
  assertEquals(at(3200), [95, 125, 31]);
  assertEquals(at(32_000 - 640), [975, 999, 25]);
  assertEquals(at(3200, { active: 3, activeAt: 3 }), [3, 125, 32]);
  assertEquals(at(3200, { active: 999, activeAt: 999 }), [95, 999, 32]);
  assertEquals(at(3200, { active: 100, activeAt: 100 }), [95, 125, 31]);
  assertEquals(at(3200, { printed: 300 }), [0, 299, 300]);
  assertEquals(at(3200, { printed: 5000 }), [0, 999, 1000]);
});

Deno.test("rowsOf: where each stands, and which one the keyboard comes to", () => {
  const stopOf = (more: Partial<Scene>) =>
    rowsOf(scene(more)).find(([, state]) => state.stop)?.[1].entry;
  assertEquals(stopOf({}), 0);
  // The first that is not covered; the keyboard's own, though it is far away.
  assertEquals(stopOf({ place: { s: 3200, y: 3200 }, covered: 100 }), 104);
  assertEquals(stopOf({ place: { s: 3200, y: 3200 }, active: 3, activeAt: 3 }), 3);
  // Where track and content differ, rows stand where the track is.
  const [, [read, state]] = rowsOf(scene({ place: { s: 500, y: 3200 } }));
  assertEquals([read().name, state.index, state.style], ["f96", 98, "top:372px;height:32px"]);
  const none = new Heights(kept, new Uint32Array(), { base: 12, line: 20, columns: 80 });
  assertEquals(rowsOf(scene({ heights: none })), []);
});
