/** A command of the operator's that gets the whole desired set as JSON on its stdin. */
import { Failure } from "../lib/failure.ts";
import type { Dns, Healthz } from "../lib/healthz.ts";
import { type Run, run as realRun } from "../lib/run.ts";
import type { Provider } from "./records.ts";

const SECONDS = 60;

/** The provider. What is there is what the last call was given: nobody else can tell. */
export function hook(
  dns: Extract<Dns, { provider: "hook" }>,
  config: Pick<Healthz, "name" | "node">,
  run: Run = realRun,
): Provider {
  return {
    read: () => Promise.resolve(undefined),
    async write({ desired, add, remove, ttl }) {
      const weights = config.node.flatMap((n) =>
        n.addresses.map((address) => ({ address, node: n.name, weight: n.weight }))
      ).filter((w) => desired.some((r) => r.value === w.address));
      const records = desired.map((r) => ({ ...r, ttl }));
      const json = { v: 1, name: config.name, ttl, records, add, remove, nodes: weights };
      const [command, ...args] = dns.command;
      const { code, signal, stderr } = await run({ command, args }, {
        input: new TextEncoder().encode(JSON.stringify(json) + "\n"),
        signal: AbortSignal.timeout(SECONDS * 1000),
      }).catch((error) => {
        throw new Failure(`Cannot run the hook ${command}: ${error.message}.`);
      });
      if (code === 0) return;
      const how = signal ? `was ended by ${signal}` : `ended with ${code}`;
      const said = stderr.trim().split("\n").at(-1);
      throw new Failure(`The hook ${command} ${how}${said ? `: ${said}` : ""}.`);
    },
  };
}
