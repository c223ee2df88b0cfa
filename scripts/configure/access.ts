/** Who may connect, `allow` and `deny` of mirror.toml, in the words of each server. Pure. */
import { BlockList } from "node:net";
import { UsageError } from "../lib/cli.ts";
import type { Config } from "../lib/config.ts";
import type { Values } from "./template.ts";

/** `allow` and `deny` as nginx's access module reads them: the first that fits decides. */
export function accessLines({ allow, deny }: { allow: string[]; deny: string[] }): Values[] {
  const lines = [...deny.map((a) => `deny ${a}`), ...allow.map((a) => `allow ${a}`)];
  if (allow.length) lines.push("deny all");
  return lines.map((access) => ({ access }));
}

/** A set of addresses with one network in it. */
function networkOf(text: string): BlockList {
  const [address, bits] = text.split("/"), version = address.includes(":") ? "ipv6" : "ipv4";
  const list = new BlockList();
  if (bits === undefined) list.addAddress(address, version);
  else list.addSubnet(address, Number(bits), version);
  return list;
}

function overlap(a: string, b: string): boolean {
  const within = (network: string, other: string) => {
    const [address] = other.split("/");
    return networkOf(network).check(address, address.includes(":") ? "ipv6" : "ipv4");
  };
  return within(a, b) || within(b, a);
}

/**
 * `hosts allow` and `hosts deny` of rsyncd.conf(5), which looks at `allow` first and lets in whom neither
 * names. So where something is allowed all else is denied, and no part of it can be.
 */
export function rsyncHosts({ server: { rsync } }: Config, tls: boolean) {
  const { allow, deny } = rsync;
  for (const a of allow) {
    const part = deny.find((d) => overlap(a, d));
    if (part === undefined) continue;
    throw new UsageError(
      `server.rsync.deny = "${part}" is not allowed; allow = "${a}" has addresses in common with it, and ` +
        "the rsync daemon looks at allow first.",
    );
  }
  // Whoever comes by TLS comes from this machine; the front has looked at the address already.
  const front = tls ? ["127.0.0.1"] : [];
  return allow.length
    ? { allow: [...allow, ...front].join(" "), deny: "*" }
    : { allow: "", deny: deny.join(" ") };
}

/**
 * An address or network as libwrap understands it. Without a word it takes no "/0", no mask of all bits, and no
 * bits of an address behind those of its network.
 */
function wrapped(text: string): string {
  const [address, bits] = text.split("/");
  if (address.includes(":")) return bits === undefined ? `[${address}]` : `[${address}]/${bits}`;
  if (bits === undefined || bits === "32") return address;
  const mask = 2 ** 32 - 2 ** (32 - Number(bits));
  const parts = (n: number) => [24, 16, 8, 0].map((shift) => n >>> shift & 255);
  const masks = parts(mask);
  const network = address.split(".").map((part, i) => Number(part) & masks[i]);
  return `${network.join(".")}/${masks.join(".")}`;
}

/**
 * `allow` and `deny` as lines of /etc/hosts.allow, which vsftpd asks (hosts_options(5)): the first that fits
 * decides, as in nginx. A line each, as libwrap passes over one that is too long.
 */
export function wrapperLines({ allow, deny }: { allow: string[]; deny: string[] }): Values[] {
  const mapped = [...allow, ...deny].find((a) => /^::ffff:/i.test(a));
  if (mapped !== undefined) {
    throw new UsageError(
      `server.ftp has ${
        JSON.stringify(mapped)
      }, which is not allowed; vsftpd sees an IPv4 address there.`,
      "Write it as such.",
    );
  }
  const lines = [
    ...deny.map((a) => `vsftpd: ${wrapped(a)} : deny`),
    ...allow.map((a) => `vsftpd: ${wrapped(a)} : allow`),
  ];
  if (allow.length) lines.push("vsftpd: ALL : deny");
  return lines.map((access) => ({ access }));
}
