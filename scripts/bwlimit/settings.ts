/** What of mirror.toml bwlimit goes by. */
import { createHash } from "node:crypto";
import { Failure } from "../lib/cli.ts";
import type { Config } from "../lib/config.ts";
import type { Bwlimit } from "../lib/limits.ts";
import { renderTable } from "./table.ts";

/** `[bwlimit]`, or what to do where there is none. */
export function policyOf(config: Config): Bwlimit {
  if (config.bwlimit) return config.bwlimit;
  throw new Failure(
    `There is no [bwlimit] in ${config.file}: nothing is limited.`,
    'Add it, for example: [bwlimit.client] and below it limit = { "1 h" = "10 GiB" }; mirror.toml.example shows all.',
  );
}

/** Ports at which the mirror speaks HTTP and HTTPS. */
export function portsOf(config: Config, policy: Bwlimit): { http: number[]; https: number[] } {
  const { nginx, port } = config.server, { answer } = policy;
  const http = answer.http_ports ?? [...new Set([nginx.port, port])];
  const https = answer.https_ports ?? [nginx.tls_port];
  return {
    http: http.filter((p) => p > 0),
    // Without a certificate nobody can answer there; such connections are reset.
    https: nginx.certificate ? https.filter((p) => p > 0) : [],
  };
}

/** A mark for the table of this very configuration, the allow-list left aside. */
export function markOf(config: Config): string {
  const policy = policyOf(config);
  const text = renderTable({ policy, ...portsOf(config, policy), allow: [], mark: "", made: 0 });
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
