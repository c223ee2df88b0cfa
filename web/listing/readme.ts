/** The text that a directory says of itself. */
import { type FileEntry, isDir, isLink } from "../../formats/listing.ts";
import { findPrefixes } from "./filter.ts";
import type { Kept } from "./kept.ts";

/** In this order. One in HTML is opened, not shown: its markup would stand as text. */
const NAMES = [/^readme$/i, /^readme\.md$/i, /^readme\.(?:txt|rst|asc)$/i];

/** The entry of a directory's README, or undefined. */
export function findReadme(kept: Kept): FileEntry | undefined {
  const named = findPrefixes(kept, "readme", 100).map((i) => kept.entry(i))
    .filter((entry) => !isDir(entry) && !(isLink(entry) && (entry.dir || entry.broken)));
  for (const name of NAMES) {
    const found = named.find((entry) => name.test(entry.name));
    if (found && found.bytes > 0) return found;
  }
  return undefined;
}
