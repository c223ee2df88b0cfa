/** Directories of every kind, served to a browser: for the tests of the listing page and of its looks. */
import { compareEntries, type Entry, type Listing, renderJson } from "../../formats/listing.ts";
import { renderHtml } from "../../formats/listing_html.ts";
import { MTIME, type TestNode } from "../server/fixture.ts";

const HOUR = 3600;

/** Writes the listings of a directory that need not be there. */
export async function putListing(
  node: TestNode,
  path: string,
  entries: Entry[],
  head: Partial<Listing> = {},
): Promise<void> {
  const totals = { bytes: 1e9, mtime: MTIME, files: entries.length, dirs: 0 };
  const sorted = entries.toSorted(compareEntries);
  const listing: Listing = { v: 1, path, ...totals, ...head, entries: sorted };
  await node.listing(`${path}index.json`, renderJson(listing));
  await node.listing(`${path}index.html`, renderHtml(listing));
  await node.write(`${path}.here`, "");
}

/** So many packages, with names as long as they are. */
export const packages = (n: number): Entry[] =>
  Array.from({ length: n }, (_, i) => ({
    name: `package-${i * 7919 % 100_003}-${i % 9}.${i % 31}-1-x86_64.pkg.tar.zst`,
    bytes: i * 104_729 % 90_000_000,
    mtime: MTIME - i * 61,
  }));

const dir = (name: string, bytes: number, files: number, hours: number): Entry =>
  ({ name, bytes, mtime: MTIME - hours * HOUR, files, dirs: 2 }) as Entry;
const file = (name: string, bytes: number, hours: number): Entry => ({
  name,
  bytes,
  mtime: MTIME - hours * HOUR,
});

/** A directory such as a mirror has, with one of each kind. */
export const MIXED: Entry[] = [
  dir("core/", 38e9, 1820, 2),
  dir("extra/", 912e9, 61_230, 3),
  dir("iso/", 9e9, 122, 40),
  dir("pool/", 921e9, 64_000, 1),
  file("README.txt", 1234, 9000),
  file("SHA256SUMS", 912, 300),
  file("archlinux-2026.11.01-x86_64.iso", 1.2e9, 400),
  file("archlinux-2026.11.01-x86_64.iso.sig", 310, 401),
  file("archlinux-bootstrap-x86_64.tar.zst", 138e6, 402),
  file("gcc-14.2.1+r134+gab884fffe3fc-1-x86_64.pkg.tar.zst", 52e6, 700),
  file("lastupdate", 11, 1),
  file("logo.png", 3210, 5000),
  file(
    "linux-firmware-whence-20260913.0123456789abcdef0123456789abcdef01234567-1-any.rpm",
    52e3,
    90,
  ),
  { ...file("latest.iso", 1.2e9, 400), target: "archlinux-2026.11.01-x86_64.iso" } as Entry,
  { ...file("gone", 0, 90), target: "../../outside", broken: true } as Entry,
];
