/** What databases name, read by the profiles from text; and which files they hold back. */
import { assertEquals } from "@std/assert";
import { profiles } from "../../scripts/profiles/mod.ts";
import type { Database, Named, Profile } from "../../scripts/profiles/profile.ts";
import { profileOf, sourceOf } from "../../scripts/syncrepo/source.ts";
import { readConfig } from "../../scripts/lib/config.ts";

function named(profile: Profile, path: string, text: string): Named[] {
  const database = profile.databases.find((d: Database) => d.match.test(path))!;
  const parse = database.parser(path);
  return [...text.split("\n"), undefined].flatMap(parse);
}

Deno.test("arch: file and size of each desc, also where a size is missing", () => {
  const text =
    "%FILENAME%\na-1.pkg\n\n%NAME%\na\n\n%CSIZE%\n12\n\n%FILENAME%\nb-1.pkg\n\n%NAME%\nb\n" +
    "%FILENAME%\nc-1.pkg\n%CSIZE%\n7\n";
  assertEquals(named(profiles.arch, "core/os/x86_64/core.db.tar.gz", text), [
    { path: "core/os/x86_64/a-1.pkg", bytes: 12 },
    { path: "core/os/x86_64/b-1.pkg" },
    { path: "core/os/x86_64/c-1.pkg", bytes: 7 },
  ]);
});

Deno.test("debian: Packages, Sources and Release, relative to the archive's root", () => {
  const packages =
    "Package: a\nFilename: pool/a_1.deb\nSize: 10\n\nPackage: b\nSize: 11\nFilename: pool/b_1.deb\n";
  assertEquals(named(profiles.debian, "sub/dists/sid/main/binary-all/Packages.xz", packages), [
    { path: "sub/pool/a_1.deb", bytes: 10 },
    { path: "sub/pool/b_1.deb", bytes: 11 },
  ]);
  const sources =
    "Package: a\nFiles:\n 0cc1 5 a_1.dsc\n 0cc2 6 a_1.tar.xz\nChecksums-Sha256:\n ff 5 a_1.dsc\nDirectory: pool/a\n";
  assertEquals(named(profiles.debian, "dists/sid/main/source/Sources.gz", sources), [
    { path: "pool/a/a_1.dsc", bytes: 5 },
    { path: "pool/a/a_1.tar.xz", bytes: 6 },
  ]);
  const release =
    "Origin: x\nMD5Sum:\n aa 9 no\nSHA256:\n bb 3 main/binary-all/Packages\nAcquire-By-Hash: yes\n";
  assertEquals(named(profiles.debian, "dists/sid/InRelease", release), [
    { path: "dists/sid/main/binary-all/Packages", bytes: 3, optional: true },
  ]);
});

Deno.test("alpine: name, version and size of each record", () => {
  const text = "C:Q1x=\nP:musl\nV:1.2-r0\nA:x86_64\nS:42\n\nP:busybox\nV:2-r1\nS:7\n\n";
  assertEquals(named(profiles.alpine, "v3/main/x86_64/APKINDEX.tar.gz", text), [
    { path: "v3/main/x86_64/musl-1.2-r0.apk", bytes: 42 },
    { path: "v3/main/x86_64/busybox-2-r1.apk", bytes: 7 },
  ]);
});

Deno.test("fedora: repomd names metadata, primary names packages, entities undone", () => {
  const repomd =
    `<repomd><revision>5</revision>\n<data type="primary">\n <location href="repodata/p.xml.gz"/>\n` +
    ` <size>9</size><open-size>99</open-size>\n</data><data type="x"><location href="repodata/x"/></data></repomd>`;
  assertEquals(named(profiles.fedora, "rel/os/repodata/repomd.xml", repomd), [
    { path: "rel/os/repodata/p.xml.gz", bytes: 9 },
    { path: "rel/os/repodata/x", bytes: undefined },
  ]);
  const primary = `<package type="rpm"><size package="12" installed="30" archive="40"/>` +
    `<location href="Packages/a/a&amp;b.rpm"/></package>`;
  assertEquals(named(profiles.fedora, "rel/os/repodata/ff-primary.xml.zst", primary), [
    { path: "rel/os/Packages/a/a&b.rpm", bytes: 12 },
  ]);
});

Deno.test("profiles: what is held back, group by group", () => {
  const group = (profile: Profile, path: string) => profile.held.findIndex((p) => p.test(path));
  const table: [Profile, string, number][] = [
    [profiles.arch, "core/os/x86_64/core.db", 0],
    [profiles.arch, "core/os/x86_64/core.files.tar.gz.sig", 0],
    [profiles.arch, "pool/packages/a.pkg.tar.zst", -1],
    [profiles.debian, "dists/sid/main/binary-all/Packages.xz", 0],
    [profiles.debian, "dists/sid/main/i18n/Translation-en.xz", 0],
    [profiles.debian, "dists/sid/main/binary-all/Packages.diff/Index", 0],
    [profiles.debian, "dists/sid/main/binary-all/by-hash/SHA256/ab", -1],
    [profiles.debian, "dists/sid/InRelease", 1],
    [profiles.debian, "dists/sid/Release.gpg", 1],
    [profiles.debian, "ls-lR.gz", 0],
    [profiles.debian, "pool/main/a/a_1.deb", -1],
    [profiles.alpine, "v3/main/x86_64/APKINDEX.tar.gz", 0],
    [profiles.fedora, "x/repodata/ff-primary.xml.gz", 0],
    [profiles.fedora, "x/repodata/repomd.xml.asc", 1],
    [profiles.generic, "anything", -1],
  ];
  for (const [profile, path, expected] of table) {
    assertEquals([path, group(profile, path)], [path, expected]);
  }
});

Deno.test("profiles: times grow, and what is no time is unknown", () => {
  const { arch, debian, fedora }: Record<string, Profile> = profiles;
  assertEquals(arch.time!("lastupdate", "1763632800\n"), 1763632800);
  for (const text of ["", "<html>404", "12", "1e99", "17636328001763632800"]) {
    assertEquals(arch.time!("lastupdate", text), undefined);
  }
  assertEquals(
    debian.time!("dists/sid/Release", "Date: Sat, 21 Nov 2026 00:00:00 UTC\n"),
    1795219200,
  );
  assertEquals(
    debian.time!("project/trace/master", "x\nArchive serial: 2026112101\n"),
    2026112101,
  );
  assertEquals(fedora.time!("r/repodata/repomd.xml", "<revision>17</revision>"), 17);
});

Deno.test("profileOf, sourceOf: a check names the marker; markers and others are left out of the plan", () => {
  const config = readConfig(
    `[site]\nname = "m.test"\n[[repo]]\nname = "a"\npath = "/"\nprofile = "el"\nupstream = ["/u"]\ncheck = "TIME"\n` +
      `exclude = ["/x"]\n[[repo]]\nname = "b"\npath = "/pub/b/"\nprofile = "debian"\nupstream = ["/u"]\n` +
      `check = "https://h/debian/project/trace/master"\n`,
    "f",
  );
  const [a, b] = config.repos;
  assertEquals([profileOf(a).check, profileOf(a).markers], ["TIME", ["TIME"]]);
  assertEquals(profileOf(b).check, "project/trace/master");
  const source = sourceOf(config, a, profileOf(a), "/u/", "/tmp");
  assertEquals([source.exclude, source.protect], [["/TIME", "/x", "/pub/b/"], ["/pub/"]]);
  assertEquals(sourceOf(config, b, profileOf(b), "/u/", "/tmp").exclude.slice(0, 2), [
    "/project/trace/master",
    "/project/trace/m.test",
  ]);
});
