/** Alpine Linux: `APKINDEX.tar.gz` names the packages beside it. https://wiki.alpinelinux.org/wiki/How_to_setup_a_Alpine_Linux_mirror */
import { type Database, epoch, type Named, type Profile } from "./profile.ts";

const index: Database = {
  match: /(?:^|\/)APKINDEX\.tar\.gz$/,
  read: () => ["tar", "-xzO", "--force-local", "APKINDEX", "-f"],
  // https://wiki.alpinelinux.org/wiki/Apk_spec#Index_Format_V2
  parser: (path) => {
    const dir = path.slice(0, path.lastIndexOf("/") + 1);
    let fields: Record<string, string> = {};
    return (line) => {
      if (line) {
        fields[line[0]] = line.slice(2);
        return [];
      }
      const { P: name, V: version, S: size } = fields;
      fields = {};
      const named: Named[] = name && version
        ? [{ path: `${dir}${name}-${version}.apk`, bytes: size ? Number(size) : undefined }]
        : [];
      return named;
    };
  },
};

export const alpine: Profile = {
  summary: "Alpine Linux: packages, then APKINDEX.tar.gz, then last-updated",
  exclude: [],
  held: [/(?:^|\/)APKINDEX\.tar\.gz$/],
  databasesIn: { below: ["."], prune: ["releases"] },
  databases: [index],
  markers: ["last-updated"],
  check: "last-updated",
  time: (_path, text) => epoch(text),
  schedule: "~ * * * *",
};
