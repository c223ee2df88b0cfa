/** A small Debian-like upstream, its packages made by dpkg-deb and its indexes by apt-ftparchive. */
import { join } from "@std/path/posix";

async function sh(cwd: string, script: string, ...args: string[]) {
  const { success, stderr } = await new Deno.Command("sh", {
    args: ["-euc", script, "sh", ...args],
    cwd,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** Makes package `name` of a version; its content is random, so every version differs. */
export function addDeb(root: string, name: string, version: string): Promise<void> {
  return sh(
    root,
    `dir=$(mktemp -d); mkdir -p "$dir/DEBIAN" "$dir/usr/share/$1" pool/main
     printf 'Package: %s\\nVersion: %s\\nArchitecture: all\\nMaintainer: nobody <nobody@example.org>\\nDescription: test\\n' "$1" "$2" > "$dir/DEBIAN/control"
     head -c 3000 /dev/urandom > "$dir/usr/share/$1/noise"
     chmod 0755 "$dir/DEBIAN"; dpkg-deb --root-owner-group -b "$dir" "pool/main/$1_$2_all.deb" >/dev/null
     rm -rf "$dir"`,
    name,
    version,
  );
}

/** Writes the indexes, with by-hash copies as hard links, and a Release file of a date. */
export async function writeIndexes(root: string, date: Date): Promise<void> {
  const dist = "dists/stable", dir = `${dist}/main/binary-all`;
  const stamp = date.toUTCString().replace("GMT", "UTC");
  await sh(
    root,
    `mkdir -p ${dir}/by-hash/SHA256
     for arch in all amd64; do
       mkdir -p ${dist}/main/binary-$arch/by-hash/SHA256
       apt-ftparchive packages pool > ${dist}/main/binary-$arch/Packages.new
       mv ${dist}/main/binary-$arch/Packages.new ${dist}/main/binary-$arch/Packages
       gzip -9nkf ${dist}/main/binary-$arch/Packages; xz -kf ${dist}/main/binary-$arch/Packages
       for f in Packages Packages.gz Packages.xz; do
         ln -f ${dist}/main/binary-$arch/$f ${dist}/main/binary-$arch/by-hash/SHA256/$(sha256sum < ${dist}/main/binary-$arch/$f | cut -d' ' -f1)
       done
     done
     rm -f ${dist}/Release
     apt-ftparchive -o APT::FTPArchive::Release::Suite=stable -o APT::FTPArchive::Release::Codename=stable \\
       -o APT::FTPArchive::Release::Components=main -o APT::FTPArchive::Release::Architectures="all amd64" \\
       -o APT::FTPArchive::Release::Acquire-By-Hash=yes release ${dist} > Release.new
     sed -i "s/^Date: .*/Date: $1/" Release.new
     mv Release.new ${dist}/Release
     # rsync compares size and second of files; tests are quicker than that.
     touch -d "$1" ${dist}/Release`,
    stamp,
  );
}

/** The master trace, by which a cheap check tells whether anything changed. */
export async function writeTrace(root: string, serial: number): Promise<void> {
  const dir = join(root, "project/trace");
  await Deno.mkdir(dir, { recursive: true });
  await Deno.writeTextFile(
    join(dir, "master"),
    `Sat Nov 21 12:00:00 UTC 2026\nArchive serial: ${serial}\n`,
  );
}
