/** What an entry is, told by its name alone: for its icon, and for whether it can be looked into. */
import { type Entry, isDir, isLink } from "./listing.ts";

export type Kind =
  | "dir"
  | "broken"
  | "package"
  | "archive"
  | "disk"
  | "image"
  | "signature"
  | "checksum"
  | "text"
  | "file";

const KINDS: [Kind, RegExp][] = [
  ["signature", /\.(?:sig|asc|sign|gpg)$/i],
  ["checksum", /(?:\.|^|-)(?:md5|sha\d+|b2)(?:sums?)?(?:\.txt)?$|^checksum|-checksum$/i],
  ["package", /\.(?:deb|udeb|ddeb|rpm|drpm|apk|pkg\.tar(?:\.\w+)?|dsc)$/i],
  ["disk", /\.(?:iso|img|qcow2|vmdk|vhdx?|raw|squashfs|efi)(?:\.(?:gz|xz|zst|bz2))?$/i],
  ["archive", /\.(?:tar|tgz|txz|zip|7z|gz|xz|bz2|zst|lz4?|lzma|db|files)$/i],
  ["image", /\.(?:png|jpe?g|gif|webp|avif|svg|ico)$/i],
  [
    "text",
    /\.(?:txt|md|rst|log|list|conf|cfg|ini|json|ya?ml|xml|sh|diff|patch|changes|buildinfo|html?|repo)$|^(?:in)?release$|^(?:readme|licen[cs]e|copying|news|todo|authors|header|footer|changelog)|^(?:packages|sources|index|ls-lr|lastupdate|lastsync|timestamp|time)$/i,
  ],
];

/** The kind of an entry. */
export function kindOf(entry: Entry): Kind {
  if (isDir(entry)) return "dir";
  if (isLink(entry) && (entry.broken || entry.dir)) return entry.broken ? "broken" : "dir";
  return KINDS.find(([, pattern]) => pattern.test(entry.name))?.[0] ?? "file";
}

const PEEKS = new Set<Kind>(["text", "checksum", "signature", "image"]);

/** True if a preview helps: what it holds is text, or a picture. */
export const canPeek = (kind: Kind): boolean => PEEKS.has(kind);
