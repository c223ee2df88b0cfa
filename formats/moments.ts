/** Moments as people say them: `4 minutes ago`, `in 2 hours`. */
import type { Key, Translate } from "./messages.ts";
import { formatDuration } from "./units.ts";

/** Seconds up to which a unit is used, and the unit. Two of a kind say more than one and a half. */
const UNITS: [below: number, name: "minutes" | "hours" | "days", seconds: number][] = [
  [90 * 60, "minutes", 60],
  [48 * 3600, "hours", 3600],
  [Infinity, "days", 86_400],
];

/** Where a moment lies, seen from `now`; both in epoch seconds. */
export function relative(at: number, now: number, t: Translate): string {
  const way = at > now ? "in" : "ago", seconds = Math.abs(at - now);
  if (seconds < 45) return t(`${way}.now`);
  const [, name, unit] = UNITS.find(([below]) => seconds < below)!;
  return t(`${way}.${name}`, { n: Math.max(1, Math.round(seconds / unit)) });
}

/** How long something takes, at most two units: `1 h 30 min`. */
export const duration = (seconds: number, t: Translate): string =>
  formatDuration(seconds).replace(
    /(\d+) (\w+)/g,
    (_, n, unit) => t(`for.${unit}` as Key, { n: Number(n) }),
  );
