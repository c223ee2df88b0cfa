/**
 * What an OpenPGP signature says of itself (RFC 9580, section 5.2): who made it, when, with what. It is
 * read to be shown; nothing is verified.
 */

export interface Signature {
  /** Epoch seconds. */
  made?: number;
  /** Fingerprint or key id, in capitals of hexadecimal. */
  key?: string;
  algorithm: string;
}

const ALGORITHMS: Record<number, string> = {
  1: "RSA",
  3: "RSA",
  17: "DSA",
  19: "ECDSA",
  22: "EdDSA",
  27: "Ed25519",
  28: "Ed448",
};

const hex = (bytes: Uint8Array) =>
  [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("").toUpperCase();

const number = (bytes: Uint8Array) => bytes.reduce((n, byte) => n * 256 + byte, 0);

/** The bytes between the lines of an ASCII armour, or undefined where there is none. */
export function unarmour(text: string): Uint8Array | undefined {
  const body =
    /-----BEGIN PGP SIGNATURE-----\r?\n(?:[^\r\n]+\r?\n)*?\r?\n([\sA-Za-z0-9+/=]+?)(?:\r?\n=[\w+/]{4})?\s*-----END/
      .exec(text)?.[1];
  try {
    return body && Uint8Array.from(atob(body.replace(/\s/g, "")), (c) => c.charCodeAt(0)) ||
      undefined;
  } catch {
    return undefined;
  }
}

/** Body of the first packet if it is a signature (tag 2; RFC 9580, section 4.2). */
function signaturePacket(bytes: Uint8Array): Uint8Array | undefined {
  const [first, length] = bytes, modern = (first & 0x40) !== 0;
  if (!(first & 0x80) || (modern ? first & 0x3f : first >> 2 & 15) !== 2) return undefined;
  if (!modern) return bytes.subarray([2, 3, 5][first & 3] ?? 1);
  return bytes.subarray(length < 192 ? 2 : length < 224 ? 3 : 6);
}

/** The first signature in some bytes, or undefined where there is none that we can read. */
export function readSignature(bytes: Uint8Array): Signature | undefined {
  const body = signaturePacket(bytes);
  if (body === undefined || body.length < 10) return undefined;
  const algorithm = (n: number) => ALGORITHMS[n] ?? `#${n}`;
  if (body[0] === 3) {
    const made = number(body.subarray(3, 7)), key = hex(body.subarray(7, 15));
    return { made, key, algorithm: algorithm(body[15]) };
  }
  if (body[0] !== 4 && body[0] !== 6) return undefined;
  const found: Signature = { algorithm: algorithm(body[2]) }, wide = body[0] === 6 ? 4 : 2;
  let at = 4;
  // Two areas of subpackets: what is signed too, and what is not.
  for (let area = 0; area < 2; area++) {
    const end = at + wide + number(body.subarray(at, at + wide));
    subpackets(body.subarray(at + wide, end), found);
    at = end;
  }
  return found;
}

function subpackets(area: Uint8Array, found: Signature): void {
  for (let at = 0; at < area.length;) {
    let length = area[at++];
    if (length === 255) {
      length = number(area.subarray(at, at + 4));
      at += 4;
    } else if (length >= 192) length = (length - 192 << 8) + area[at++] + 192;
    if (length === 0) return;
    const type = area[at] & 0x7f, value = area.subarray(at + 1, at + length);
    if (type === 2) found.made = number(value);
    if (type === 33) found.key = hex(value.subarray(1));
    if (type === 16) found.key ??= hex(value);
    at += length;
  }
}
