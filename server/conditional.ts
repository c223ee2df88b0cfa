/** Validators and conditional requests: RFC 9110, sections 8.8 and 13. */

/** What tells one version of a file from another. */
export interface Validator {
  etag: string;
  /** Last modification in whole epoch seconds; where it is not known, conditions on dates are ignored. */
  modified?: number;
}

/** `"mtime-size"` in hex: exactly nginx's form, so that a mirror may change its server under its clients. */
export function validatorOf(
  info: { mtime: Date | null; size: number },
): Required<Validator> {
  const modified = Math.floor((info.mtime?.getTime() ?? 0) / 1000);
  return { etag: `"${modified.toString(16)}-${info.size.toString(16)}"`, modified };
}

/** Epoch seconds of an HTTP date in any of its three forms (RFC 9110, 5.6.7), or `undefined`. */
export function parseHttpDate(text: string): number | undefined {
  const form =
    /^(?:[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4}|[A-Z][a-z]+day, \d{2}-[A-Z][a-z]{2}-\d{2}) \d{2}:\d{2}:\d{2} GMT$/;
  const asctime = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/;
  const time = form.test(text)
    ? Date.parse(text)
    : asctime.test(text)
    ? Date.parse(text + " GMT")
    : NaN;
  return Number.isNaN(time) ? undefined : time / 1000;
}

/** True if a field's list of entity tags names `etag`; strong comparison takes no weak tag. */
function names(field: string, etag: string, strong: boolean): boolean {
  if (field.trim() === "*") return true;
  for (const [, weak, tag] of field.matchAll(/(W\/)?("[^"]*")/g)) {
    if (tag === etag && !(strong && weak)) return true;
  }
  return false;
}

/**
 * What the preconditions make of a GET or HEAD of something that exists, in the order of 13.2.2: 412 or
 * 304 where one decides, 200 where the request goes on.
 */
export function precondition(headers: Headers, current: Validator): 200 | 304 | 412 {
  const match = headers.get("if-match");
  const unmodified = headers.get("if-unmodified-since");
  if (match !== null) {
    if (!names(match, current.etag, true)) return 412;
  } else if (unmodified !== null && current.modified !== undefined) {
    const since = parseHttpDate(unmodified);
    if (since !== undefined && current.modified > since) return 412;
  }
  const noneMatch = headers.get("if-none-match");
  if (noneMatch !== null) return names(noneMatch, current.etag, false) ? 304 : 200;
  const modified = headers.get("if-modified-since");
  if (modified === null || current.modified === undefined) return 200;
  const since = parseHttpDate(modified);
  return since !== undefined && current.modified <= since ? 304 : 200;
}

/**
 * True unless `If-Range` says that the client's part is of another version. A date counts only where it
 * is exact and the file was not changed within that very second (13.1.5, 8.8.2.2).
 */
export function rangeStillValid(headers: Headers, current: Validator, now: number): boolean {
  const field = headers.get("if-range");
  if (field === null) return true;
  if (/^(?:W\/)?"/.test(field)) return field === current.etag;
  const { modified } = current;
  return modified !== undefined && parseHttpDate(field) === modified && modified < Math.floor(now);
}
