/** From mirror.toml to the values of each template. Pure. */
import { LANGUAGES } from "../../formats/messages.ts";
import { UsageError } from "../lib/cli.ts";
import { SOCKET } from "../lib/servers.ts";
import type { Config, Repo } from "../lib/config.ts";
import { hubUrl } from "../lib/statcat.ts";
import { repoFiles } from "../lib/storage.ts";
import { isAtLeast, type Nginx } from "./host.ts";
import { accessLines, rsyncHosts, wrapperLines } from "./access.ts";
import type { Values } from "./template.ts";

/** What the values depend on beside mirror.toml. */
export interface Site {
  /** Where the files will lie. */
  out: string;
  /** Where the web page was built. */
  web: string;
  /** What stands before /run and /var; empty in production. */
  prefix: string;
  nginx: Nginx;
  /** The certificate can be read; without it there is no TLS yet. */
  certified: boolean;
  /** In place of addresses and ports: for a trial that must not bind any. */
  listens?: (port: number) => string[];
}

/** Seconds after which a client of a repository behind the gate may try again; as in server/files.ts. */
export const GATE_RETRY_SECONDS = 300;

const endpoint = (address: string, port: number) =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

/** All folders above repositories that are in none: `/`, and `/pub/` of `/pub/x/`. */
export function aboveRepos(repos: Pick<Repo, "path">[]): string[] {
  if (repos.some((r) => r.path === "/")) return [];
  const above = repos.flatMap(({ path }) => {
    const names = path.split("/").slice(1, -2);
    return ["/", ...names.map((_, i) => `/${names.slice(0, i + 1).join("/")}/`)];
  });
  return [...new Set(above)].sort();
}

/** The whole path of something that stands unquoted or quoted in a file. */
function place(what: string, path: string): string {
  if (/^\/[A-Za-z0-9._+~\/@-]*$/.test(path)) return path;
  throw new UsageError(
    `${what} ${JSON.stringify(path)} cannot stand in a configuration of nginx.`,
    "Allowed is an absolute path of letters, digits and ._+~/@-",
  );
}

/** The site's name where it must not end a line. */
const nameOf = ({ site }: Config) => site.name.replace(/[^\x20-\x7e]/g, "?");

const PASS = "proxy_pass http://deno$request_uri; proxy_http_version 1.1; " +
  'proxy_set_header Connection ""; proxy_set_header Host $host; proxy_connect_timeout 5s;';

/** Events go on as they come, and who asks is told to the hub: nobody may take all its places. */
const PASS_HUB =
  "proxy_pass http://hub$request_uri; proxy_http_version 1.1; proxy_buffering off; " +
  "proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; " +
  "proxy_connect_timeout 5s;";

/** Where this node's hub listens; with a port of its own choice Deno knows it, and passes on what it says. */
function hubOf({ statcat: { hub, hostname, port } }: Config): string {
  if (!hub || port === 0) return "";
  return hubUrl({ hostname, port }).replace("http://", "");
}

/** What nginx's listening lines are. */
function listens({ server: { nginx: n } }: Config, site: Site): string[] {
  const at = site.listens ?? ((port) => n.addresses.map((a) => endpoint(a, port)));
  const plain = n.port ? at(n.port) : [];
  const tls = site.certified && n.tls_port ? at(n.tls_port) : [];
  const flags = isAtLeast(site.nginx.version, 1, 25, 1) ? " ssl" : " ssl http2";
  return [
    ...plain.map((listen) => `${listen} default_server`),
    ...tls.map((listen) => `${listen}${flags} default_server`),
    ...(site.nginx.http3 ? tls.map((listen) => `${listen} quic reuseport default_server`) : []),
  ];
}

/** Longest first: the one that a path belongs to is met first. */
const byLength = (a: Repo, b: Repo) => b.path.length - a.path.length;

/** A path as a literal in a regular expression. */
const literal = (path: string) => path.replace(/[.+*?^$()[\]{}|\\]/g, "\\$&");

