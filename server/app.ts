/**
 * The embedded server: every URL, as a Hono app that needs no port (`app.request(…)`).
 *
 * The server's own URLs win over files of the same name in a repository at `/`: `/healthz`,
 * `/status.json`, `/nodes.json`, `/metrics`, `/sse`, `/stats.json` and all below `/.mirrorkit/`.
 */
import { Hono } from "hono";
import { fromFileUrl } from "@std/path/posix";
import { PROBLEMS } from "../formats/problem.ts";
import { siteCss } from "../formats/site.ts";
import type { Config } from "../scripts/lib/config.ts";
import { bwlimitMetrics, loadBwlimit } from "./bwlimit.ts";
import { NOT_FOUND, problemResponse } from "./errors.ts";
import { Files } from "./files.ts";
import { collectHealth, healthMetrics, healthText } from "./health.ts";
import { HubLink } from "./hub.ts";
import { Home } from "./home.ts";
import { Listings } from "./listings.ts";
import { processMetrics, renderMetrics } from "./metrics.ts";
import { acceptedFormat } from "./negotiate.ts";
import { loadNodes, nodesMetrics } from "./nodes.ts";
import { OWN, resolveTarget } from "./path.ts";
import { sendText } from "./send.ts";
import { hubMetrics, loadTraffic, storageMetrics, trafficMetrics } from "./statistics.ts";
import { Store } from "./store.ts";
import { Web } from "./web.ts";

/** What an app needs; all but the configuration has a default. */
export interface AppOptions {
  config: Config;
  /** Epoch seconds. */
  now?: () => number;
  /** Where the web page was built. */
  web?: string;
  /** The way to the statistics hub. */
  hub?: HubLink;
  /** Gets what went wrong inside, for the operator; never an address of a client. */
  report?: (message: string) => void;
}

/** What the app is told of who asks, and only for a stream of events: there it counts. */
export interface Asked {
  Bindings: { address?: string };
}

const ENDPOINTS = new Set([
  "/healthz",
  "/status.json",
  "/nodes.json",
  "/metrics",
  "/sse",
  "/stats.json",
]);
const FILES = "/files";

/** What Hono routes by: an own URL as it is, anything else one name. */
function routeOf(request: Request): string {
  const target = resolveTarget(request.url);
  const own = typeof target !== "number" &&
    (ENDPOINTS.has(target.raw) || target.raw.startsWith(OWN));
  return own ? target.raw : FILES;
}

/** The app of a node. */
export function createApp({
  config,
  now = () => Date.now() / 1000,
  web = fromFileUrl(new URL("../web/dist", import.meta.url)),
  hub = new HubLink(config),
  report = console.error,
}: AppOptions): Hono<Asked> {
  const app = new Hono<Asked>({ getPath: routeOf });
  const store = new Store(config), pages = new Web(web, now);
  const home = new Home(store, pages, now);
  const files = new Files(store, new Listings(store, pages, now), home, now);
  const startedAt = Math.floor(now());

  app.use(async (c, next) => {
    if (c.req.method === "GET" || c.req.method === "HEAD") return await next();
    return problemResponse(c.req.raw, {
      ...PROBLEMS.readOnly,
      headers: { allow: "GET, HEAD" },
    });
  });
  app.get("/healthz", (c) => healthResponse(c.req.raw, store, now()));
  app.get("/status.json", async (c) => {
    const bwlimit = await loadBwlimit(config.data);
    const body = JSON.stringify({ ...await collectHealth(store, now()), bwlimit }) + "\n";
    return sendText(c.req.raw, body, uncached("application/json"));
  });
  app.get("/nodes.json", async (c) => {
    const state = await loadNodes(config.data);
    if (!state) return problemResponse(c.req.raw, NOT_FOUND);
    return sendText(c.req.raw, JSON.stringify(state) + "\n", uncached("application/json"));
  });
  app.get("/metrics", async (c) => {
    const body = renderMetrics([
      ...healthMetrics(await collectHealth(store, now())),
      ...bwlimitMetrics(await loadBwlimit(config.data)),
      ...nodesMetrics(await loadNodes(config.data)),
      ...hubMetrics(await hub.state()),
      ...trafficMetrics(await loadTraffic(config.data)),
      ...await storageMetrics(config.data),
      ...processMetrics(startedAt),
    ]);
    return sendText(c.req.raw, body, uncached("text/plain; version=0.0.4; charset=utf-8"));
  });
  for (const path of ["/sse", "/stats.json"]) {
    app.get(path, (c) => hub.pass(c.req.raw, c.env?.address));
  }
  // The home page has this address, too: with a repository at "/", it is the only one.
  app.get(OWN, async (c) => await home.own(c.req.raw) ?? problemResponse(c.req.raw, NOT_FOUND));
  app.get(`${OWN}site.css`, (c) => {
    const { colors, languages } = config.site;
    return sendText(c.req.raw, siteCss(colors, languages), uncached("text/css; charset=utf-8"));
  });
  app.get(
    `${OWN}early.js`,
    async (c) => await pages.early(c.req.raw) ?? problemResponse(c.req.raw, NOT_FOUND),
  );
  app.get(
    `${OWN}assets/:name`,
    async (c) =>
      await pages.asset(c.req.raw, c.req.param("name")) ?? problemResponse(c.req.raw, NOT_FOUND),
  );
  app.get(FILES, (c) => files.answer(c.req.raw));
  app.notFound((c) => problemResponse(c.req.raw, NOT_FOUND));
  app.onError((error, c) => {
    report(
      `error: cannot answer ${c.req.method} ${new URL(c.req.url).pathname}: ${
        error.stack ?? error
      }`,
    );
    return problemResponse(c.req.raw, PROBLEMS.broken);
  });
  return app;
}

const uncached = (type: string) => ({ "content-type": type, "cache-control": "no-cache" });

async function healthResponse(request: Request, store: Store, now: number): Promise<Response> {
  const health = await collectHealth(store, now);
  const json = acceptedFormat(request.headers.get("accept") ?? undefined) === "json";
  const body = json ? JSON.stringify(health) + "\n" : healthText(health);
  return new Response(request.method === "HEAD" ? null : body, {
    status: health.healthy ? 200 : 503,
    headers: {
      "content-type": json ? "application/json" : "text/plain; charset=utf-8",
      "cache-control": "no-store",
      "vary": "Accept",
      "x-content-type-options": "nosniff",
    },
  });
}
