/** Bodies of answers, read as far as they may go. */

/** Some chunks as one, cut at `bytes`. */
export function joined(chunks: Uint8Array[], bytes: number): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(0, bytes - at);
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The first `maxBytes` of a body, and whether there was more; the rest is not fetched. */
export async function readBody(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<{ body: Uint8Array<ArrayBuffer>; isCut: boolean }> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const reader = body?.getReader();
  while (reader && bytes <= maxBytes) {
    const { value, done } = await reader.read();
    if (done) break;
    chunks.push(value);
    bytes += value.length;
  }
  await reader?.cancel();
  return { body: joined(chunks, Math.min(bytes, maxBytes)), isCut: bytes > maxBytes };
}
