/**
 * File names as bytes. A name on Linux is any bytes but `/` and NUL, so mirrorkit carries a path in
 * one of three forms:
 *
 * - *raw*: a string with one character per byte (0–255), lossless, made by {@linkcode fromBytes};
 * - *text*: what a person reads, valid Unicode;
 * - *href*: percent-encoded bytes (RFC 3986), lossless and printable; used in links and change lists.
 */

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lossy = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** Raw form of some bytes. */
export function fromBytes(bytes: Uint8Array): string {
  let raw = "";
  for (let i = 0; i < bytes.length; i += 8192) {
    raw += String.fromCharCode(...bytes.subarray(i, i + 8192));
  }
  return raw;
}

/** Bytes of a raw name. */
export function toBytes(raw: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

/** True if every character is ASCII, so that raw and text form are the same. */
const isAscii = (s: string) => !/[^\0-\x7f]/.test(s);

/** Raw form of a text. */
export function fromText(text: string): string {
  return isAscii(text) ? text : fromBytes(encoder.encode(text));
}

/** Text form of a raw name, or `undefined` where the bytes are not UTF-8. */
export function toText(raw: string): string | undefined {
  if (isAscii(raw)) return raw;
  try {
    return strict.decode(toBytes(raw));
  } catch {
    return undefined;
  }
}

/** Text form of a raw name with U+FFFD in place of what is not UTF-8: for people, not for opening. */
export function toTextLossy(raw: string): string {
  return isAscii(raw) ? raw : lossy.decode(toBytes(raw));
}

/** What may stand unescaped in a path segment, `:` left out so that `a:b` is not read as a scheme. */
const UNRESERVED = /^[A-Za-z0-9\-._~!$'()*+,;=@/]*$/;

/**
 * Percent-encoded form of a raw path; `/` stays. `&` is encoded as well, so that the result can stand
 * in HTML and in `wget -r` without a second escaping; so is `'`.
 */
export function toHref(raw: string): string {
  if (/^[A-Za-z0-9\-._~+,=@/]*$/.test(raw)) return raw;
  let href = "";
  for (let i = 0; i < raw.length; i++) {
    const c = raw[i];
    href += UNRESERVED.test(c) && c !== "'"
      ? c
      : "%" + raw.charCodeAt(i).toString(16).toUpperCase().padStart(2, "0");
  }
  return href;
}

/** Raw form of a percent-encoded path. Throws `URIError` on a broken escape, or a character beyond ASCII. */
export function fromHref(href: string): string {
  if (!/^(?:[\x21-\x24\x26-\x7e]|%[0-9A-Fa-f]{2})*$/.test(href)) {
    throw new URIError(`Cannot read path ${JSON.stringify(href)}: it is not percent-encoded ASCII`);
  }
  return href.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
}

// Control characters, line and paragraph separators, what turns the direction of text around, and what
// is not seen at all.
const UNSAFE =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g;

/** A name for the eye: what would break a line or turn the text around is shown as `\x0a`, `\u202e`. */
export function toDisplay(text: string): string {
  return text.replace(UNSAFE, (c) => {
    const code = c.charCodeAt(0);
    return code < 256
      ? "\\x" + code.toString(16).padStart(2, "0")
      : "\\u" + code.toString(16).padStart(4, "0");
  });
}

/** Text with the five characters that mean something in HTML escaped. */
export function escapeHtml(text: string): string {
  return /[&<>"']/.test(text) ? text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`) : text;
}

/**
 * Natural order of names: runs of digits compare as numbers (`a2` before `a10`), the rest by code unit;
 * names that are equal in that sense (`a01`, `a1`) by code unit, so that the order is total.
 */
export function compareNames(a: string, b: string): number {
  let i = 0, j = 0;
  while (i < a.length && j < b.length) {
    let x = a.charCodeAt(i), y = b.charCodeAt(j);
    if (x >= 48 && x <= 57 && y >= 48 && y <= 57) {
      while (x === 48) x = a.charCodeAt(++i);
      while (y === 48) y = b.charCodeAt(++j);
      let difference = 0;
      for (;;) {
        const xDigit = x >= 48 && x <= 57, yDigit = y >= 48 && y <= 57;
        if (!xDigit || !yDigit) {
          if (xDigit !== yDigit) return xDigit ? 1 : -1;
          break;
        }
        if (difference === 0) difference = x - y;
        x = a.charCodeAt(++i);
        y = b.charCodeAt(++j);
      }
      if (difference !== 0) return difference;
    } else {
      if (x !== y) return x - y;
      i++;
      j++;
    }
  }
  const rest = (a.length - i) - (b.length - j);
  return rest !== 0 ? rest : a < b ? -1 : a > b ? 1 : 0;
}
