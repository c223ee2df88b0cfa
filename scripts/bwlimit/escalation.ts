/** Who comes back is refused for longer; time heals. Pure. */
import type { Bwlimit } from "../lib/limits.ts";
import type { Level, Step } from "./model.ts";

/** The level after so much time without a ban. */
export function decayed(level: Level | undefined, decaySeconds: number, now: number): number {
  if (!level) return 0;
  return Math.max(0, level.level - Math.floor(Math.max(0, now - level.since) / decaySeconds));
}

/** How long and in which way the ban with this number (from 1) is. */
export function banOf(policy: Bwlimit, level: number): { step: Step; seconds: number } {
  const seconds = policy.bans[Math.min(level, policy.bans.length) - 1];
  return { step: level > policy.answered ? "block" : "ban", seconds };
}
