/**
 * Debian, Ubuntu and what is laid out like them: `dists/<suite>/Release` names indexes, these name what
 * lies in `pool/`. The two stages and the trace are archvsync's (ftpsync): https://www.debian.org/mirror/ftpmirror
 */
import { type Database, type Named, type Profile, unpack } from "./profile.ts";

/** The archive's root: what stands before `dists/`. */
const rootOf = (path: string) => /^(.*?)dists\//.exec(path)?.[1] ?? "";

const VARIANT = /(?:\.(gz|xz|zst|bz2))?$/;
const RANKS = ["gz", "zst", "xz", undefined, "bz2"];
const sameAs = (path: string) => ({
  key: path.replace(VARIANT, ""),
  rank: RANKS.indexOf(VARIANT.exec(path)?.[1]),
});

const packages: Database = {
  match: /(?:^|\/)dists\/(?!.*\/by-hash\/).*\/Packages(?:\.(?:gz|xz|zst|bz2))?$/,
  read: unpack,
  sameAs,
  parser: (path) => {
    const root = rootOf(path);
    let file: string | undefined, bytes: number | undefined;
    return (line) => {
      if (line?.startsWith("Filename: ")) file = line.slice(10).trim();
      else if (line?.startsWith("Size: ")) bytes = Number(line.slice(6));
      if (line === undefined || line === "") {
        const named: Named[] = file ? [{ path: root + file, bytes }] : [];
        file = bytes = undefined;
        return named;
      }
      return [];
    };
  },
};

const sources: Database = {
  match: /(?:^|\/)dists\/(?!.*\/by-hash\/).*\/Sources(?:\.(?:gz|xz|zst|bz2))?$/,
  read: unpack,
  sameAs,
  parser: (path) => {
    const root = rootOf(path);
    let dir = "", inFiles = false, named: Named[] = [];
    return (line) => {
      if (line === undefined || line === "") {
        const all = named.map((n) => ({ ...n, path: `${root}${dir}/${n.path}` }));
        inFiles = false;
        named = [];
        return all;
      }
      if (line.startsWith("Directory: ")) dir = line.slice(11).trim();
      if (!line.startsWith(" ")) inFiles = line.startsWith("Files:");
      else if (inFiles) {
        const [, size, file] = line.trim().split(/\s+/);
        if (file) named.push({ path: file, bytes: Number(size) });
      }
      return [];
    };
  },
};

/**
 * `Release` names every index in every packing, also those that a mirror need not have. One that is
 * there must have the size stated; so the sizes are marked as binding only for what exists.
 */
const release: Database = {
  match: /(?:^|\/)dists\/.*\/(?:Release|InRelease)$/,
  read: () => ["cat", "--"],
  parser: (path) => {
    const dir = path.slice(0, path.lastIndexOf("/") + 1);
    let inFiles = false;
    return (line) => {
      if (line === undefined) return [];
      if (!line.startsWith(" ")) inFiles = line.startsWith("SHA256:");
      else if (inFiles) {
        const [, size, file] = line.trim().split(/\s+/);
        if (file) return [{ path: dir + file, bytes: Number(size), optional: true }];
      }
      return [];
    };
  },
};

/** The `Date:` of a Release file, or the serial of `project/trace/master`. */
function time(path: string, text: string): number | undefined {
  if (path.includes("trace/")) {
    const serial = /^Archive serial: (\d+)$/m.exec(text);
    return serial ? Number(serial[1]) : undefined;
  }
  const date = /^Date: (.+)$/m.exec(text);
  const ms = date ? Date.parse(date[1]) : NaN;
  return Number.isNaN(ms) ? undefined : ms / 1000;
}

export const debian: Profile = {
  summary: "Debian: pool and by-hash, then indexes, then Release files, then the traces",
  exclude: ["/Archive-Update-in-Progress-*", "/Archive-Update-Required-*"],
  held: [
    /(?:^|\/)(?!.*\/by-hash\/)(?:(?:Packages|Sources|Contents)[^/]*|(?:i18n|dep11)\/.*|[^/]*\.diff\/Index|installer-[^/]*\/current.*|ls-lR[^/]*)$/,
    /(?:^|\/)(?:Release(?:\.gpg)?|InRelease)$/,
  ],
  databasesIn: { below: ["dists"], prune: ["by-hash", "i18n", "dep11"] },
  databases: [packages, sources, release],
  markers: ["project/trace/master"],
  check: "project/trace/master",
  time,
  timed: /(?:^|\/)(?:In)?Release$/,
  updating: "Archive-Update-in-Progress-*",
  trace: "project/trace",
  schedule: "~ */6 * * *",
};

export const ubuntu: Profile = {
  ...debian,
  summary: "Ubuntu: as Debian; its archive has no master trace, so a run compares the trees",
  markers: [],
  check: undefined,
  schedule: "~ */4 * * *",
};
