/** Real DNS servers for tests, on free loopback ports, each with a zone `m.test` that takes updates. */
import { freePort } from "../../scripts/demo/rsyncd.ts";
import { type Daemon, listens, startDaemon } from "./daemons.ts";
import { output } from "./serving.ts";

/** A server at work. */
export interface DnsServer extends AsyncDisposable {
  address: string;
  port: number;
  /** A key file for nsupdate(1) and dig(1), or a file with an API key. */
  secretFile: string;
  /** Of PowerDNS' HTTP API. */
  apiPort: number;
  /** Its configuration and data. */
  dir: string;
  daemon: Daemon;
}

const ZONE = `$TTL 300
@ SOA ns hostmaster 1 60 60 600 60
@ NS ns
ns A 127.0.0.1
www 300 A 192.0.2.99
www TXT "not ours"
other A 192.0.2.1
`;

/** How a server is made: writes its files to `dir`, and gives the command that stays. */
type Recipe = (dir: string, address: string, port: number, apiPort: number) => Promise<string[]>;

const bind9: Recipe = async (dir, address, port) => {
  await Deno.writeTextFile(`${dir}/key`, await output("tsig-keygen", ["k1"]));
  await Deno.writeTextFile(
    `${dir}/named.conf`,
    `include "${dir}/key";
options {
  directory "${dir}"; pid-file "${dir}/pid"; session-keyfile "${dir}/session.key";
  listen-on port ${port} { ${address}; }; listen-on-v6 { none; };
  recursion no; dnssec-validation no; notify no; allow-query { any; };
};
controls { };
zone "m.test" { type primary; file "${dir}/zone"; allow-update { key k1; }; };
`,
  );
  await Deno.writeTextFile(`${dir}/zone`, ZONE);
  return ["named", "-f", "-n", "1", "-c", `${dir}/named.conf`];
};

const knot: Recipe = async (dir, address, port) => {
  const key = await output("tsig-keygen", ["k1"]);
  await Deno.writeTextFile(`${dir}/key`, key);
  const secret = /secret "(.*)"/.exec(key)![1];
  await Deno.writeTextFile(
    `${dir}/knot.conf`,
    `server:
  rundir: ${dir}
  listen: ${address}@${port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: ${dir}
key:
  - id: k1
    algorithm: hmac-sha256
    secret: ${secret}
acl:
  - id: update
    key: k1
    action: update
zone:
  - domain: m.test
    storage: ${dir}
    file: zone
    acl: update
`,
  );
  await Deno.writeTextFile(`${dir}/zone`, "$ORIGIN m.test.\n" + ZONE);
  return ["knotd", "-c", `${dir}/knot.conf`];
};

const pdns: Recipe = async (dir, address, port, apiPort) => {
  await Deno.writeTextFile(`${dir}/key`, "s3cr3t-api-key\n");
  await output("sh", [
    "-c",
    `sqlite3 ${dir}/db < /usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql`,
  ]);
  await Deno.writeTextFile(
    `${dir}/pdns.conf`,
    `launch=gsqlite3
gsqlite3-database=${dir}/db
local-address=${address}
local-port=${port}
socket-dir=${dir}
api=yes
api-key=s3cr3t-api-key
webserver-address=${address}
webserver-port=${apiPort}
query-cache-ttl=0
cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
disable-syslog=yes
`,
  );
  await Deno.writeTextFile(`${dir}/zone`, ZONE);
  await output("pdnsutil", [`--config-dir=${dir}`, "load-zone", "m.test", `${dir}/zone`]);
  return ["pdns_server", `--config-dir=${dir}`, "--guardian=no", "--daemon=no"];
};

export const RECIPES = { bind9, knot, pdns };

/** Starts a server; `prefix` is what stands before its command, to run it on another machine. */
export async function startDns(
  kind: keyof typeof RECIPES,
  { address = "127.0.0.1", port = freePort(), prefix = [] as string[], ready }: {
    address?: string;
    port?: number;
    prefix?: string[];
    ready?: () => Promise<boolean>;
  } = {},
): Promise<DnsServer> {
  const dir = await Deno.makeTempDir({ prefix: "mirrorkit-test-" });
  const apiPort = freePort();
  const [command, ...args] = [...prefix, ...await RECIPES[kind](dir, address, port, apiPort)];
  const daemon = await startDaemon(
    command,
    args,
    ready ??
      (async () =>
        await listens(port, address) && (kind !== "pdns" || await listens(apiPort, address))),
  );
  return {
    address,
    port,
    apiPort,
    secretFile: `${dir}/key`,
    dir,
    daemon,
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/** What dig(1) is told of a name, `TTL TYPE VALUE` a line, sorted; throws where nobody answers. */
export async function dig(
  server: Pick<DnsServer, "address" | "port">,
  name: string,
  types: string[],
  prefix: string[] = [],
): Promise<string[]> {
  const lines: string[] = [];
  for (const type of types) {
    const [command, ...args] = [
      ...prefix,
      ...["dig", `@${server.address}`, "-p", `${server.port}`, "+norecurse", "+noall", "+answer"],
      ...["+time=2", "+tries=2", "-t", type, "-q", `${name}.`],
    ];
    const said = await output(command, args);
    for (const line of said.split("\n").filter((l) => l && !l.startsWith(";"))) {
      const [, ttl, found, value] = /^\S+\s+(\d+)\s+IN\s+(\S+)\s+(.*)$/.exec(line)!;
      if (found === type) lines.push(`${ttl} ${found} ${value}`);
    }
  }
  return lines.sort();
}
