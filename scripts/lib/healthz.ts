/**
 * The `[healthz]` table of mirror.toml: the nodes of a name, how they are looked at, and where the name's
 * records are kept. It runs in a Cloudflare Worker as well, so it uses nothing of Deno's.
 */
import * as v from "valibot";
import { canonicalAddress, familyOf } from "./address.ts";
import { duration, like, text, whole } from "./schema.ts";

/** What can be looked at; `http` and `https` read `lastsync`. */
export const CHECKS = ["http", "https", "listing", "range", "rsync", "ftp"] as const;
export type CheckName = typeof CHECKS[number];

const ADDRESS = 'an IP address such as "192.0.2.7" or "2001:db8::7"';
const address = v.pipe(
  v.string(`allowed is ${ADDRESS}`),
  v.check((s) => canonicalAddress(s) !== undefined, `allowed is ${ADDRESS}`),
  v.transform((s) => canonicalAddress(s)!.address),
);

const HOST = "a host name such as mirror.example.org";
const host = v.pipe(
  like(HOST, /^(?=.{1,253}$)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.?)+$/),
  v.transform((s) => s.toLowerCase().replace(/\.$/, "")),
);

const webUrl = like("a URL (http or https)", /^https?:\/\/[^\s\/]+\S*$/);
const path = (what: string) => like(`the path of ${what}, from "/"`, /^\/[\x21-\x7e]*$/);
const port = (fallback: number) => v.optional(whole("a port", 1, 65535), fallback);
const program = v.pipe(
  v.array(text("a program and its arguments"), 'allowed is a list such as ["/usr/bin/program"]'),
  v.minLength(1, "allowed is a program and its arguments"),
);

const checks = v.pipe(
  v.array(v.picklist(CHECKS, `allowed are ${CHECKS.join(", ")}`), "allowed is a list of checks"),
  v.minLength(1, "allowed is at least one check"),
);

const ports = v.strictObject({
  http: port(80),
  https: port(443),
  rsync: port(873),
  ftp: port(21),
}, "allowed is a table of ports");

const node = v.strictObject({
  name: like("letters, digits, . and -", /^[A-Za-z0-9][A-Za-z0-9.-]{0,62}$/),
  addresses: v.pipe(
    v.array(address, `allowed is a list of addresses`),
    v.minLength(1, "allowed is at least one address"),
    v.maxLength(16, "allowed are 16 addresses"),
  ),
  weight: v.optional(whole("a weight, 0 for a spare,", 0, 100), 1),
  drain: v.optional(v.boolean("allowed is true or false"), false),
  host: v.optional(host),
  checks: v.optional(checks),
  ports: v.optional(ports),
}, "allowed is a table with name and addresses");

const REFERENCE = 'an address and port such as "192.0.2.1:53" or "[2001:db8::1]:53", or a URL';
const reference = like(
  REFERENCE,
  /^(?:https?:\/\/\S+|\d{1,3}(?:\.\d{1,3}){3}:\d{1,5}|\[[0-9A-Fa-f:.]+\]:\d{1,5})$/,
);

/** What every provider has. */
const records = {
  ttl: v.optional(whole("seconds", 1, 86400), 60),
  /** Protocols that an HTTPS record (RFC 9460) announces; no such record without it. */
  alpn: v.optional(v.pipe(
    v.array(like('a protocol such as "h2"', /^[a-z0-9.\/-]{1,20}$/), 'allowed is ["h3", "h2"]'),
    v.minLength(1, "allowed is at least one protocol"),
  )),
  secret_file: v.optional(text("the path of a file with the token or key")),
};

const dns = v.variant("provider", [
  v.strictObject({
    provider: v.literal("cloudflare"),
    ...records,
    zone_id: like("the zone's id", /^[0-9a-f]{32}$/),
    api: v.optional(webUrl, "https://api.cloudflare.com/client/v4"),
  }),
  v.strictObject({
    provider: v.literal("rfc2136"),
    ...records,
    server: address,
    port: port(53),
    zone: host,
  }),
  v.strictObject({
    provider: v.literal("powerdns"),
    ...records,
    url: webUrl,
    zone: host,
    server_id: v.optional(like("a server's id", /^[\w.-]+$/), "localhost"),
  }),
  v.strictObject({ provider: v.literal("hook"), ...records, command: program }),
], "allowed is a table whose provider is cloudflare, rfc2136, powerdns or hook");

