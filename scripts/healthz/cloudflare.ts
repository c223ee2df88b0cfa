/**
 * Cloudflare's API v4. A record is ours if its comment is our mark; all others are foreign. Changes go by
 * `dns_records/batch`, a transaction each: what joins first and then what leaves, as Cloudflare tells its
 * servers of each record apart, and none of them should see a name without addresses in between.
 */
import * as v from "valibot";
import { Failure } from "../lib/failure.ts";
import type { Dns } from "../lib/healthz.ts";
import { type Api, call } from "./api.ts";
import { type DnsRecord, type Held, type Provider, sort, type Type, TYPES } from "./records.ts";

type Cloudflare = Extract<Dns, { provider: "cloudflare" }>;

const PER_PAGE = 100;
const PAGES = 50;

const record = v.object({
  id: v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/)),
  name: v.string(),
  type: v.string(),
  content: v.optional(v.string(), ""),
  ttl: v.number(),
  comment: v.nullish(v.string()),
});
const page = v.object({
  success: v.literal(true),
  result: v.array(record),
  result_info: v.object({ page: v.number(), total_pages: v.number() }),
});
const failure = v.object({
  errors: v.array(v.object({ code: v.optional(v.number()), message: v.string() })),
});

/** The comment of records that are ours. */
export const mark = (name: string) => `mirrorkit healthz: ${name}`;

/** What was read, with the ids. */
interface Read extends Held {
  ids: Map<string, string>;
}

const key = ({ type, value }: DnsRecord) => `${type} ${value}`;

/** The provider. */
export function cloudflare(
  dns: Cloudflare,
  name: string,
  token: string,
  options: Pick<Api, "fetch" | "pause"> = {},
): Provider {
  const base = `${dns.api}/zones/${dns.zone_id}/dns_records`;
  const api = { what: "Cloudflare", base, headers: { authorization: `Bearer ${token}` } };

  async function ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const { status, json } = await call({ ...api, ...options }, method, path, body);
    // Failures may come with any status, and success is what the body says.
    if ((json as { success?: unknown } | undefined)?.success === true) return json;
    const said = v.safeParse(failure, json);
    const why = said.success
      ? said.output.errors.map((e) => `${e.message} (${e.code ?? "no code"})`).join("; ")
      : `HTTP status ${status}`;
    throw new Failure(
      `Cloudflare does not ${method === "GET" ? "list" : "change"} the records of ${name}: ` +
        `${why || "no reason given"}.`,
      status === 401 || status === 403
        ? "The token needs the permission Zone / DNS / Edit for this zone."
        : undefined,
    );
  }

  async function list() {
    const all: v.InferOutput<typeof record>[] = [];
    for (let number = 1; number <= PAGES; number++) {
      const query = new URLSearchParams({
        "name.exact": name,
        per_page: `${PER_PAGE}`,
        page: `${number}`,
      });
      const parsed = v.safeParse(page, await ask("GET", `?${query}`));
      if (!parsed.success) {
        throw new Failure(`Cloudflare's list cannot be read: ${parsed.issues[0].message}.`);
      }
      all.push(...parsed.output.result);
      if (number >= parsed.output.result_info.total_pages) return all;
    }
    throw new Failure(`${name} has more than ${PAGES * PER_PAGE} records at Cloudflare.`);
  }

  return {
    async read(): Promise<Read> {
      const held: Read = { ours: [], foreign: [], isOtherTtl: false, ids: new Map() };
      for (const one of await list()) {
        const type = one.type as Type;
        if (one.name.toLowerCase() !== name || !TYPES.includes(type)) continue;
        const { record } = sort(type, one.content, new Set());
        if (one.comment !== mark(name)) held.foreign.push(record);
        else {
          held.ours.push(record);
          held.ids.set(key(record), one.id);
          if (one.ttl !== dns.ttl) held.isOtherTtl = true;
        }
      }
      return held;
    },

    async write(plan, held) {
      const { ids } = held as Read;
      const body = (r: DnsRecord) => ({
        name,
        type: r.type,
        ttl: plan.ttl,
        comment: mark(name),
        ...(r.type === "HTTPS" ? { data: serviceData(r.value) } : {
          content: r.value,
          proxied: false,
        }),
      });
      const id = (r: DnsRecord) => ids.get(key(r));
      const kept = plan.isOtherTtl ? plan.desired.filter(id) : [];
      if (kept.length || plan.add.length) {
        const patches = kept.map((r) => ({ id: id(r), ...body(r) }));
        await ask("POST", "/batch", { patches, posts: plan.add.map(body) });
      }
      if (plan.remove.length) {
        await ask("POST", "/batch", { deletes: plan.remove.map((r) => ({ id: id(r) })) });
      }
    },
  };
}

/** `1 . alpn=h2` as Cloudflare takes it. */
function serviceData(value: string) {
  const [, priority, target, rest] = /^(\d+) (\S+) ?(.*)$/.exec(value)!;
  const quoted = rest.replace(/=([^"\s]+)/g, '="$1"');
  return { priority: Number(priority), target, value: quoted };
}
