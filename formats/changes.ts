/**
 * The change list `state/<repo>.changes`: what `syncrepo` changed since `indexer` last consumed it.
 * One path a line, relative to the repository, percent-encoded, a directory with a `/` at its end.
 * The line `/` says that what changed is not known, or is too much to list: everything is looked at.
 * Unknown and broken lines mean the same, so a damaged list costs time, never a stale listing.
 */
import { fromHref, toHref } from "./names.ts";

/** Past this many paths a full scan is cheaper than the list. */
export const MAX_CHANGES = 100_000;

/** The text of a change list for raw paths, or for everything. */
export function writeChanges(rawPaths: Iterable<string> | "everything"): string {
  if (rawPaths === "everything") return "/\n";
  let text = "", n = 0;
  for (const path of rawPaths) {
    if (++n > MAX_CHANGES) return "/\n";
    text += toHref(path) + "\n";
  }
  return text;
}

/** The raw paths of a change list, each once, or `"everything"`. */
export function readChanges(text: string): Set<string> | "everything" {
  const paths = new Set<string>();
  if (text !== "" && !text.endsWith("\n")) return "everything";
  for (const line of text.split("\n").slice(0, -1)) {
    try {
      const path = fromHref(line);
      const segments = path.replace(/\/$/, "").split("/");
      if (segments.some((s) => s === "" || s === "." || s === "..")) return "everything";
      paths.add(path);
    } catch {
      return "everything";
    }
    if (paths.size > MAX_CHANGES) return "everything";
  }
  return paths;
}