const schedule = like(
  'a cron pattern of five fields, or six with seconds first, such as "*/30 * * * * *"',
  /^[\d*,\/-]+(?:\s+[\dA-Za-z*,\/?#L-]+){4,5}$/,
);

/** The table. */
export const healthzTable = v.strictObject({
  name: v.optional(host),
  schedule: v.optional(schedule, "* * * * *"),
  lastsync: v.optional(path("lastsync")),
  max_lag: v.optional(duration, "6 h"),
  max_age: v.optional(duration, "48 h"),
  timeout: v.optional(duration, "10 s"),
  checks: v.optional(checks, ["http"]),
  ports: v.optional(ports, {}),
  listing: v.optional(path("a directory")),
  database: v.optional(path("a database")),
  rsync_module: v.optional(like("the name of a module", /^[A-Za-z0-9][\w.-]*$/)),
  certificate_days: v.optional(whole("days", 0, 365), 7),
  rise: v.optional(whole("a number of good probes in a row", 1, 100), 2),
  fall: v.optional(whole("a number of bad probes in a row", 1, 100), 3),
  min_healthy: v.optional(whole("a number of addresses", 1, 200), 1),
  max_changes: v.optional(whole("a number of changes", 1, 400), 2),
  references: v.optional(
    v.array(reference, `allowed is a list of which each is ${REFERENCE}`),
    [],
  ),
  quorum: v.optional(v.strictObject({
    peers: v.pipe(
      v.array(
        like(
          "the URL or the absolute path of another checker's nodes.json",
          /^(?:https?:\/\/\S+|\/.+)$/,
        ),
        "allowed is a list of other checkers",
      ),
      v.minLength(1, "allowed is at least one"),
      v.maxLength(20, "allowed are 20"),
    ),
    need: whole("a number of checkers, this one included,", 2, 21),
  }, "allowed is a table with peers and need")),
  notify: v.optional(
    v.strictObject({
      command: v.optional(program),
      webhook: v.optional(webUrl),
      webhook_file: v.optional(text("the path of a file with the URL")),
      topic: v.optional(text("a topic of ntfy")),
      mail: v.optional(like("an e-mail address", /^[^\s@<>,;:-][^\s@<>,;:]*@[^\s@<>,;:]+$/)),
      sendmail: v.optional(text("the path of sendmail"), "/usr/sbin/sendmail"),
    }, "allowed is a table with command, webhook or mail"),
    {},
  ),
  dns: v.optional(dns),
  node: v.pipe(
    v.array(node, "allowed is a list of [[healthz.node]] tables"),
    v.minLength(1, "allowed is at least one [[healthz.node]]"),
    v.maxLength(200, "allowed are 200 nodes"),
  ),
}, "allowed is a table with nodes");

type Output = v.InferOutput<typeof healthzTable>;
export type HealthzNode = Output["node"][number];
export type Dns = NonNullable<Output["dns"]>;

/** The table, completed by what the rest of the configuration says. Durations in seconds. */
export interface Healthz extends Output {
  name: string;
  lastsync: string;
}

/** One address of one node: what is probed and published. */
export interface Endpoint {
  address: string;
  family: 4 | 6;
  node: HealthzNode;
}

const known = new WeakMap<HealthzNode[], Endpoint[]>();

/** All addresses of all nodes. The same list for the same nodes: it is asked for often. */
export function endpoints({ node: nodes }: Pick<Healthz, "node">): Endpoint[] {
  const found = known.get(nodes) ??
    nodes.flatMap((node) =>
      node.addresses.map((address) => ({ node, address, family: familyOf(address) }))
    );
  known.set(nodes, found);
  return found;
}

/** What is wrong with a table as a whole, as `key … is not allowed; …`; empty where nothing is. */
export function healthzProblems(config: Healthz): string[] {
  const problems: string[] = [], seen = new Set<string>();
  for (const { name, addresses } of config.node) {
    for (const key of [`node "${name}"`, ...addresses.map((a) => `address "${a}"`)]) {
      if (seen.has(key)) problems.push(`healthz: ${key} stands twice; allowed is once`);
      seen.add(key);
    }
  }
  const all = new Set(config.node.flatMap((n) => n.checks ?? config.checks));
  const needs: [CheckName, "listing" | "database" | "rsync_module"][] = [
    ["listing", "listing"],
    ["range", "database"],
    ["rsync", "rsync_module"],
  ];
  for (const [check, key] of needs) {
    if (all.has(check) && config[key] === undefined) {
      problems.push(`key healthz.${key} is missing; the check "${check}" needs it`);
    }
  }
  if (config.quorum && config.quorum.need > config.quorum.peers.length + 1) {
    problems.push(
      `healthz.quorum.need = ${config.quorum.need} is not allowed; there are ` +
        `${config.quorum.peers.length + 1} checkers`,
    );
  }
  const { dns, name } = config;
  if (dns && "zone" in dns && name !== dns.zone && !name.endsWith("." + dns.zone)) {
    problems.push(`healthz.name = "${name}" is not allowed; it is not in the zone "${dns.zone}"`);
  }
  return problems;
}
