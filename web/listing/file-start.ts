/** The start of a file, to be shown. */

/** More is opened or downloaded. */
export const START_BYTES = 262_144;

/** The first bytes of what stands at a URL. Throws where it cannot be had. */
export async function fetchStart(
  href: string,
  signal: AbortSignal,
  most = START_BYTES,
): Promise<Uint8Array> {
  const response = await fetch(href, { signal, headers: { range: `bytes=0-${most - 1}` } });
  // 416: it is empty, and has no first byte.
  if (response.status === 416) return new Uint8Array();
  if (!response.ok) throw new Error(String(response.status));
  // A server that takes no ranges sends all of it.
  return new Uint8Array(await response.arrayBuffer()).slice(0, most);
}
