/** What a row and the lines around it say: pure functions from entries to text. */
import { type Entry, hrefOf, isDir, isLink, type ListingHead } from "../formats/listing.ts";
import { fromHref, fromText, toDisplay, toHref, toTextLossy } from "../formats/names.ts";
import { count, formatBytes, formatMinute, formatTime } from "../formats/units.ts";

/** A row as it is shown. All of it is text: a name is never markup. */
export interface Row {
  kind: "dir" | "file" | "link" | "broken";
  name: string;
  /** Relative URL, absent where nothing can be followed. */
  href?: string;
  target?: string;
  /** `2026-11-21 23:59`, and exactly, for machines and tooltips; empty where the time is not known. */
  time: string;
  exact: string;
  size: string;
  /** The size in bytes and the counts, for a tooltip. */
  detail: string;
}

/** The row of an entry. */
export function rowOf(entry: Entry): Row {
  const dir = isDir(entry), link = isLink(entry);
  const broken = link && entry.broken === true;
  const slash = link && entry.dir ? "/" : "";
  const bytes = `${entry.bytes.toLocaleString("en-US")} bytes`;
  return {
    kind: dir ? "dir" : broken ? "broken" : link ? "link" : "file",
    name: toDisplay(entry.name) + slash,
    href: broken ? undefined : hrefOf(entry) + slash,
    target: link ? toDisplay(entry.target) : undefined,
    time: entry.mtime ? formatMinute(entry.mtime) : "",
    exact: entry.mtime ? formatTime(entry.mtime) : "",
    size: broken || slash ? "" : formatBytes(entry.bytes),
    detail: dir ? `${bytes} in ${count(entry.files, "file")}` : bytes,
  };
}

/** A step of the breadcrumb. */
export interface Crumb {
  name: string;
  href: string;
}

/** The breadcrumb of a URL's path: the host first, then each directory. */
export function crumbsOf(host: string, pathname: string): Crumb[] {
  const crumbs = [{ name: host, href: "/" }];
  for (const segment of pathname.split("/").filter((s) => s !== "")) {
    crumbs.push({ name: textOf(segment), href: `${crumbs.at(-1)!.href}${segment}/` });
  }
  return crumbs;
}

/** A segment of a URL as a person reads it; as it stands where it cannot be decoded. */
function textOf(segment: string): string {
  try {
    return toDisplay(toTextLossy(fromHref(segment)));
  } catch {
    return segment;
  }
}

/** The line of totals. */
export function summaryOf(head: ListingHead): string {
  const parts = [
    ...(head.dirs ? [count(head.dirs, "directory").replace(/ys$/, "ies")] : []),
    count(head.files, "file"),
    formatBytes(head.bytes),
    ...(head.mtime ? [`newest ${formatMinute(head.mtime)} UTC`] : []),
  ];
  return parts.join(" · ");
}

/** The real path, where the URL leads through a link to it. */
export function redirectedFrom(head: ListingHead, pathname: string): string | undefined {
  const real = head.href ?? toHref(fromText(head.path));
  const same = (path: string) => {
    try {
      return fromHref(path).replace(/\/+/g, "/");
    } catch {
      return path;
    }
  };
  return same(real) === same(pathname) ? undefined : toDisplay(head.path);
}
