/**
 * healthz as a Cloudflare Worker: the same core, started by a cron trigger, its state in a Durable Object
 * (one instance, strongly consistent). `wrangler.jsonc` beside this file configures it.
 *
 * A Worker's `fetch` can't choose the address that it connects to, so the HTTP checks of a node need a name
 * of its own (`host`), and what they find counts for all of its addresses. TCP checks (rsync, ftp) and
 * reference points use addresses as elsewhere.
 */
import * as v from "valibot";
import { Failure } from "../lib/failure.ts";
import { type Healthz as Config, healthzProblems, healthzTable } from "../lib/healthz.ts";
import { cloudflare } from "./cloudflare.ts";
import { cycle } from "./cycle.ts";
import { type History, newHistory, readHistory } from "./history.ts";
import { fetchPeer } from "./look.ts";
import { type Channel, deliver, webhook } from "./notices.ts";
import { powerdns } from "./powerdns.ts";
import { toPublic } from "./public.ts";
import type { Provider } from "./records.ts";
import { workerWire } from "./worker_wire.ts";

/** What wrangler.jsonc and `wrangler secret put` give. */
interface Env {
  /** The `[healthz]` table as JSON; `name` and `lastsync` have to be in it. */
  HEALTHZ: unknown;
  /** Seconds between two runs of the cron trigger. */
  INTERVAL?: number;
  /** Secret: the token of the DNS provider. */
  DNS_TOKEN?: string;
  /** Secret: the URL that is told of changes. */
  WEBHOOK?: string;
  CHECKER: { idFromName(name: string): unknown; get(id: unknown): { fetch: typeof fetch } };
}

/** The part of a Durable Object's state that is used. */
interface ObjectState {
  storage: {
    get(key: string): Promise<string | undefined>;
    put(entries: Record<string, string>): Promise<void>;
  };
}

const HEADERS = {
  "content-type": "application/json",
  "cache-control": "no-cache",
  "access-control-allow-origin": "*",
};

/** Reads the table. Throws a `Failure` that says what is wrong. */
export function readTable(value: unknown): Config {
  const table = v.safeParse(healthzTable, value);
  if (!table.success) {
    const said = table.issues.map((i) => `${v.getDotPath(i) ?? "HEALTHZ"}: ${i.message}`);
    throw new Failure(`The variable HEALTHZ is not allowed: ${said.join("; ")}.`);
  }
  const { name, lastsync } = table.output;
  if (!name || !lastsync) throw new Failure("The variable HEALTHZ needs name and lastsync.");
  const config = { ...table.output, name, lastsync };
  const problems = healthzProblems(config);
  if (problems.length) throw new Failure(`The variable HEALTHZ: ${problems.join("; ")}.`);
  return config;
}

function providerOf({ dns, name }: Config, token = ""): Provider {
  if (!dns) return { read: () => Promise.resolve(undefined), write: () => Promise.resolve() };
  if (!token) throw new Failure("There is no DNS_TOKEN: wrangler secret put DNS_TOKEN.");
  if (dns.provider === "cloudflare") return cloudflare(dns, name, token);
  if (dns.provider === "powerdns") return powerdns(dns, name, token);
  throw new Failure(`A Worker has no provider ${dns.provider}; use cloudflare or powerdns.`);
}

/** The Durable Object: one run at a time, and what the last one found. */
export class Checker {
  private isRunning = false;
  constructor(private readonly state: ObjectState, private readonly env: Env) {}

  async fetch(request: Request): Promise<Response> {
    if (request.method === "POST") return await this.check();
    const nodes = await this.state.storage.get("nodes");
    if (!nodes) return new Response("There was no run yet.\n", { status: 503 });
    return new Response(nodes, { headers: HEADERS });
  }

  private async check(): Promise<Response> {
    if (this.isRunning) return new Response("A run is under way.\n", { status: 409 });
    this.isRunning = true;
    try {
      const config = readTable(this.env.HEALTHZ);
      const text = await this.state.storage.get("history");
      const before = text === undefined ? newHistory() : readHistory(text) ?? newHistory();
      const { history, events } = await cycle(
        {
          config,
          wire: workerWire,
          provider: providerOf(config, this.env.DNS_TOKEN),
          // By URL alone: a Worker has no files.
          readPeer: fetchPeer,
          now: () => Date.now() / 1000,
        },
        before,
        false,
      );
      await this.save(history, config);
      const url = this.env.WEBHOOK ?? config.notify.webhook;
      const ways: Record<string, Channel> = url ? { webhook: webhook(url, config.notify) } : {};
      const told = await deliver(history, events, ways, history.at, console.warn);
      await this.save(told, config);
      for (const { title, text } of events) console.log(`${title}: ${text}`);
      return Response.json({ alarms: history.alarms, events });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      console.error(error.message, error.hint ?? "");
      return Response.json({ error: error.message }, { status: 500 });
    } finally {
      this.isRunning = false;
    }
  }

  private async save(history: History, config: Config) {
    const nodes = toPublic(history, config, "worker", this.env.INTERVAL ?? 60);
    await this.state.storage.put({
      history: JSON.stringify(history),
      nodes: JSON.stringify(nodes) + "\n",
    });
  }
}

/** The one instance. */
const checker = (env: Env) => env.CHECKER.get(env.CHECKER.idFromName("healthz"));

export default {
  /** Only the public state can be asked for; nothing can be set off from outside. */
  async fetch(request: Request, env: Env): Promise<Response> {
    if (new URL(request.url).pathname !== "/nodes.json") {
      return new Response("The state of the nodes is at /nodes.json.\n", { status: 404 });
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response("This only reads.\n", { status: 405, headers: { allow: "GET, HEAD" } });
    }
    return await checker(env).fetch("http://checker/nodes.json");
  },
  async scheduled(_event: unknown, env: Env): Promise<void> {
    const response = await checker(env).fetch("http://checker/", { method: "POST" });
    if (response.status >= 500) throw new Error(await response.text());
    await response.body?.cancel();
  },
};
