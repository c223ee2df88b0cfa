/** A package that a database names, the same on all nodes for an hour. */

/** A decompressed database may be as large. */
const MOST_BYTES = 64 << 20;

/** How databases name files: pacman's `desc`, relative to the database; Debian's, to the archive. */
const FORMATS: { pattern: RegExp; base: (database: string) => string }[] = [
  { pattern: /%FILENAME%\n([^\n]+)\n/g, base: (path) => path.replace(/[^/]*$/, "") },
  { pattern: /^Filename: (\S+)$/gm, base: (path) => path.replace(/dists\/.*$/, "") },
];

const NAME = /^(?!.*(?:^|\/)\.\.?(?:\/|$))[\w@.+:~%\/-]{1,300}$/;

/**
 * The path of a package, or `undefined` where there is none. Nodes with the same packages pick the same
 * one, those that differ in a few mostly do: it is the one whose name, hashed with the hour, is least.
 */
export async function pickPackage(
  database: Uint8Array<ArrayBuffer>,
  path: string,
  now: number,
): Promise<string | undefined> {
  const text = await readAll(database), hour = Math.floor(now / 3600);
  for (const { pattern, base } of FORMATS) {
    let best: string | undefined, least = Infinity;
    for (const [, name] of text.matchAll(pattern)) {
      const rank = hash(`${hour}/${name}`);
      if (rank < least && NAME.test(name)) [best, least] = [name, rank];
    }
    if (best) return base(path) + best.split("/").map(encodeURIComponent).join("/");
  }
}

/** The text of a database, decompressed where it is gzip; tar's own fields do no harm. */
async function readAll(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return new TextDecoder("latin1").decode(bytes);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const decoder = new TextDecoder("latin1");
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MOST_BYTES) throw new Error("the database is too large when decompressed");
  }
  return text;
}

/** FNV-1a. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return h;
}
