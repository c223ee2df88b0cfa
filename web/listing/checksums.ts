/** Checksums that a directory itself tells: files such as SHA256SUMS, and names that are a hash. */

/** Files that hold SHA-256 sums of what stands beside them. */
export const isSums = (name: string): boolean =>
  /^sha256sums?(?:\.txt)?$|^(?:.*-)?sha256sum(?:s)?(?:\.txt)?$|(?:^|-)checksum$|\.sha256(?:sum)?$/i
    .test(name);

/**
 * The sums in a file, by name: GNU's `HASH  name` and `HASH *name`, BSD's `SHA256 (name) = HASH`, and
 * `HASH` alone in `name.sha256`. PGP's armour and comments are passed over.
 */
export function readSums(text: string, file: string): Map<string, string> {
  const sums = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const gnu = /^([0-9a-f]{64})(?: [ *](.+))?$/i.exec(line.trimEnd());
    const bsd = /^SHA256 \((.+)\) = ([0-9a-f]{64})$/i.exec(line);
    const alone = file.replace(/\.sha256(?:sum)?$/i, "");
    if (gnu && (gnu[2] ?? alone) !== file) {
      sums.set((gnu[2] ?? alone).replace(/^\.\//, ""), gnu[1].toLowerCase());
    } else if (bsd) sums.set(bsd[1].replace(/^\.\//, ""), bsd[2].toLowerCase());
  }
  return sums;
}

/** The hash that a name is, as below `by-hash/SHA256/`. */
export const hashName = (path: string): string | undefined =>
  /\/by-hash\/SHA256\/([0-9a-f]{64})$/i.exec(path)?.[1].toLowerCase();
