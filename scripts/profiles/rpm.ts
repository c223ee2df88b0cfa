/**
 * Fedora and Enterprise Linux: `repodata/repomd.xml` names the metadata, its `primary` the packages.
 * https://docs.fedoraproject.org/en-US/infra/mirroring/
 */
import { type Database, type Named, type Profile, unpack } from "./profile.ts";

const UNESCAPE: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const unescape = (s: string) => s.replace(/&(amp|lt|gt|quot|apos);/g, (_, name) => UNESCAPE[name]);

/** Elements `close` with an `href` inside, and a size that `size` finds; one element may span lines. */
function xmlParser(path: string, close: string, size: RegExp) {
  const base = path.slice(0, path.indexOf("repodata/"));
  let element = "";
  return (line: string | undefined): Named[] => {
    const named: Named[] = [];
    element += (line ?? "") + "\n";
    for (
      let end;
      (end = element.indexOf(close)) >= 0;
      element = element.slice(end + close.length)
    ) {
      const one = element.slice(0, end);
      const href = /<location\b(?![^>]*xml:base)[^>]*\bhref="([^"]*)"/.exec(one);
      const bytes = size.exec(one);
      if (href) {
        named.push({ path: base + unescape(href[1]), bytes: bytes ? Number(bytes[1]) : undefined });
      }
    }
    return named;
  };
}

const repomd: Database = {
  match: /(?:^|\/)repodata\/repomd\.xml$/,
  read: () => ["cat", "--"],
  parser: (path) => xmlParser(path, "</data>", /<size>(\d+)<\/size>/),
};

const primary: Database = {
  match: /(?:^|\/)repodata\/[^/]*primary\.xml(?:\.(?:gz|xz|zst|bz2))?$/,
  read: unpack,
  parser: (path) => xmlParser(path, "</package>", /<size\b[^>]*\bpackage="(\d+)"/),
};

export const fedora: Profile = {
  summary: "Fedora: packages, then repodata, then repomd.xml",
  exclude: [],
  held: [/(?:^|\/)repodata\/(?!repomd\.xml)/, /(?:^|\/)repodata\/repomd\.xml/],
  databasesIn: { below: ["."], prune: ["Packages", "images", "isolinux", "iso", "LiveOS"] },
  databases: [repomd, primary],
  markers: [],
  time: (_path, text) => {
    const revision = /<revision>(\d+)<\/revision>/.exec(text);
    return revision ? Number(revision[1]) : undefined;
  },
  timed: /(?:^|\/)repodata\/repomd\.xml$/,
  schedule: "~ */2 * * *",
};

export const el: Profile = {
  ...fedora,
  summary: "Enterprise Linux (AlmaLinux, Rocky, CentOS Stream): as Fedora",
  schedule: "~ */3 * * *",
};
