/**
 * Arch Linux and what is laid out like it: `<repo>/os/<arch>/<repo>.db` (a packed tar of `desc` files)
 * beside links into `pool/`. Order and flags: https://wiki.archlinux.org/title/DeveloperWiki:NewMirrors
 */
import { type Database, epoch, type Named, type Profile } from "./profile.ts";

/** `desc` files, one after the other: `%FILENAME%` and `%CSIZE%`, each followed by its value. */
function descParser(path: string) {
  const dir = path.slice(0, path.lastIndexOf("/") + 1);
  let field = "", file: string | undefined;
  return (line: string | undefined): Named[] => {
    if (line === undefined) return file ? [{ path: dir + file }] : [];
    if (/^%[A-Z0-9]+%$/.test(line)) {
      field = line;
      return [];
    }
    const before = file;
    if (field === "%FILENAME%") {
      field = "";
      file = line;
      return before ? [{ path: dir + before }] : [];
    }
    if (field !== "%CSIZE%" || !file) return [];
    field = "";
    file = undefined;
    return [{ path: dir + before, bytes: Number(line) }];
  };
}

const packageDatabase: Database = {
  match: /(?:^|\/)([^/]+)\/os\/[^/]+\/\1\.db\.tar\.(?:gz|zst|xz|bz2)$/,
  read: () => ["tar", "-xO", "--force-local", "-f"],
  parser: descParser,
};

export const arch: Profile = {
  summary: "Arch Linux: packages, then links and the rest, then databases, lastupdate, lastsync",
  exclude: ["*.links.tar.gz*", "/other", "/sources"],
  held: [/\.(?:db|files)(?:\.tar\.[a-z0-9]+)?(?:\.sig)?$/],
  databasesIn: { below: ["."], prune: ["pool", "iso"] },
  databases: [packageDatabase],
  markers: ["lastupdate", "lastsync"],
  check: "lastupdate",
  time: (_path, text) => epoch(text),
  schedule: "~ * * * *",
};
