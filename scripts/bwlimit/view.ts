/** What operators are shown. Pure. */
import { count, formatBytes, formatDuration, formatTime } from "../../formats/units.ts";
import type { Bwlimit } from "../lib/limits.ts";
import { type Id, kindOf, showId, splitId } from "./address.ts";
import type { Engine } from "./engine.ts";
import type { Client, Reading } from "./model.ts";
import { type Bytes, PROTOCOLS, sum } from "./rolling.ts";

/** How a client or network stands. */
export interface Standing {
  who: string;
  state: "counted" | "throttled" | "banned" | "blocked" | "would be banned" | "would be throttled";
  /** Why and until when, where it is refused. */
  why?: string;
  by?: string;
  since?: string;
  until?: string;
  /** What had been counted when it was refused. */
  counted?: { tcp: number; udp: number; other: number };
  windows: {
    window: string;
    bytes: { tcp: number; udp: number; other: number };
    total: number;
    limit: number;
    /** When no more than half of the limit will be left in the window, if nothing is added. */
    halfAt?: string;
  }[];
  /** How many bans it had that are not forgotten. */
  level: number;
}

const byProtocol = (bytes: Bytes) => ({ tcp: bytes[0], udp: bytes[1], other: bytes[2] });

/** The standing of an id. */
export function standingOf(
  policy: Bwlimit,
  id: Id,
  client: Client | undefined,
  reading: Reading,
  now: number,
  level = 0,
): Standing {
  const { limit } = kindOf(policy, splitId(id).scope), ban = client?.ban;
  const refused = reading.ban.get(id) ?? reading.block.get(id);
  const would = policy.mode === "report";
  const slow = reading.slow.has(id) ? would ? "would be throttled" : "throttled" : "counted";
  const hit = reading.block.has(id) ? "blocked" : "banned";
  return {
    who: showId(id),
    state: refused === undefined ? slow : would ? "would be banned" : hit,
    ...(refused === undefined ? {} : {
      why: ban?.why ?? "a limit was reached just now",
      by: ban?.by ?? "kernel",
      ...(ban ? { since: formatTime(ban.since), counted: byProtocol(ban.bytes) } : {}),
      until: formatTime(now + refused),
    }),
    windows: limit.map(({ seconds, bytes }, i) => {
      const window = client?.windows[i], total = window?.total() ?? [0, 0, 0];
      const halfAt = window && sum(total) > bytes / 2 ? window.fallsTo(bytes / 2, now) : undefined;
      return {
        window: formatDuration(seconds),
        bytes: byProtocol(total),
        total: sum(total),
        limit: bytes,
        ...(halfAt === undefined ? {} : { halfAt: formatTime(halfAt) }),
      };
    }),
    level,
  };
}

/** The share of the fullest window. */
export const shareOf = (s: Standing) => Math.max(...s.windows.map((w) => w.total / w.limit));

/** All that is looked at one by one: the refused first, then by how much of a limit is used up. */
export function standings(engine: Engine, reading: Reading, now: number): Standing[] {
  const rank = (s: Standing) => s.until ? 0 : s.state === "counted" ? 2 : 1;
  return [...engine.memory.clients].map(([id, client]) =>
    standingOf(engine.policy, id, client, reading, now, engine.levelOf(id, now))
  ).sort((a, b) => rank(a) - rank(b) || shareOf(b) - shareOf(a));
}

const protocolText = (bytes: { [protocol: string]: number }) =>
  PROTOCOLS.map((p) => `${p} ${formatBytes(bytes[p])}`).join(", ");

/** A standing in words. */
export function describe(s: Standing): string {
  const lines = [
    `${s.who}: ${s.state}` + (s.until ? ` until ${s.until}: ${s.why} (${s.by})` : ""),
    ...(s.counted ? [`  counted before: ${protocolText(s.counted)}`] : []),
    ...s.windows.map((w) => {
      const parts = protocolText(w.bytes);
      const half = w.halfAt ? `; below half of it at ${w.halfAt}` : "";
      return `  ${w.window}: ${formatBytes(w.total)} of ${formatBytes(w.limit)} (${parts})${half}`;
    }),
  ];
  if (s.level) lines.push(`  ${count(s.level, "ban")} remembered; the next is longer`);
  return lines.join("\n") + "\n";
}

/** A table of standings for a terminal. */
export function listText(all: Standing[]): string {
  if (all.length === 0) return "Nobody is near a limit.\n";
  const rows = all.map((s) => {
    const fullest = s.windows.toSorted((a, b) => b.total / b.limit - a.total / a.limit)[0];
    return [
      s.who,
      s.state,
      `${formatBytes(fullest.total)} of ${formatBytes(fullest.limit)} in ${fullest.window}`,
      s.until ? `until ${s.until}: ${s.why}` : "",
    ];
  });
  const widths = [0, 1, 2].map((i) => Math.max(...rows.map((r) => r[i].length)));
  return rows.map((r) =>
    r.map((c, i) => i < 3 ? c.padEnd(widths[i]) : c).join("  ").trimEnd() + "\n"
  )
    .join("");
}
