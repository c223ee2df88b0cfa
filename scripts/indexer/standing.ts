/** Whether a file of a listing stands already as it would be written. */
import { isPacked } from "./batch.ts";
import { zlib } from "./gzip.ts";
import { exists, isGone } from "./read.ts";

/** True if a file and its .gz stand as they would be written. */
export function holds(path: string, bytes: Uint8Array): boolean {
  const gzip = isPacked(bytes);
  try {
    if (Deno.lstatSync(path).size !== bytes.length) return false;
    if (!sameBytes(Deno.readFileSync(path), bytes)) return false;
    return gzip ? gzipMatches(path + ".gz", bytes) : !exists(path + ".gz");
  } catch (error) {
    if (isGone(error) || error instanceof Deno.errors.IsADirectory) return false;
    throw error;
  }
}

/** True if a .gz says at its end (RFC 1952) that it holds these bytes. */
function gzipMatches(path: string, bytes: Uint8Array): boolean {
  const packed = Deno.readFileSync(path);
  if (packed.length < 18) return false;
  const end = new DataView(packed.buffer, packed.byteOffset + packed.length - 8);
  return end.getUint32(0, true) === zlib().crc32(bytes) && end.getUint32(4, true) === bytes.length;
}

/** True if both hold the same bytes. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return i === a.length;
}
