/** The spoke as a process: measures once a second, and tells every hub. */
import { readHubState } from "../../formats/hub.ts";
import { Failure, type Log } from "../lib/cli.ts";
import type { Config } from "../lib/config.ts";
import { readText } from "../lib/files.ts";
import { KERNEL, Sampler } from "./counters.ts";
import { hubUrl, SPOKES, statcatFiles } from "../lib/statcat.ts";
import { everySecond } from "./ticks.ts";
import { type Target, Uplink } from "./uplink.ts";

/** Samples are taken just after the full second. */
const OFFSET_MS = 2;

/** A hub, by a name for people and a way to find it. */
export interface Hub {
  name: string;
  find: () => Target | undefined;
}

const isToken = (text: string) => /^\S+\.\S+$/.test(text);

/** Another node's hub, as mirror.toml names it. Throws {@linkcode Failure} without its token. */
async function otherHub(url: string, file: string): Promise<Hub> {
  const token = (await readText(file).catch(() => undefined) ?? "").trim();
  if (isToken(token)) return { name: new URL(url).host, find: () => ({ url, token }) };
  throw new Failure(
    `There is no token in ${file}.`,
    "On the hub's machine: statcat token add NAME. Put what it prints into that file.",
  );
}

/** This node's own hub, by what it left in the storage: its port and this spoke's token. */
function ownHub(config: Config): Hub {
  const files = statcatFiles(config.data);
  const find = () => {
    try {
      const state = readHubState(Deno.readTextFileSync(files.hub));
      const token = Deno.readTextFileSync(files.ownToken).trim();
      if (!state || !isToken(token)) return undefined;
      return { url: hubUrl(state).replace("http", "ws") + SPOKES, token };
    } catch {
      // It does not run (yet).
      return undefined;
    }
  };
  return { name: "of this node", find };
}

/** All hubs that a node tells. */
export async function hubsOf(config: Config): Promise<Hub[]> {
  const { hub, send_to } = config.statcat;
  const others = await Promise.all(send_to.map((h) => otherHub(h.url, h.token_file)));
  const hubs = hub ? [ownHub(config), ...others] : others;
  if (hubs.length) return hubs;
  throw new Failure(
    "There is no hub to tell.",
    "Name one with send_to in [statcat] of mirror.toml, or let this node have its own: hub = true.",
  );
}

/** Starts measuring and telling. */
export function startSpoke(
  hubs: Hub[],
  interfaces: string[],
  log: Log,
  sysfs?: string,
): { stop(): void } {
  const sampler = new Sampler(interfaces, { ...KERNEL, ...(sysfs ? { sysfs } : {}) });
  const uplinks = hubs.map(({ name, find }) => {
    let last = "";
    return new Uplink({
      find,
      report(what) {
        // A hub that is away for hours is not worth a line for every attempt.
        if (what !== last) log.info(`hub ${name}: ${what}`);
        last = what;
      },
    });
  });
  sampler.sample();
  const second = everySecond(() => {
    const sample = sampler.sample();
    if (sample) { for (const uplink of uplinks) uplink.push(sample); }
  }, OFFSET_MS);
  return {
    stop() {
      second.stop();
      for (const uplink of uplinks) uplink.stop();
    },
  };
}
