/** What the home page shows, collected. */
import { type Scheme, schemeOf, type Snippet, snippetsFor } from "../../formats/clients.ts";
import type { NodeHealth } from "../../formats/health.ts";
import { type HubState, readHubState } from "../../formats/hub.ts";
import type { Language } from "../../formats/messages.ts";
import type { NodesState } from "../../formats/nodes.ts";
import type { Config, Repo } from "../../scripts/lib/config.ts";
import { readText } from "../../scripts/lib/files.ts";
import { statcatFiles } from "../../scripts/lib/statcat.ts";
import { collectHealth } from "../health.ts";
import { loadNodes } from "../nodes.ts";
import type { Store } from "../store.ts";
import { findImages, type Image, suiteOf } from "./images.ts";

/** How a repository is used: what to write for each way to reach it. */
export interface Use {
  repo: string;
  href: string;
  ways: { scheme: Scheme; url: string; snippets: Snippet[] }[];
}

/** The page as data. */
export interface HomeModel {
  site: Config["site"];
  language: Language;
  now: number;
  health: NodeHealth;
  /** The mirror's roots, as users write them. */
  urls: string[];
  uses: Use[];
  images: { repo: string; images: Image[] }[];
  /** Who measures traffic, and what, in bytes a second; `undefined` where there is no hub. */
  spokes?: { id: string; sent: number; received: number }[];
  /** What healthz found; `undefined` where it does not run. */
  nodes?: NodesState;
  /** No server's log holds an address of a client. */
  anonymous: boolean;
}

/** A hub writes its state every ten seconds; one that has not for this long is no more. */
const HUB_GONE_SECONDS = 120;

/** The roots of the mirror: those of mirror.toml, or what nginx's part of it implies. */
export function rootsOf({ site, server: { nginx } }: Config): string[] {
  if (site.urls) return site.urls;
  const port = (number: number, usual: number) => number === usual ? "" : `:${number}`;
  const tls = nginx.certificate !== undefined && nginx.tls_port > 0;
  return [
    ...(tls ? [`https://${site.name}${port(nginx.tls_port, 443)}/`] : []),
    ...(nginx.port > 0 ? [`http://${site.name}${port(nginx.port, 80)}/`] : []),
  ];
}

/** The URL of a repository below a root; at the rsync daemon it is a module. */
export function urlOf(root: string, repo: Repo): string {
  return schemeOf(root) === "rsync"
    ? `${root}${repo.rsync_module ?? repo.name}/`
    : root + repo.path.slice(1);
}

const anonymous = ({ server: { nginx, rsync, ftp } }: Config) =>
  ![nginx, rsync, ftp].some((s) => s.log_addresses);

const total = ({ interfaces }: HubState["spokes"][number], key: "txBytes" | "rxBytes") =>
  interfaces.reduce((sum, { rates }) => sum + rates[key], 0);

/** A hub and a healthz that run leave word; those that do not have no part in the page. */
async function others(config: Config, now: number): Promise<Pick<HomeModel, "spokes" | "nodes">> {
  const hub = config.statcat.hub
    ? readHubState(await readText(statcatFiles(config.data).hub) ?? "")
    : undefined;
  const spokes = hub && now - hub.time < HUB_GONE_SECONDS
    ? hub.spokes.map((s) => ({
      id: s.id,
      sent: total(s, "txBytes"),
      received: total(s, "rxBytes"),
    }))
    : undefined;
  return { spokes, nodes: await loadNodes(config.data) };
}

/** Collects the model. Images and suites are looked up in the listings anew each time: a few small files. */
export async function collectHome(
  store: Store,
  language: Language,
  now: number,
): Promise<HomeModel> {
  const { config } = store, urls = rootsOf(config);
  const ready = config.repos.filter((repo) => store.ready(repo));
  const uses = ready.map(async (repo) => {
    const suite = await suiteOf(store, repo);
    const ways = urls.map((root) => {
      const url = urlOf(root, repo);
      return { scheme: schemeOf(root), url, snippets: snippetsFor(repo.profile, url, suite) };
    });
    return { repo: repo.name, href: repo.path, ways };
  });
  const images = ready.map(async (repo) => ({
    repo: repo.name,
    images: await findImages(store, repo),
  }));
  return {
    site: config.site,
    language,
    now,
    health: await collectHealth(store, now),
    urls,
    uses: await Promise.all(uses),
    images: (await Promise.all(images)).filter((i) => i.images.length > 0),
    ...await others(config, now),
    anonymous: anonymous(config),
  };
}
