/** Entries of listings from what find said. */
import { entryName, type FileEntry, type LinkEntry } from "../../formats/listing.ts";
import { toTextLossy } from "../../formats/names.ts";
import type { Destination } from "./links.ts";
import type { Record, Totals } from "./records.ts";

/** True if nothing of the totals differs. */
export const sameTotals = (a: Totals, b: Totals) =>
  a.bytes === b.bytes && a.mtime === b.mtime && a.files === b.files && a.dirs === b.dirs;

/** A file as an entry: the record itself where its name is ASCII, as objects for 30,000 take memory. */
export function fileEntry(file: Record): FileEntry {
  const { name, href } = entryName(file.name, false);
  if (name === file.name) return file;
  return { name, bytes: file.bytes, mtime: file.mtime, ...(href === undefined ? {} : { href }) };
}

/** A link as an entry; without a file, one that leads to no directory is broken. */
export function linkEntry(
  link: Record,
  to: Destination,
  file: Pick<FileEntry, "bytes" | "mtime"> | undefined,
): LinkEntry {
  const { bytes, mtime } = file ?? { bytes: 0, mtime: link.mtime };
  const { name, href } = entryName(link.name, false), target = toTextLossy(link.target!);
  const entry: LinkEntry = { name, bytes, mtime, target };
  if (to.kind === "dir") entry.dir = true;
  else if (!file) entry.broken = true;
  if (href !== undefined) entry.href = href;
  return entry;
}
