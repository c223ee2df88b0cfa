/** What an exporter's flows have been counted to, in windows of their own. */
import type ipaddr from "ipaddr.js";
import type { Bwlimit } from "../lib/limits.ts";
import { familyOf, type Id, idOf, kindOf, type Scope, scopesOf, splitId } from "./address.ts";
import type { Engine } from "./engine.ts";
import type { Action } from "./model.ts";
import { type Bytes, none, plus, Rolling, sum } from "./rolling.ts";
import { shares } from "./shares.ts";

/** Somebody far from any limit: bytes since then. */
interface Distant {
  bytes: Bytes;
  since: number;
}

/** What flows have been counted. Time is an argument: epoch seconds. */
export class Flows {
  /** Those who are near enough to a limit to be counted in windows. */
  readonly windows = new Map<Id, Rolling[]>();
  private readonly distant = new Map<Id, Distant>();
  private readonly scopes: Scope[];
  /** Somebody could not be counted any more. */
  full = false;
  private tidiedAt = 0;
  /** All that was counted. */
  total: Bytes = none();

  constructor(private readonly policy: Bwlimit) {
    this.scopes = scopesOf(policy);
  }

  get size(): number {
    return this.windows.size + this.distant.size;
  }

  /** Counts a flow to a client. */
  count(destination: ipaddr.IPv4 | ipaddr.IPv6, bytes: Bytes, now: number) {
    this.total = plus(this.total, bytes);
    for (const scope of this.scopes) {
      if (scope.family === familyOf(destination)) {
        this.add(scope, idOf(scope, destination), bytes, now);
      }
    }
  }

  private add(scope: Scope, id: Id, bytes: Bytes, now: number) {
    const windows = this.windows.get(id);
    if (windows) return windows.forEach((w) => w.add(bytes, now));
    const { watch, longest } = shares(this.policy, scope);
    let distant = this.distant.get(id);
    if (!distant || now - distant.since > longest) {
      if (!distant && this.distant.size >= this.policy.destinations) return void (this.full = true);
      distant = { bytes: none(), since: now };
      this.distant.set(id, distant);
    }
    distant.bytes = plus(distant.bytes, bytes);
    if (sum(distant.bytes) <= watch) return;
    this.distant.delete(id);
    const fresh = kindOf(this.policy, scope).limit.map((l) => new Rolling(l.seconds));
    fresh.forEach((w) => w.add(distant.bytes, now));
    this.windows.set(id, fresh);
  }

  /** The share of the fullest window, 1 being the limit. */
  share(id: Id): number {
    const windows = this.windows.get(id), { limit } = kindOf(this.policy, splitId(id).scope);
    if (!windows) return 0;
    return Math.max(...windows.map((w, i) => sum(w.total()) / limit[i].bytes));
  }

  /** Who is past a limit is refused, who is past its share is slowed down: in the kernel's sets. */
  judge(engine: Engine, now: number): Action[] {
    if (now - this.tidiedAt > 60) this.tidy(now);
    const actions: Action[] = [];
    for (const [id, windows] of this.windows) {
      windows.forEach((w) => w.expire(now));
      if (windows.every((w) => w.parts.length === 0)) {
        this.windows.delete(id);
        continue;
      }
      const client = engine.memory.clients.get(id);
      if (client?.ban) continue;
      const share = this.share(id),
        { scope } = splitId(id),
        { throttle } = kindOf(this.policy, scope);
      if (share > 1) {
        const kept = engine.client(id);
        kept.windows.forEach((w, i) =>
          w.parts.splice(0, Infinity, ...structuredClone(windows[i].parts))
        );
        actions.push(...engine.offend(id, kept, engine.reason(id, kept), "ipfix", now));
        this.windows.delete(id);
      } else if (throttle && share > throttle.percent / 100) {
        if (client?.slowSince === undefined) {
          actions.push({ do: "slow", id, seconds: shares(this.policy, scope).shortest });
        }
      }
    }
    return actions;
  }

  /** Forgets who has left all windows. */
  private tidy(now: number) {
    this.tidiedAt = now;
    this.full = false;
    for (const [id, { since }] of this.distant) {
      if (now - since > shares(this.policy, splitId(id).scope).longest) this.distant.delete(id);
    }
  }
}
