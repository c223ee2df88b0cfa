/** What the listing of a directory is made of, and making it: here, or on another core ({@linkcode Raw}). */
import {
  compareNamed,
  type DirEntry,
  type Entry,
  htmlParts,
  jsonParts,
  type Listing,
} from "../../formats/listing.ts";
import { fileEntry } from "./entries.ts";
import { readRecords, type Totals } from "./records.ts";

/** The files of a listing. A directory of the mirror with such a name cannot have a listing. */
export const LISTING_FILES = ["index.json", "index.html"] as const;
export type ListingFile = typeof LISTING_FILES[number];
export const OWN_NAMES = new Set<string>(LISTING_FILES.flatMap((name) => [name, name + ".gz"]));

/**
 * A directory with this many bytes of records (some hundred files) is large: another core's time pays for
 * it, and links are likely to lead there.
 */
export const LARGE_BYTES = 64 * 1024;

/** A directory without links as a walk kept it. */
export interface Raw {
  /** URL path as text, with `/` at both ends. */
  path: string;
  head: Totals;
  dirs: DirEntry[];
  /** What find printed about its files; of a large one in a single piece. */
  records: Uint8Array[];
}

export const sizeOf = (records: Uint8Array[]) =>
  records.reduce((sum, { length }) => sum + length, 0);

/** The listing of a directory with these folders and other entries, both in any order: they are sorted in place. */
export function listingOf(
  path: string,
  { bytes, mtime, files, dirs }: Totals,
  folders: DirEntry[],
  others: Entry[],
): Listing {
  const entries = [...folders.sort(compareNamed), ...others.sort(compareNamed)];
  return { v: 1, path, bytes, mtime, files, dirs, entries };
}

/** The listing of a directory without links. */
export function listingOfRaw({ path, head, dirs, records }: Raw): Listing {
  return listingOf(path, head, dirs, readRecords(records).map(fileEntry));
}

/** The files of a listing, each as the parts of its text. */
export function filesOf(listing: Listing): [ListingFile, Iterable<string>][] {
  return [["index.json", jsonParts(listing)], ["index.html", htmlParts(listing)]];
}
