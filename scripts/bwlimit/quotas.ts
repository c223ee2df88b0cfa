/** What a client's own quotas should be, so that the kernel refuses it at the right byte. Pure. */
import type { Bwlimit } from "../lib/limits.ts";
import { type Id, kindOf, splitId } from "./address.ts";
import type { Action, Client } from "./model.ts";
import { sum } from "./rolling.ts";

/** A change of a threshold that is worth telling the kernel: a five-hundredth of the limit. */
const WORTH = 1 / 500;

/** Bytes by which a threshold must change to be told anew. */
export const worthTelling = (policy: Bwlimit, id: Id): number =>
  WORTH * Math.min(...kindOf(policy, splitId(id).scope).limit.map((l) => l.bytes));

/** The totals at which the nearest limit is reached: what has left each window is added to it. */
export function thresholds(
  policy: Bwlimit,
  id: Id,
  client: Client,
): { hard: number; soft?: number } {
  const { limit, throttle } = kindOf(policy, splitId(id).scope), total = sum(client.total);
  const least = (share: number) =>
    Math.min(...limit.map((l, i) => l.bytes * share + total - sum(client.windows[i].total())));
  return { hard: least(1), soft: throttle && least(throttle.percent / 100) };
}

/** Tells the kernel of a client's thresholds. */
export function quotaAction(
  id: Id,
  { hard, soft }: Client,
  hasSoft: boolean,
  fresh: boolean,
): Action {
  return {
    do: "quota",
    id,
    hard: Math.max(1, Math.round(hard)),
    ...(hasSoft ? { soft: Math.max(1, Math.round(soft)) } : {}),
    fresh,
  };
}
