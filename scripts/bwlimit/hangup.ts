/** Connections that a refused client still has. */
import type { Log } from "../lib/cli.ts";
import type { Bwlimit } from "../lib/limits.ts";
import type { Run } from "../lib/run.ts";
import { type Id, splitId } from "./address.ts";

/**
 * Resets those that end at this machine, with ss(8). The kernel resets them itself at the next packet that
 * comes from the client, in containers too; a client that only waits for data would send none.
 */
export async function hangUp(id: Id, policy: Bwlimit, run: Run, log: Log): Promise<void> {
  const { scope, key } = splitId(id), { port, tls_port } = policy.answer;
  const spared = [port, tls_port, ...policy.exempt_ports];
  const not = spared.flatMap((p) => ["and", "not", "sport", "=", `:${p}`]);
  const args = ["-K", "-t", "dst", `${key}/${scope.prefix}`, ...not];
  const result = await run({ command: "ss", args });
  if (result.code !== 0) log.detail(`ss -K: ${result.stderr.trim()}`);
}
