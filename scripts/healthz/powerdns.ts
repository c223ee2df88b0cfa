/**
 * The HTTP API of PowerDNS. It replaces whole RRsets, so foreign records of the same type are written back
 * as they were; and it knows no prerequisites, so what is there is read once more right before.
 */
import * as v from "valibot";
import { Failure } from "../lib/failure.ts";
import type { Dns } from "../lib/healthz.ts";
import { type Api, call } from "./api.ts";
import { type Held, type Provider, sort, type Type, TYPES } from "./records.ts";

type PowerDns = Extract<Dns, { provider: "powerdns" }>;

const zone = v.object({
  rrsets: v.array(v.object({
    name: v.string(),
    type: v.string(),
    ttl: v.number(),
    records: v.array(v.object({ content: v.string(), disabled: v.optional(v.boolean(), false) })),
  })),
});

/** What was read, as the server wrote it. */
interface Read extends Held {
  written: Record<string, { content: string; disabled: boolean }[]>;
  known: Set<string>;
}

/** The provider. */
export function powerdns(
  dns: PowerDns,
  name: string,
  apiKey: string,
  options: Pick<Api, "fetch" | "pause"> = {},
): Provider {
  const base = `${dns.url.replace(/\/+$/, "")}/api/v1/servers/${dns.server_id}/zones/${dns.zone}.`;
  const api = { what: "PowerDNS", base, headers: { "x-api-key": apiKey }, ...options };
  const refuse = (doing: string, status: number, json: unknown) => {
    const said = (json as { error?: unknown } | undefined)?.error;
    return new Failure(
      `PowerDNS does not ${doing} ${name}: ${
        typeof said === "string" ? said : `HTTP status ${status}`
      }.`,
      status === 401 ? "Is the key in secret_file the api-key of pdns.conf?" : undefined,
    );
  };

  async function read(known: Set<string>): Promise<Read> {
    const { status, json } = await call(api, "GET", `?rrset_name=${name}.`);
    const parsed = v.safeParse(zone, json);
    if (status !== 200 || !parsed.success) throw refuse("list", status, json);
    const held: Read = { ours: [], foreign: [], isOtherTtl: false, written: {}, known };
    for (const set of parsed.output.rrsets) {
      const type = set.type as Type;
      if (set.name.toLowerCase() !== `${name}.` || !TYPES.includes(type)) continue;
      held.written[type] = set.records;
      for (const { content, disabled } of set.records) {
        const { record, isOurs } = sort(type, content, known);
        // One that the operator has switched off is the operator's.
        held[isOurs && !disabled ? "ours" : "foreign"].push(record);
        if (isOurs && set.ttl !== dns.ttl) held.isOtherTtl = true;
      }
    }
    return held;
  }

  return {
    read,
    async write(plan, held) {
      const { written, known } = held as Read;
      const now = await read(known);
      if (JSON.stringify(now.written) !== JSON.stringify(written)) {
        throw new Failure(
          `The records of ${name} at PowerDNS changed in between; nothing was done.`,
          "The next run looks again.",
        );
      }
      const touched = TYPES.filter((type) =>
        plan.isOtherTtl || [...plan.add, ...plan.remove].some((r) => r.type === type)
      );
      const rrsets = touched.flatMap((type) => {
        const isOurs = (content: string) => sort(type, content, known).isOurs;
        const records = [
          ...(written[type] ?? []).filter((r) => r.disabled || !isOurs(r.content)),
          ...plan.desired.filter((r) => r.type === type)
            .map((r) => ({ content: r.value, disabled: false })),
        ];
        const unique = records.filter((r, i) =>
          records.findIndex((other) => other.content === r.content) === i
        );
        const set = { name: `${name}.`, type, ttl: plan.ttl };
        if (unique.length) return [{ ...set, changetype: "REPLACE", records: unique }];
        return written[type] ? [{ ...set, changetype: "DELETE", records: [] }] : [];
      });
      const { status, json } = await call(api, "PATCH", "", { rrsets });
      if (status !== 204) throw refuse("change", status, json);
    },
  };
}
