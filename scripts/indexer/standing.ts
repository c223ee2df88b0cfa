/** Whether a file of a listing stands already as it would be written. */
import { isPacked } from "./batch.ts";
import { zlib } from "./gzip.ts";
import { isGone, readBytes } from "./read.ts";

/** True if a file and its .gz stand as they would be written. */
export function holds(path: string, bytes: Uint8Array): boolean {
  try {
    return Deno.lstatSync(path).size === bytes.length &&
      agrees(bytes, Deno.readFileSync(path), readBytes(path + ".gz"));
  } catch (error) {
    if (isGone(error) || error instanceof Deno.errors.IsADirectory) return false;
    throw error;
  }
}

/** True if these are the bytes of a file as it should be, and of its .gz. */
export function agrees(bytes: Uint8Array, file: Uint8Array, gzip: Uint8Array | undefined): boolean {
  return sameBytes(file, bytes) && (isPacked(bytes) ? matches(gzip, bytes) : !gzip);
}

/** True if a .gz says at its end (RFC 1952) that it holds these bytes. */
function matches(gzip: Uint8Array | undefined, bytes: Uint8Array): boolean {
  if (!gzip || gzip.length < 18) return false;
  const end = new DataView(gzip.buffer, gzip.byteOffset + gzip.length - 8);
  return end.getUint32(0, true) === zlib().crc32(bytes) && end.getUint32(4, true) === bytes.length;
}

/** True if both hold the same bytes. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return i === a.length;
}
