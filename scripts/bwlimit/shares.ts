/** Where on the way to a limit a client is looked at, slowed down and refused. Pure. */
import type { Bwlimit } from "../lib/limits.ts";
import { kindOf, type Scope } from "./address.ts";

/** Past a tenth of its smallest limit a client is watched. */
const WATCH_SHARE = 0.1;

/** Bytes after which a client of this kind is watched, and what the kernel allows from there. */
export function shares(policy: Bwlimit, scope: Scope) {
  const { limit, throttle } = kindOf(policy, scope);
  const least = Math.min(...limit.map((l) => l.bytes));
  const watch = Math.floor(least * WATCH_SHARE);
  return {
    watch,
    hard: least - watch,
    soft: throttle && Math.floor(least * throttle.percent / 100) - watch,
    longest: Math.max(...limit.map((l) => l.seconds)),
    shortest: Math.min(...limit.map((l) => l.seconds)),
  };
}
