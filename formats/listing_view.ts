/** What a row and the lines around it say: pure functions from entries to text. */
import { type Entry, hrefOf, isDir, isLink, type ListingHead } from "./listing.ts";
import { fromHref, fromText, toDisplay, toHref, toTextLossy } from "./names.ts";
import { formatBytes, formatMinute, formatTime } from "./units.ts";
import type { Translate } from "./messages.ts";
import { type Kind, kindOf } from "./kinds.ts";

/** A row as it is shown. All of it is text: a name is never markup. */
export interface Row {
  kind: Kind;
  name: string;
  /** Relative URL, absent where nothing can be followed. */
  href?: string;
  target?: string;
  /** Epoch seconds; 0 where the time is not known. */
  mtime: number;
  /** `2026-11-21 23:59` in UTC, and exactly, for machines; empty where the time is not known. */
  time: string;
  exact: string;
  size: string;
  bytes: number;
  /** Files below a directory. */
  files?: number;
}

/** What stands between a link's name and its target. */
export const ARROW = " → ";

/** The row of an entry. */
export function rowOf(entry: Entry): Row {
  const dir = isDir(entry), link = isLink(entry);
  const broken = link && entry.broken === true;
  const slash = link && entry.dir ? "/" : "";
  return {
    kind: kindOf(entry),
    name: toDisplay(entry.name) + slash,
    href: broken ? undefined : hrefOf(entry) + slash,
    target: link ? toDisplay(entry.target) : undefined,
    mtime: entry.mtime,
    time: entry.mtime ? formatMinute(entry.mtime) : "",
    exact: entry.mtime ? formatTime(entry.mtime) : "",
    size: broken || slash ? "" : formatBytes(entry.bytes),
    bytes: entry.bytes,
    files: dir ? entry.files : undefined,
  };
}

/** What a directory holds, in words: `18 directories · 63,000 files · 954 MiB · newest 2026-11-18 10:06`. */
export function totalsOf(head: ListingHead, t: Translate): string {
  return [
    ...(head.dirs ? [t("directories", { n: head.dirs })] : []),
    t("files", { n: head.files }),
    formatBytes(head.bytes),
    ...(head.mtime ? [t("listing.newest", { time: formatMinute(head.mtime) })] : []),
  ].join(" · ");
}

/** That the URL leads through a link, in words; nothing where it does not. */
export const redirectedOf = (head: ListingHead, pathname: string, t: Translate): string =>
  isRedirected(head, pathname)
    ? t("listing.redirected", { from: textOf(pathname), to: toDisplay(head.path) })
    : "";

/** A step of the breadcrumb. */
export interface Crumb {
  name: string;
  href: string;
}

/** The breadcrumb of a URL's path: the mirror first, then each directory. */
export function crumbsOf(mirror: string, pathname: string): Crumb[] {
  const crumbs = [{ name: mirror, href: "/" }];
  for (const segment of pathname.split("/").filter((s) => s !== "")) {
    crumbs.push({ name: textOf(segment), href: `${crumbs.at(-1)!.href}${segment}/` });
  }
  return crumbs;
}

/** A segment of a URL as a person reads it; as it stands where it cannot be decoded. */
export function textOf(segment: string): string {
  try {
    return toDisplay(toTextLossy(fromHref(segment)));
  } catch {
    return segment;
  }
}

/** True if the URL leads through a link to a directory that really is elsewhere. */
export function isRedirected(head: ListingHead, pathname: string): boolean {
  const real = head.href ?? toHref(fromText(head.path));
  const same = (path: string) => {
    try {
      return fromHref(path).replace(/\/+/g, "/");
    } catch {
      return path;
    }
  };
  return same(real) !== same(pathname);
}
