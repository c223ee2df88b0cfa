/**
 * What users of a distribution write into its package manager's configuration to use a mirror, and where
 * its installation images lie. Data by the name of the profile; tests hold it against scripts/profiles/.
 */

/** How a repository can be reached. */
export type Scheme = "https" | "http" | "rsync" | "ftp";

/** A file of a client's configuration. In `text`, `{url}` is the repository's URL with `/` at its end. */
export interface Snippet {
  /** Who reads it. */
  tool: string;
  /** Where it stands. */
  file: string;
  text: string;
}

/** Installation images. Paths are relative to the repository, `*` is a folder's name: the newest counts. */
export interface ImagePlace {
  folder: string;
  /** File names; of those that differ in nothing but numbers, the newest is shown. */
  match: RegExp;
  /** Names of the files with their SHA-256 sums, relative to the folder; `{name}` is the image's. */
  sums: string | RegExp;
}

/** What a profile's clients need. */
export interface Clients {
  snippets: Snippet[];
  images: ImagePlace[];
  /** A link whose target is the release's name, for `{suite}`, and the name where there is no such link. */
  suite?: { link?: string; otherwise: string };
}

const repo = (id: string, name: string, path: string) =>
  `[${id}]\nname=${name}\nbaseurl={url}${path}\nenabled=1\ngpgcheck=1\n`;

const apt = (tool: string, components: string, keyring: string, file: string): Snippet[] => [
  {
    tool: `${tool} (deb822)`,
    file: `/etc/apt/sources.list.d/${file}.sources`,
    text: `Types: deb\nURIs: {url}\nSuites: {suite} {suite}-updates\nComponents: ${components}\n` +
      `Signed-By: /usr/share/keyrings/${keyring}.gpg\n`,
  },
  {
    tool: `${tool} (one line a source)`,
    file: "/etc/apt/sources.list",
    text: `deb {url} {suite} ${components}\ndeb {url} {suite}-updates ${components}\n`,
  },
];

export const CLIENTS: Record<string, Clients> = {
  arch: {
    snippets: [{
      tool: "pacman",
      file: "/etc/pacman.d/mirrorlist",
      text: "Server = {url}$repo/os/$arch\n",
    }],
    images: [{
      folder: "iso/latest",
      match: /^archlinux-\d[\d.]*-x86_64\.iso$/,
      sums: "sha256sums.txt",
    }],
  },
  debian: {
    snippets: apt("apt", "main non-free-firmware", "debian-archive-keyring", "debian"),
    images: [{
      folder: "dists/stable/main/installer-amd64/current/images/netboot",
      match: /^mini\.iso$/,
      sums: "../SHA256SUMS",
    }],
    suite: { link: "dists/stable", otherwise: "stable" },
  },
  ubuntu: {
    snippets: apt(
      "apt",
      "main restricted universe multiverse",
      "ubuntu-archive-keyring",
      "ubuntu",
    ),
    images: [],
    suite: { otherwise: "noble" },
  },
  alpine: {
    snippets: [{
      tool: "apk",
      file: "/etc/apk/repositories",
      text: "{url}latest-stable/main\n{url}latest-stable/community\n",
    }],
    images: [{
      folder: "latest-stable/releases/x86_64",
      match: /^alpine-(?:standard|virt)-\d[\d.]*-x86_64\.iso$/,
      sums: "{name}.sha256",
    }],
  },
  fedora: {
    snippets: [{
      tool: "dnf",
      file: "/etc/yum.repos.d/fedora-mirror.repo",
      text: repo(
        "fedora",
        "Fedora $releasever",
        "releases/$releasever/Everything/$basearch/os/",
      ) + "\n" +
        repo("updates", "Fedora $releasever updates", "updates/$releasever/Everything/$basearch/"),
    }],
    images: ["Workstation", "Server"].map((edition) => ({
      folder: `releases/*/${edition}/x86_64/iso`,
      match: /^Fedora-[\w-]+[\d.-]+(?:\.x86_64)?\.iso$/,
      sums: /-CHECKSUM$/,
    })),
  },
  el: {
    snippets: [{
      tool: "dnf",
      file: "/etc/yum.repos.d/mirror.repo",
      text: repo("baseos", "$releasever BaseOS", "$releasever/BaseOS/$basearch/os/") + "\n" +
        repo("appstream", "$releasever AppStream", "$releasever/AppStream/$basearch/os/"),
    }],
    images: [{
      folder: "*/isos/x86_64",
      match: /^[A-Z][\w-]*-[\d.]+-x86_64-(?:boot|minimal)\.iso$/,
      sums: "CHECKSUM",
    }],
  },
  generic: { snippets: [], images: [] },
};

/** `https` of `https://…`. */
export const schemeOf = (url: string): Scheme => url.slice(0, url.indexOf(":")) as Scheme;

/** The snippets for a repository at a URL; a mirror of its own is made by rsync alone. */
export function snippetsFor(profile: string, url: string, suite: string): Snippet[] {
  if (schemeOf(url) === "rsync") {
    return [{
      tool: "rsync",
      file: "",
      text: `rsync -rtlHv --delete-delay ${url} DIRECTORY/\n`,
    }];
  }
  const found = CLIENTS[profile]?.snippets ?? [];
  // apt has no transport for FTP any more, and pacman, apk and dnf should be asked over HTTP as well.
  if (schemeOf(url) === "ftp") return [];
  const fill = (text: string) => text.replaceAll("{url}", url).replaceAll("{suite}", suite);
  return found.map((s) => ({ ...s, text: fill(s.text) }));
}

/**
 * The SHA-256 of a file in a list of sums: `HASH  NAME` or `HASH *NAME` as sha256sum(1) writes it, with
 * or without folders before the name, or `SHA256 (NAME) = HASH` as BSD does.
 */
export function sumOf(name: string, sums: string): string | undefined {
  for (const line of sums.split("\n")) {
    const match = /^([0-9a-f]{64})\s+\*?(.+)$/i.exec(line.trim()) ??
      /^SHA256 \((?<n>.+)\) = (?<h>[0-9a-f]{64})$/i.exec(line.trim());
    if (!match) continue;
    const [hash, path] = match.groups ? [match.groups.h, match.groups.n] : [match[1], match[2]];
    if (path === name || path.endsWith(`/${name}`)) return hash.toLowerCase();
  }
}

/** The newest of each kind of image: names that are equal but for their numbers are of one kind. */
export function newestImages<E extends { name: string; mtime: number }>(
  entries: E[],
  match: RegExp,
): E[] {
  const newest = new Map<string, E>();
  for (const entry of entries) {
    if (!match.test(entry.name)) continue;
    const kind = entry.name.replace(/\d[\d._-]*/g, "#"), before = newest.get(kind);
    if (!before || entry.mtime > before.mtime) newest.set(kind, entry);
  }
  return [...newest.values()];
}
