/** Counts what clients fetched, from the servers' logs; what was counted and how far the logs were read is one file. */
import { type Count, dayOf, readTraffic, type TrafficState } from "../../formats/traffic.ts";
import type { Config } from "../lib/config.ts";
import { repoAt } from "../lib/config.ts";
import { readText, writeWhole } from "../lib/files.ts";
import { type Fetch, readFtpLine, readNginxLine, readRsyncLine } from "./lines.ts";
import { readNew } from "./tail.ts";

/** Files of a day that are remembered between runs; the least requested are forgotten first. */
const MAX_FILES = 2000;
/** What is a package, of any distribution: databases are fetched by everybody all the time. */
const PACKAGE = /\.(?:deb|udeb|ddeb|rpm|drpm|apk|iso|pkg\.tar(?:\.\w+)?)$/;

/** Nothing counted yet. */
export const newTraffic = (now: number): TrafficState => ({
  v: 1,
  time: Math.floor(now),
  cursors: {},
  counts: [],
  day: dayOf(now),
  today: [],
  files: {},
  unread: 0,
});

/** Adds to counts, by repository, protocol and status. */
class Counter {
  readonly #counts: Map<string, Count>;

  constructor(counts: Count[]) {
    this.#counts = new Map(counts.map((c) => [`${c.repo} ${c.protocol} ${c.status}`, { ...c }]));
  }

  add(repo: string, { protocol, status, bytes }: Fetch) {
    const key = `${repo} ${protocol} ${status}`, count = this.#counts.get(key);
    if (!count) this.#counts.set(key, { repo, protocol, status, requests: 1, bytes });
    else {
      count.requests++;
      count.bytes += bytes;
    }
  }

  all(): Count[] {
    return [...this.#counts.values()];
  }
}

/** Which repository a fetch was of; `""` for none. */
function repoOf({ repos }: Pick<Config, "repos">, { protocol, path }: Fetch): string {
  if (protocol !== "rsync") return repoAt(repos, path)?.name ?? "";
  return repos.find((r) => (r.rsync_module ?? r.name) === path)?.name ?? "";
}

/** Takes fetches and gives what was counted with them. */
export class TrafficCount {
  readonly #total: Counter;
  readonly #today: Counter;
  readonly #files: Map<string, number>;
  #unread: number;
  readonly #day: string;

  constructor(private readonly config: Config, private readonly old: TrafficState, now: number) {
    this.#day = dayOf(now);
    const same = old.day === this.#day;
    this.#total = new Counter(old.counts);
    this.#today = new Counter(same ? old.today : []);
    this.#files = new Map(same ? Object.entries(old.files) : []);
    this.#unread = old.unread;
  }

  /** `undefined` is a line that was not understood. */
  add(fetch: Fetch | undefined): void {
    if (!fetch) return void this.#unread++;
    const repo = repoOf(this.config, fetch);
    this.#total.add(repo, fetch);
    if (dayOf(fetch.time) !== this.#day) return;
    this.#today.add(repo, fetch);
    if (!fetch.file || !repo || !PACKAGE.test(fetch.path)) return;
    this.#files.set(fetch.path, (this.#files.get(fetch.path) ?? 0) + 1);
    if (this.#files.size > 10 * MAX_FILES) this.#forget();
  }

  /** Forgets the files that were requested least. */
  #forget() {
    const all = [...this.#files].sort(([, a], [, b]) => b - a);
    for (const [path] of all.slice(MAX_FILES)) this.#files.delete(path);
  }

  state(now: number, cursors: TrafficState["cursors"]): TrafficState {
    this.#forget();
    return {
      v: 1,
      time: Math.floor(now),
      cursors,
      counts: this.#total.all(),
      day: this.#day,
      today: this.#today.all(),
      files: Object.fromEntries(this.#files),
      unread: this.#unread,
    };
  }
}

/** The logs of a node and who reads their lines. */
const readersOf = ({ statcat: { logs } }: Config) =>
  [[logs.nginx, readNginxLine], [logs.rsync, readRsyncLine], [logs.ftp, readFtpLine]] as const;

/**
 * Counts what is new in all logs and publishes it. A line is counted once, whenever this is killed: how far
 * the logs were read stands in the same file as what was counted. Gives what was read and what is known.
 */
export async function countLogs(
  config: Config,
  file: string,
  now: number,
  warn: (message: string) => void,
): Promise<{ lines: number; state: TrafficState }> {
  const old = readTraffic(await readText(file) ?? "") ?? newTraffic(now);
  const count = new TrafficCount(config, old, now), cursors: TrafficState["cursors"] = {};
  let lines = 0;
  for (const [log, read] of readersOf(config)) {
    const before = old.cursors[log] ?? [];
    cursors[log] = await readNew(log, before, (line) => {
      lines++;
      const fetch = read(line);
      if (fetch !== "other") count.add(fetch);
    }).catch((error) => {
      if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
      warn(`${log} is not counted: permission denied for user id ${Deno.uid()}.`);
      return before;
    });
  }
  const state = count.state(now, cursors);
  await writeWhole(file, JSON.stringify(state) + "\n");
  return { lines, state };
}
