/**
 * From a request target to a path. The target is taken as the client sent it (Deno hands it on untouched),
 * percent-decoded exactly once, and only then are `.`, `..` and repeated slashes resolved, as nginx does.
 * So whatever the disguise, what comes out names a place below the root or nothing at all.
 */
import { fromHref, fromText, toHref } from "../formats/names.ts";

/** Longer targets get 414; nginx stops at 8 KiB too (large_client_header_buffers). */
export const MAX_TARGET = 8192;

/** A request target, resolved. */
export interface Target {
  /** Raw path (see formats/names.ts), canonical, with `/` first, and last where a directory was asked for. */
  raw: string;
  /** Query with its `?`, or empty. */
  query: string;
}

/** Path and query of a request's URL, or the status (400, 414) that it deserves. */
export function resolveTarget(url: string): Target | 400 | 414 {
  const from = url.indexOf("/", url.indexOf("://") + 3);
  const target = from < 0 ? "/" : url.slice(from);
  if (target.length > MAX_TARGET) return 414;
  const [, path, query] = /^([^?#]*)(\?[^#]*)?/.exec(target)!;
  let decoded: string;
  try {
    // curl and others send UTF-8 unescaped; RFC 3986 wants it escaped, so that is what it means.
    decoded = fromHref(path.replace(/[^\0-\x7f]+/g, (text) => toHref(fromText(text))));
  } catch {
    return 400;
  }
  if (decoded.includes("\0")) return 400;
  const segments: string[] = [];
  let directory = false;
  for (const segment of decoded.slice(1).split("/")) {
    directory = segment === "" || segment === "." || segment === "..";
    if (segment === ".." && segments.pop() === undefined) return 400;
    if (!directory) segments.push(segment);
  }
  const end = directory && segments.length ? "/" : "";
  return { raw: "/" + segments.join("/") + end, query: query ?? "" };
}

/** rsync's partial files and syncrepo's scratch space (`work` in scripts/lib/storage.ts). */
const TEMPORARY = /\/\.~tmp~/;

/** True for paths that are never served, wherever they stand. */
export const isTemporary = (raw: string): boolean => TEMPORARY.test(raw);

/** Where the server's own files are: no repository reaches in there. */
export const OWN = "/.mirrorkit/";
