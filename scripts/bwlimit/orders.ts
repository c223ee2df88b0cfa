/** What operators have asked for, taken in by an engine: by `run` at each look, by `list` and `explain` as well. */
import { scopesOf, splitId } from "./address.ts";
import type { Engine } from "./engine.ts";
import type { Action, Reading } from "./model.ts";
import type { Orders } from "./memory.ts";

/**
 * Takes in the orders after `obeyedAt`, and what the kernel was told of them is no surprise any more in
 * `reading`. Gives the actions that carry them out.
 */
export function takeIn(
  engine: Engine,
  orders: Orders,
  obeyedAt: number,
  reading: Reading,
  now: number,
): Action[] {
  const actions: Action[] = [], scopes = scopesOf(engine.policy);
  for (const { id, at } of orders.unbans) {
    if (at <= obeyedAt) continue;
    actions.push(...engine.pardon(id));
    for (const set of [reading.ban, reading.block, reading.slow]) set.delete(id);
  }
  for (const { id, at, until, step, why } of orders.bans) {
    const isNew = at > obeyedAt || !engine.client(id).ban;
    if (!isNew || !scopes.includes(splitId(id).scope)) continue;
    actions.push(...engine.obey(id, why, step, at, until, now));
    reading[step].set(id, until - now);
  }
  return actions;
}
