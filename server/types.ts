/**
 * What a file of a mirror is, and how long a cache may keep it. The server never looks into a file, and
 * never sends `Content-Encoding` for a stored one: `core.db.tar.gz` is a gzip file, not a compressed tar.
 */

const TEXT = "text/plain; charset=utf-8";

const TYPES: Record<string, string> = {
  "7z": "application/x-7z-compressed",
  avif: "image/avif",
  bz2: "application/x-bzip2",
  css: "text/css; charset=utf-8",
  ddeb: "application/vnd.debian.binary-package",
  deb: "application/vnd.debian.binary-package",
  drpm: "application/x-rpm",
  gif: "image/gif",
  gz: "application/gzip",
  htm: "text/html",
  html: "text/html",
  ico: "image/x-icon",
  iso: "application/x-iso9660-image",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  json: "application/json",
  lz: "application/x-lzip",
  lz4: "application/x-lz4",
  lzma: "application/x-lzma",
  meta4: "application/metalink4+xml",
  metalink: "application/metalink+xml",
  pdf: "application/pdf",
  png: "image/png",
  rpm: "application/x-rpm",
  sig: "application/pgp-signature",
  svg: "image/svg+xml",
  tar: "application/x-tar",
  tgz: "application/gzip",
  torrent: "application/x-bittorrent",
  txz: "application/x-xz",
  udeb: "application/vnd.debian.binary-package",
  wasm: "application/wasm",
  webp: "image/webp",
  xht: "application/xhtml+xml",
  xhtml: "application/xhtml+xml",
  xml: "text/xml",
  xsl: "text/xml",
  xz: "application/x-xz",
  zip: "application/zip",
  zst: "application/zstd",
};

// JavaScript is shown as text: with `nosniff` no browser runs `text/plain`, whoever refers to it.
const TEXT_EXTENSIONS = new Set(
  ("asc buildinfo cfg changes changelog conf diff dsc ini js log list md md5 md5sums mjs patch " +
    "repo rst sh sha1 sha256 sha512 sums txt yaml yml").split(" "),
);

/** Names without a telling extension that are text. */
const TEXT_NAMES =
  /^(?:In|_)?Release$|^(?:Packages|Sources|Index|README.*|LICEN[CS]E.*|COPYING.*|NEWS|TODO|AUTHORS|HEADER|FOOTER|ls-lR|lastupdate|lastsync|CHECKSUM|Change[Ll]og.*|Contents-[^.]*|Translation-[^.]*|Archive-Update-in-Progress-.*|\.(?:tree|disc)info|timestamp|TIME|fullfilelist|fullfiletimelist.*|[A-Z0-9]+-?SUMS?(?:-.*)?|(?:md5|sha\d+|b2)sums?)$/;

/** Content-Type of a path. */
export function contentType(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (TEXT_NAMES.test(name) || path.includes("/project/trace/")) return TEXT;
  const dot = name.lastIndexOf(".");
  if (dot < 0) return "application/octet-stream";
  const extension = name.slice(dot + 1).toLowerCase();
  if (TEXT_EXTENSIONS.has(extension)) return TEXT;
  return Object.hasOwn(TYPES, extension) ? TYPES[extension] : "application/octet-stream";
}

/** True for types in which a browser finds script: XML too, by stylesheet or by XHTML's namespace. */
export const isActive = (type: string): boolean => /html|xml/.test(type);

/**
 * For active types: the page may be read, with its pictures and styles (an installation manual stays
 * readable), but runs no script, sends no form and has no origin.
 */
export const INERT = "sandbox; default-src 'none'; img-src 'self' data:; media-src 'self'; " +
  "font-src 'self'; style-src 'self' 'unsafe-inline'";

const PACKAGE =
  /\.(?:deb|udeb|ddeb|rpm|drpm|apk|pkg\.tar(?:\.\w+)?)(?:\.sig|\.asc)?$|\/pool\/.*\.(?:dsc|tar\.\w+|diff\.gz)(?:\.asc)?$/;
const BY_HASH = /\/by-hash\/\w+\/[0-9a-f]{32,}$/;

/** Packages carry their version in the name, by-hash files their content. All else may change: ask. */
export function cacheControl(path: string): string {
  if (BY_HASH.test(path)) return "public, max-age=31536000, immutable";
  return PACKAGE.test(path) ? "public, max-age=604800" : "no-cache";
}
