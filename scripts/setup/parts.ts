/** The system parts that mirrorkit uses, and how to install them without waking a service. */
import { join } from "@std/path/posix";

/** A part: there if all its files are (names are looked for in the PATH). */
export interface Part {
  files: string[];
  /** Debian's package. */
  package: string;
  why: string;
  /** The first use that needs it; `test` includes `demo`, which includes `mirror`. */
  for: "mirror" | "demo" | "test";
}

const part = (use: Part["for"], pkg: string, files: string[], why: string): Part => ({
  for: use,
  package: pkg,
  files,
  why,
});

export const PARTS: Part[] = [
  part("mirror", "rsync", ["rsync", "rsync-ssl"], "fetches from the upstream"),
  part("mirror", "util-linux", ["setpriv"], "ends rsync when we are killed"),
  part("mirror", "findutils", ["find", "xargs"], "walks trees"),
  part("mirror", "xz-utils", ["xz"], "reads databases"),
  part("mirror", "zstd", ["zstd"], "reads databases"),
  part("mirror", "bzip2", ["bzip2"], "reads databases"),
  part("mirror", "openssl", ["openssl"], "TLS of rsync-ssl upstreams"),
  part("mirror", "nftables", ["nft"], "counts and refuses for bwlimit"),
  part("mirror", "iproute2", ["ip", "ss"], "hangs up on those who are refused"),
  part(
    "demo",
    "pacman-package-manager",
    ["pacman", "repo-add"],
    "makes and installs demo packages",
  ),
  part("demo", "makepkg", ["/usr/share/makepkg/util/message.sh"], "what repo-add stands on"),
  part("demo", "libarchive-tools", ["bsdtar"], "what repo-add stands on"),
  part("test", "curl", ["curl"], "a client"),
  part("test", "wget", ["wget"], "a client"),
  part("test", "lynx", ["lynx"], "a client"),
  part("test", "w3m", ["w3m"], "a client"),
  part("test", "links", ["links"], "a client"),
  part("test", "lftp", ["lftp"], "a client"),
  part("test", "rclone", ["rclone"], "a client"),
  part("test", "apt-utils", ["apt-ftparchive"], "makes Debian-like upstreams"),
  part("test", "nginx-light", ["nginx"], "serves HTTP in production"),
  part(
    "test",
    "libnginx-mod-stream",
    ["/usr/lib/nginx/modules/ngx_stream_module.so"],
    "TLS in front of the rsync daemon",
  ),
  part("test", "vsftpd", ["vsftpd"], "serves FTP in production"),
  part("test", "prometheus", ["promtool"], "checks the metrics"),
  part("test", "wrk", ["wrk"], "asks servers as fast as they answer"),
  part("test", "pmacct", ["pmacctd"], "sends NetFlow and IPFIX"),
  part("test", "stunnel4", ["stunnel"], "TLS in front of an rsync daemon"),
  part("test", "chromium", ["chromium"], "shows the pages"),
  part(
    "test",
    "fonts-dejavu-core",
    ["/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"],
    "for chromium",
  ),
  part("test", "bind9", ["named"], "a DNS server that takes updates"),
  part("test", "bind9-dnsutils", ["nsupdate", "dig"], "updates and asks DNS servers"),
  part("test", "knot", ["knotd"], "another DNS server that takes updates"),
  part("test", "pdns-server", ["pdns_server"], "a DNS server with an HTTP API"),
  part(
    "test",
    "pdns-backend-sqlite3",
    ["/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"],
    "where it keeps its records",
  ),
  part("test", "sqlite3", ["sqlite3"], "makes that database"),
  part("test", "iproute2", ["ip"], "network namespaces"),
  part("test", "tree", ["tree"], "a measure for the indexer"),
  part("test", "mmdebstrap", ["mmdebstrap"], "makes a Debian to boot"),
  part("test", "systemd", ["systemctl", "systemd-analyze"], "checks the units"),
  part("test", "systemd-container", ["systemd-nspawn"], "boots a Debian with the units"),
  part("test", "procps", ["ps"], "looks at processes"),
];

const POLICY = "/usr/sbin/policy-rc.d";
const OURS = "#!/bin/sh\n# mirrorkit setup: no service starts during an installation\nexit 101\n";

/**
 * Runs an installation during which no service is started: invoke-rc.d(8) and deb-systemd-invoke ask
 * policy-rc.d. One that is there already is left alone; ours is taken away afterwards, and one that a
 * killed run left is taken away by the next.
 */
export async function withoutServices(body: () => Promise<void>, policy = POLICY): Promise<void> {
  const there = await Deno.readTextFile(policy).catch(() => undefined);
  if (there !== undefined && there !== OURS) return await body();
  await Deno.writeTextFile(policy, OURS, { mode: 0o755 });
  await Deno.chmod(policy, 0o755);
  try {
    await body();
  } finally {
    await Deno.remove(policy);
  }
}

/** The links that enable services, of systemd and of SysV init. */
export async function enabledServices(etc = "/etc"): Promise<Set<string>> {
  const links = new Set<string>();
  const look = async (dir: string, pattern: RegExp) => {
    const entries = await Array.fromAsync(Deno.readDir(dir)).catch(() => []);
    for (const entry of entries) {
      const path = join(dir, entry.name);
      if (entry.isSymlink && pattern.test(entry.name)) links.add(path);
      else if (entry.isDirectory && /\.(?:wants|requires)$/.test(entry.name)) await look(path, /./);
    }
  };
  await look(join(etc, "systemd/system"), /\.(?:service|socket|timer|path)$/);
  for (const level of "2345") await look(join(etc, `rc${level}.d`), /^S\d\d/);
  return links;
}
