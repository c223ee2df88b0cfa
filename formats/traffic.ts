/**
 * `state/statcat/traffic.json`: what clients fetched, counted from the servers' logs by `statcat logs`. No
 * address is in it, in whatever form. Times are epoch seconds, days are UTC.
 */
import type { RepoTraffic } from "./stats.ts";

/** How far a log has been read. */
export interface Cursor {
  /** The file: a rotated log keeps its inode under another name. */
  inode: number;
  /** Bytes that were counted, up to the end of a line. */
  offset: number;
}

/** What was counted for a repository, a protocol and a kind of answer. */
export interface Count {
  /** `""` for what is in no repository. */
  repo: string;
  protocol: RepoTraffic["protocol"];
  /** `2xx` … `5xx` of HTTP; `ok` and `failed` of rsync and FTP. */
  status: string;
  requests: number;
  bytes: number;
}

/** The file. */
export interface TrafficState {
  v: 1;
  time: number;
  /** By the path of the log: of the file before the last rotation, if it is still there, and of the log. */
  cursors: Record<string, Cursor[]>;
  /** Since counting began. */
  counts: Count[];
  /** `2026-11-22`: what `today` and `files` are of. */
  day: string;
  today: Count[];
  /** Requests of today by path; only files that were sent whole or in part. */
  files: Record<string, number>;
  /** Lines that no reader understood. */
  unread: number;
}

const isAmount = (n: unknown): n is number => typeof n === "number" && n >= 0 && n <= 1e18;
const isCount = (c: Count) =>
  typeof c.repo === "string" && ["http", "ftp", "rsync"].includes(c.protocol) &&
  /^(?:[1-5]xx|ok|failed)$/.test(c.status) && isAmount(c.requests) && isAmount(c.bytes);

/** What was counted, from its text; `undefined` where it is damaged or of another version. */
export function readTraffic(text: string): TrafficState | undefined {
  try {
    const s = JSON.parse(text) as TrafficState;
    const good = s.v === 1 && isAmount(s.time) && typeof s.day === "string" && isAmount(s.unread) &&
      s.counts.every(isCount) && s.today.every(isCount) &&
      Object.values(s.cursors).flat().every((c) => isAmount(c.inode) && isAmount(c.offset)) &&
      Object.values(s.files).every(isAmount);
    return good ? s : undefined;
  } catch {
    return undefined;
  }
}

/** The UTC day of a time, as in `2026-11-22`. */
export const dayOf = (epochSeconds: number): string =>
  new Date(epochSeconds * 1000).toISOString().slice(0, 10);

/** Today's traffic by repository and protocol, most first, and the most requested files. */
export function trafficToday(
  state: TrafficState | undefined,
  now: number,
  top = 20,
): { repos: RepoTraffic[]; packages: { path: string; requests: number }[] } {
  if (state?.day !== dayOf(now)) return { repos: [], packages: [] };
  const repos = new Map<string, RepoTraffic>();
  for (const { repo, protocol, requests, bytes } of state.today) {
    if (repo === "") continue;
    const key = `${repo} ${protocol}`;
    const sum = repos.get(key) ?? { repo, protocol, requests: 0, bytes: 0 };
    repos.set(key, { ...sum, requests: sum.requests + requests, bytes: sum.bytes + bytes });
  }
  const packages = Object.entries(state.files).map(([path, requests]) => ({ path, requests }))
    .sort((a, b) => b.requests - a.requests || (a.path < b.path ? -1 : 1)).slice(0, top);
  return { repos: [...repos.values()].sort((a, b) => b.bytes - a.bytes), packages };
}
