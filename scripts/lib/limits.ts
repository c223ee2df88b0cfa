/** `[bwlimit]` of mirror.toml: what one client may take of the mirror's line. Sizes in bytes, times in seconds. */
import * as v from "valibot";
import { parseBytes, parseDuration } from "../../formats/units.ts";
import { isNetwork } from "./address.ts";
import { duration, like, text, whole } from "./schema.ts";

/** True if `parse` makes a number above zero of a text. */
const reads = (parse: (text: string) => number) => (value: string) => {
  try {
    const number = parse(value);
    return number > 0 && Number.isSafeInteger(Math.round(number));
  } catch {
    return false;
  }
};

const bytes = (what: string, example: string, parse = parseBytes) => {
  const allowed = `allowed is ${what} with a unit, such as ${example}`;
  return v.pipe(v.string(allowed), v.check(reads(parse), allowed), v.transform(parse));
};
const size = bytes("a number of bytes", '"10 GiB"');
const rate = bytes(
  "a number of bytes a second",
  '"2 MiB/s"',
  (s) => parseBytes(s.replace(/\s*\/\s*s\s*$/, "")),
);

/** Seconds. The kernel takes some hundred years; a ban that is longer than this one is a slip. */
export const LONGEST_BAN = 3650 * 86_400;

/** So many bytes in any stretch of so many seconds. */
export interface Limit {
  seconds: number;
  bytes: number;
}

const LIMITS = 'a table of windows and sizes such as { "1 h" = "10 GiB", "24 h" = "50 GiB" }';
const limits = v.pipe(
  v.record(
    v.pipe(
      v.string(),
      v.check(reads(parseDuration), `allowed is a duration as its key, such as "1 h"`),
    ),
    size,
    `allowed is ${LIMITS}`,
  ),
  v.transform((table) =>
    Object.entries(table).map(([window, bytes]): Limit => ({
      seconds: parseDuration(window),
      bytes,
    })).sort((a, b) => a.seconds - b.seconds)
  ),
  v.minLength(1, `allowed is ${LIMITS}`),
  v.check(
    (all) => all.every((l, i) => i === 0 || l.bytes >= all[i - 1].bytes),
    "allowed are limits that grow with their windows",
  ),
  v.check(
    (all) => all.every((l) => l.bytes >= 64 * 1024 && l.seconds >= 1),
    "allowed are windows of 1 s and sizes of 64 KiB and more",
  ),
);

const throttle = v.strictObject({
  percent: v.optional(whole("a share of the limit in percent", 20, 99), 80),
  rate,
}, 'allowed is a table such as { percent = 80, rate = "2 MiB/s" }');

const kind = v.strictObject(
  { limit: limits, throttle: v.optional(throttle) },
  "allowed is a table with limit and throttle",
);

const NETWORK =
  /^(?:\d{1,3}(?:\.\d{1,3}){3}(?:\/\d{1,2})?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:\/\d{1,3})?)$/;
const A_NETWORK = 'an address or network such as "192.0.2.0/24"';
const network = v.pipe(
  like(A_NETWORK, NETWORK),
  v.check(isNetwork, `allowed is ${A_NETWORK}`),
);
const HOST =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*$/;
const ALLOW = 'an address, a network or a host name such as "tier2.example.net"';
const allowed = v.pipe(
  v.string(`allowed is ${ALLOW}`),
  v.check((s) => isNetwork(s) || HOST.test(s) && !/^[\d.]+$/.test(s), `allowed is ${ALLOW}`),
);

const cap = v.strictObject({
  name: like("a name of a-z, 0-9 and hyphens", /^[a-z0-9][a-z0-9-]{0,31}$/),
  networks: v.pipe(v.array(network), v.minLength(1, "allowed is one network or more")),
  rate,
}, "allowed is a table with name, networks and rate");

const ports = (what: string) => v.array(whole("a port", 1, 65535), `allowed is a list of ${what}`);
const port = whole("a port", 1, 65535);

const answer = v.strictObject({
  port: v.optional(port, 8429),
  tls_port: v.optional(port, 8430),
  http_ports: v.optional(ports("ports that speak HTTP")),
  https_ports: v.optional(ports("ports that speak HTTPS")),
}, "allowed is a table with port and tls_port");

const ipfix = v.strictObject({
  hostname: v.optional(like("an IP address", NETWORK), "127.0.0.1"),
  port: v.optional(port, 4739),
  exporters: v.optional(v.array(network, "allowed is a list of addresses and networks"), []),
  servers: v.optional(v.array(network, "allowed is a list of addresses and networks"), []),
  sampling: v.optional(whole("one packet in so many", 1, 1e6), 1),
}, "allowed is a table with hostname and port");

const schema = v.pipe(
  v.strictObject({
    mode: v.optional(v.picklist(["enforce", "report"], "allowed are enforce, report"), "enforce"),
    sources: v.optional(
      v.pipe(
        v.array(v.picklist(["kernel", "ipfix"], "allowed are kernel, ipfix")),
        v.minLength(1, 'allowed is ["kernel"], ["ipfix"] or both'),
      ),
      ["kernel"],
    ),
    client: v.optional(kind),
    network: v.optional(kind),
    bans: v.optional(
      v.pipe(
        v.array(duration, "allowed is a list of durations"),
        v.minLength(1, "allowed is one"),
        v.check((all) => all.every((s) => s <= LONGEST_BAN), "allowed are times of up to 3650 d"),
      ),
      ["1 h", "6 h", "24 h"],
    ),
    answered: v.optional(whole("a number of bans", 0, 100), 2),
    decay: v.optional(duration, "7 d"),
    allow: v.optional(v.array(allowed, `allowed is a list; each is ${ALLOW}`), []),
    resolve_every: v.optional(duration, "10 min"),
    exempt_ports: v.optional(ports("ports"), [22]),
    cap: v.optional(v.array(cap, "allowed is a list of [[bwlimit.cap]] tables"), []),
    poll: v.optional(duration, "2 s"),
    destinations: v.optional(whole("a number of addresses", 1000, 16_000_000), 262_144),
    on_stop: v.optional(v.picklist(["keep", "flush"], "allowed are keep, flush"), "keep"),
    contact: v.optional(text("an e-mail address or URL")),
    answer: v.optional(answer, {}),
    ipfix: v.optional(ipfix, {}),
  }, "allowed is a table"),
  v.check((b) => !!(b.client || b.network), "allowed is a limit for client, network or both"),
  v.check(
    (b) => b.answer.port !== b.answer.tls_port,
    "allowed are an answer.port and tls_port that differ",
  ),
  v.check(
    (b) => new Set(b.cap.map((c) => c.name)).size === b.cap.length,
    "allowed is each cap's name once",
  ),
);

/** The table, to stand in the schema of mirror.toml. */
export const bwlimit = v.optional(schema);

/** `[bwlimit]`, defaults filled in. */
export type Bwlimit = v.InferOutput<typeof schema>;
/** What is allowed to one kind of client. */
export type Kind = v.InferOutput<typeof kind>;
