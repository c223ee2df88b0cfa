/**
 * The tables of mirror.toml for the servers that operators trust: what `configure` writes into their
 * configuration. Values come out in a form that needs no quoting there.
 */
import * as v from "valibot";
import { isNetwork } from "./address.ts";
import { like, plainPath, whole } from "./schema.ts";

const port = (what: string) => whole(what, 0, 65535);

const ADDRESS = 'an IP address such as "192.0.2.7", or "0.0.0.0" and "::" for all';
const address = like(ADDRESS, /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$/);
const addresses = v.optional(
  v.pipe(v.array(address, `allowed is a list of addresses`), v.minLength(1, "allowed is one")),
  ["0.0.0.0", "::"],
);

const HOSTS = 'a list of addresses and networks such as "192.0.2.0/24"';
const network = v.pipe(
  like(HOSTS, /^[0-9A-Fa-f:.]+(?:\/\d{1,3})?$/),
  v.check(isNetwork, `allowed is ${HOSTS}`),
);
const hosts = v.optional(v.array(network, `allowed is ${HOSTS}`), []);

/** In bytes a second; `k` and `m` as nginx reads them. */
const rate = v.optional(v.pipe(
  like('a rate in bytes a second such as "500k" or "10m"', /^[1-9]\d{0,8}[km]?$/),
  v.transform((s) => parseInt(s) * (s.endsWith("k") ? 1024 : s.endsWith("m") ? 1024 ** 2 : 1)),
));

const user = (name: string) =>
  v.optional(like("the name of a system user", /^[a-z_][a-z0-9_-]*$/), name);

/** What all of them have. */
const common = {
  addresses,
  allow: hosts,
  deny: hosts,
  rate,
  log_addresses: v.optional(v.boolean("allowed is true or false"), false),
};

const nginx = v.strictObject({
  ...common,
  port: v.optional(port("a port, 0 for no plain HTTP,"), 80),
  tls_port: v.optional(port("a port, 0 for no TLS,"), 443),
  certificate: v.optional(plainPath("a certificate chain")),
  certificate_key: v.optional(plainPath("its key")),
  acme: v.optional(plainPath("the webroot of certbot"), "/var/www/acme"),
  max_connections: v.optional(whole("a number for one client, 0 for no limit,", 0, 1e6), 0),
  user: user("www-data"),
}, "allowed is a table");

const rsync = v.strictObject({
  ...common,
  port: v.optional(port("a port"), 873),
  tls: v.optional(
    v.picklist(["nginx", "stunnel", "off"], "allowed are nginx, stunnel, off"),
    "nginx",
  ),
  tls_port: v.optional(port("a port"), 874),
  max_connections: v.optional(whole("a number, 0 for no limit,", 0, 1e6), 200),
  user: user("nobody"),
  group: user("nogroup"),
}, "allowed is a table");

const PORTS = "a pair of ports such as [40000, 40999]";
const ftp = v.strictObject({
  ...common,
  port: v.optional(port("a port"), 21),
  passive_ports: v.optional(
    v.pipe(
      v.tuple([port("a port"), port("a port")], `allowed is ${PORTS}`),
      v.check(([a, b]) => a > 0 && a <= b, `allowed is ${PORTS}, the lower one first`),
    ),
    [40000, 40999],
  ),
  public_address: v.optional(address),
  active: v.optional(v.boolean("allowed is true or false"), true),
  max_connections: v.optional(whole("a number, 0 for no limit,", 0, 1e6), 200),
  max_per_client: v.optional(whole("a number, 0 for no limit,", 0, 1e6), 10),
}, "allowed is a table");

/** Where nginx looks for the embedded server if mirror.toml doesn't say; the unit's own folder. */
export const SOCKET = "/run/mirrorkit/server.sock";

/** The `[server.…]` tables, to be spread into the schema of `[server]`. */
export const servers = {
  /** Where the embedded server listens for nginx, in place of address and port. */
  socket: v.optional(plainPath("where the embedded server listens for nginx")),
  nginx: v.optional(nginx, {}),
  rsync: v.optional(rsync, {}),
  ftp: v.optional(ftp, {}),
};

/** `[server]` but for hostname and port. */
export type Servers = v.InferOutput<v.StrictObjectSchema<typeof servers, undefined>>;

/** What a repository says about its rsync module. */
export const rsyncModule = {
  rsync_module: v.optional(
    like("the name of a module: letters, digits and ._-", /^[A-Za-z0-9][\w.-]*$/),
  ),
  comment: v.optional(like("one line of text", /^[^\p{Cc}]{1,200}$/u)),
};
