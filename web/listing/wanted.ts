/** From what is selected to what commands are made for. */
import { hrefOf, isDir, isLink } from "../../formats/listing.ts";
import type { Wanted } from "./commands.ts";
import type { Kept } from "./kept.ts";
import type { Selection } from "./selection.ts";

/** The selected entries that lead somewhere, with absolute URLs. */
export function wantedOf(kept: Kept, selection: Selection, base: string = location.href): Wanted[] {
  return selection.list().map((i) => kept.entry(i))
    .filter((entry) => !(isLink(entry) && entry.broken))
    .map((entry) => {
      const dir = isDir(entry) || isLink(entry) && entry.dir === true;
      const href = hrefOf(entry).replace(/\/$/, "") + (dir ? "/" : "");
      return {
        url: new URL(href, base.replace(/[?#].*/, "")).href,
        name: entry.name.replace(/\/$/, ""),
        dir,
      };
    });
}