/** Values of server/nginx/nginx.conf. */
export function nginxValues(config: Config, site: Site): Values {
  const { server: { nginx: n, rsync, socket }, data, repos } = config;
  const data1 = place("data", data);
  const tls = site.certified && n.tls_port > 0;
  const stream = site.certified && rsync.tls === "nginx" && site.nginx.stream !== "missing";
  return {
    name: nameOf(config),
    out: place("--out", site.out),
    web: place("the web page's folder", site.web),
    prefix: site.prefix,
    data: data1,
    socket: socket ?? SOCKET,
    user: n.user,
    log_addresses: n.log_addresses,
    load_stream: stream && site.nginx.stream.startsWith("/") ? site.nginx.stream : "",
    max_connections: n.max_connections,
    rate: n.rate,
    retry_after: GATE_RETRY_SECONDS,
    listens: listens(config, site).map((listen) => ({ listen })),
    tls,
    http2: tls && isAtLeast(site.nginx.version, 1, 25, 1),
    http3: tls && site.nginx.http3,
    tls_port: n.tls_port,
    certificate: n.certificate,
    certificate_key: n.certificate_key,
    access: accessLines(n),
    acme: n.acme,
    pass: PASS,
    hub: hubOf(config),
    pass_hub: PASS_HUB,
    languages: Object.keys(LANGUAGES).map((language, _, all) => ({ language, all: all.join("|") })),
    aboves: aboveRepos(repos).map((uri) => ({
      uri,
      bare: uri.slice(0, -1),
      home: uri === "/",
    })),
    repos: repos.toSorted(byLength).map((repo) => ({
      pattern: repo.path === "/" ? "/" : `${literal(repo.path.slice(0, -1))}(?:/|$)`,
      ready: repoFiles(data, repo).ready,
      tree: repoFiles(data, repo).static,
    })),
    rsync_tls: stream,
    rsync_port: rsync.port,
    stream_listens: (site.listens ?? ((port) => rsync.addresses.map((a) => endpoint(a, port))))(
      rsync.tls_port,
    ).map((listen) => ({ listen })),
    stream_access: accessLines(rsync),
  };
}

/** The one address of a server that has but one socket; `undefined` for all of them. */
function oneAddress(what: string, addresses: string[]): string | undefined {
  if (addresses.length === 1) return addresses[0];
  if (addresses.length === 2 && addresses.includes("0.0.0.0") && addresses.includes("::")) {
    return undefined;
  }
  throw new UsageError(
    `server.${what}.addresses = ${JSON.stringify(addresses)} is not allowed; ` +
      `allowed is one address, or ["0.0.0.0", "::"] for all.`,
  );
}

/** Values of server/rsyncd/rsyncd.conf. */
export function rsyncdValues(config: Config, site: Site): Values {
  const { rsync } = config.server;
  return {
    name: nameOf(config),
    out: site.out,
    prefix: site.prefix,
    data: place("data", config.data),
    port: rsync.port,
    address: oneAddress("rsync", rsync.addresses),
    user: rsync.user,
    group: rsync.group,
    max_connections: rsync.max_connections,
    // rsync counts in KiB.
    bwlimit: rsync.rate && Math.max(1, Math.round(rsync.rate / 1024)),
    ...rsyncHosts(config, site.certified && rsync.tls !== "off"),
    log_addresses: rsync.log_addresses,
  };
}

/** Values of server/stunnel/rsync.conf. */
export function stunnelValues(config: Config, site: Site): Values {
  const { rsync, nginx } = config.server;
  if (rsync.allow.length + rsync.deny.length > 0) {
    throw new UsageError(
      'server.rsync.tls = "stunnel" is not allowed with allow or deny; stunnel would let everybody in.',
      'Allowed are tls = "nginx" and tls = "off".',
    );
  }
  return {
    name: nameOf(config),
    out: site.out,
    log_addresses: rsync.log_addresses,
    // An IPv6 socket at :: takes IPv4 as well.
    listens: (rsync.addresses.includes("::") ? ["::"] : rsync.addresses)
      .map((a, i) => ({ n: i + 1, listen: `${a}:${rsync.tls_port}` })),
    rsync_port: rsync.port,
    certificate: nginx.certificate,
    certificate_key: nginx.certificate_key,
  };
}

/** Values of server/vsftpd/vsftpd.conf. */
export function vsftpdValues(config: Config, site: Site): Values {
  const { ftp } = config.server;
  const address = oneAddress("ftp", ftp.addresses) ?? "::", access = wrapperLines(ftp);
  return {
    name: nameOf(config),
    out: site.out,
    prefix: site.prefix,
    data: place("data", config.data),
    ipv6: address.includes(":"),
    // vsftpd 3.0.3 reads "::" as an address that no machine has, and does not start; it is the default.
    address: address === "::" ? "" : address,
    access,
    wrapped: access.length > 0,
    port: ftp.port,
    passive_from: ftp.passive_ports[0],
    passive_to: ftp.passive_ports[1],
    public_address: ftp.public_address,
    active: ftp.active,
    max_connections: ftp.max_connections,
    max_per_client: ftp.max_per_client,
    rate: ftp.rate,
    log_addresses: ftp.log_addresses,
  };
}

/** Names below a folder above repositories, as links of the static home page. */
export function entriesBelow(above: string, repos: Pick<Repo, "path">[]): string[] {
  const names = repos.filter((r) => r.path.startsWith(above))
    .map((r) => r.path.slice(above.length).replace(/\/.*/, "/"));
  return [...new Set(names)].sort();
}
