/** `[statcat]` of mirror.toml, and where statcat's files stand. */
import * as v from "valibot";
import { join } from "@std/path/posix";
import { isInterfaceName, isSpokeName } from "../../formats/stats.ts";
import { text, whole } from "./schema.ts";

/** Where spokes connect to a hub. */
export const SPOKES = "/.mirrorkit/spoke";

const NAME = "allowed are lower-case letters, digits, hyphens and dots, at most 64";
const INTERFACE = 'allowed is the name of an interface such as "eth0"';
const HUB_URL = 'allowed is a URL such as "wss://mirror.example.org/.mirrorkit/spoke"';

/** The schema of `[statcat]`. */
export const statcat = v.strictObject({
  name: v.optional(v.custom<string>(isSpokeName, NAME)),
  interfaces: v.optional(
    v.pipe(
      v.array(v.custom<string>(isInterfaceName, INTERFACE), "allowed is a list of interfaces"),
      v.maxLength(16, "allowed are at most 16 interfaces"),
    ),
    [],
  ),
  hub: v.optional(v.boolean("allowed is true or false"), true),
  hostname: v.optional(text('an address to listen on, such as "127.0.0.1" or "::"'), "127.0.0.1"),
  port: v.optional(whole("a port, 0 for a free one,", 0, 65535), 8081),
  clients: v.optional(whole("a number of listeners", 1, 100_000), 5000),
  clients_per_address: v.optional(whole("a number of listeners", 1, 100_000), 50),
  send_to: v.optional(
    v.array(
      v.strictObject({
        url: v.pipe(v.string(HUB_URL), v.regex(/^wss?:\/\/[^\s/]+\/\S*$/, HUB_URL)),
        token_file: text("the path of a file with this node's token"),
      }, 'allowed is { url = "wss://…", token_file = "…" }'),
      "allowed is a list of hubs",
    ),
    [],
  ),
  logs: v.optional(
    v.strictObject({
      nginx: v.optional(text("the path of a log"), "/var/log/nginx/mirror.log"),
      rsync: v.optional(text("the path of a log"), "/var/log/mirrorkit-rsync.log"),
      ftp: v.optional(text("the path of a log"), "/var/log/vsftpd.log"),
    }, "allowed is a table with nginx, rsync, ftp"),
    {},
  ),
}, "allowed is a table");

/** `[statcat]`, defaults filled in. */
export type Statcat = v.InferOutput<typeof statcat>;

/** Where a hub of this machine is reached, by what it says of itself. */
export function hubUrl({ hostname, port }: { hostname: string; port: number }): string {
  const host = /^(?:0\.0\.0\.0|::)$/.test(hostname) ? "127.0.0.1" : hostname;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** The paths of statcat's files in the storage `data`. */
export function statcatFiles(data: string) {
  const dir = join(data, "state/statcat"), at = (name: string) => join(dir, name);
  return {
    dir,
    /** SQLite. */
    history: at("history.db"),
    /** Hashes of tokens. */
    tokens: at("tokens.json"),
    /** This node's own token, for its spoke alone. */
    ownToken: at("own.token"),
    /** formats/hub.ts. */
    hub: at("hub.json"),
    lock: at("hub.lock"),
    spokeLock: at("spoke.lock"),
    /** formats/traffic.ts. */
    traffic: at("traffic.json"),
    trafficLock: at("traffic.lock"),
  };
}
