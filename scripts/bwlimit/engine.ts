/**
 * What to do about what was counted: readings and the clock in, actions and records out. Pure.
 *
 * The kernel decides on each packet with what it has been told; here it is told anew as bytes leave the
 * windows, bans grow for those who come back, and everything is written down. Each look compares what the
 * kernel says with what should be, so that an action that failed, a restart, or an operator's own nft
 * command is put right by the next look.
 */
import { formatBytes, formatDuration } from "../../formats/units.ts";
import type { Bwlimit } from "../lib/limits.ts";
import { type Id, kindOf, splitId } from "./address.ts";
import { type Bytes, none, plus, Rolling, sum } from "./rolling.ts";
import { banOf, decayed } from "./escalation.ts";
import type { Action, Client, Debts, Did, Memory, Reading, Record, Source, Step } from "./model.ts";
import { quotaAction, thresholds, worthTelling } from "./quotas.ts";
import { shares } from "./shares.ts";

export class Engine {
  readonly records: Record[] = [];
  /** What had been counted before a reboot of those who were not watched. */
  debts: Debts = new Map();
  /** The share of a limit that another source has counted. */
  elsewhere: (id: Id) => number = () => 0;

  constructor(
    readonly policy: Bwlimit,
    readonly memory: Memory = { clients: new Map(), levels: new Map() },
    /** The name under which the bans of somebody are counted. */
    private readonly pseudonym: (id: Id) => string = (id) => id,
  ) {
    for (const [id, client] of memory.clients) this.fit(id, client);
  }

  /** Another configuration has other windows: those of the same length go on, others begin. */
  private fit(id: Id, client: Client) {
    const kind = this.policy[splitId(id).scope.kind];
    if (!kind) return void this.memory.clients.delete(id);
    client.windows = kind.limit.map(({ seconds }) =>
      client.windows.find((w) => w.seconds === seconds) ?? new Rolling(seconds)
    );
  }

  /** A client, made where it is new. */
  client(id: Id): Client {
    let client = this.memory.clients.get(id);
    if (!client) {
      const { limit } = kindOf(this.policy, splitId(id).scope);
      const windows = limit.map((l) => new Rolling(l.seconds));
      client = { total: none(), seen: none(), windows, base: null, hard: 0, soft: 0 };
      this.memory.clients.set(id, client);
    }
    return client;
  }

  /** How many bans of somebody are remembered. */
  levelOf(id: Id, now: number): number {
    return decayed(this.memory.levels.get(this.pseudonym(id)), this.policy.decay, now);
  }

  /** Counts bytes that went to a client. */
  count(client: Client, bytes: Readonly<Bytes>, now: number): void {
    client.total = plus(client.total, bytes);
    for (const window of client.windows) window.add(bytes, now);
  }

  /** What a look at the kernel asks for. */
  look(reading: Reading, now: number): Action[] {
    const actions: Action[] = [];
    this.countAll(reading, now);
    for (const [id, client] of this.memory.clients) {
      for (const window of client.windows) window.expire(now);
      actions.push(...this.bans(id, client, reading, now));
      actions.push(...this.throttle(id, client, reading, now));
      actions.push(...this.quotas(id, client, reading));
    }
    return actions;
  }

  private countAll(reading: Reading, now: number) {
    for (const [id, counted] of reading.count) {
      const isNew = !this.memory.clients.has(id), client = this.client(id);
      // Its quotas have gone: an operator let go of it while nobody looked.
      const letGo = client.base !== null && !reading.own.has(id) &&
        sum(counted) !== sum(client.seen);
      if (letGo) client.base = null;
      // What was counted before anybody looked: all of it was `warm`, to within one packet.
      if (isNew || letGo) {
        const debt = this.debts.get(id);
        this.debts.delete(id);
        if (debt && debt.until > now) this.count(client, [debt.bytes, 0, 0], debt.at);
        this.count(client, [shares(this.policy, splitId(id).scope).watch, 0, 0], now);
      }
      // A counter that went back is another one: its element had expired.
      const back = sum(counted) < sum(client.seen);
      const grown = back ? counted : counted.map((n, i) => n - client.seen[i]) as Bytes;
      if (sum(grown) > 0) this.count(client, grown, now);
      client.seen = counted;
    }
    for (const set of [reading.ban, reading.block, reading.slow]) {
      for (const id of set.keys()) this.client(id);
    }
  }

  private record(did: Did, id: Id, at: number, why: string, by: Source, until?: number) {
    this.records.push({ at, did, id, why, by, ...(until === undefined ? {} : { until }) });
  }

  /** New bans are judged, ended ones written down, and those that the kernel has lost are put back. */
  private bans(id: Id, client: Client, reading: Reading, now: number): Action[] {
    const left = reading.ban.get(id) ?? reading.block.get(id);
    const { ban } = client;
    if (left === undefined) {
      if (!ban) return [];
      // Gone early: by an operator's hand, who means it.
      const early = ban.until - now > 2;
      this.record(
        early ? "unbanned" : "ended",
        id,
        now,
        early ? "by hand" : "its time is over",
        early ? "operator" : ban.by,
      );
      client.ban = undefined;
      if (early) this.memory.levels.delete(this.pseudonym(id));
      return [];
    }
    if (!ban) return this.offend(id, client, this.reason(id, client), "kernel", now);
    // The kernel's first guess, or a restart: as long and as hard as it should be.
    const wrongSet = (ban.step === "ban") !== reading.ban.has(id);
    if (!wrongSet && Math.abs(now + left - ban.until) < 5) return [];
    return [{ do: ban.step, id, seconds: Math.max(1, ban.until - now) }];
  }

  /** Somebody went past a limit: how long and in which way it is refused. Its windows begin anew. */
  offend(id: Id, client: Client, why: string, by: Source, now: number): Action[] {
    const name = this.pseudonym(id);
    const level = decayed(this.memory.levels.get(name), this.policy.decay, now) + 1;
    const { step, seconds } = banOf(this.policy, level), until = now + seconds;
    const bytes = this.counted(client);
    this.clear(client);
    client.ban = { step, since: now, until, why, by, bytes };
    this.memory.levels.set(name, { level, since: until });
    const text = why + (level > 1 ? `; ban number ${level}` : "");
    this.record(step === "ban" ? "banned" : "blocked", id, now, text, by, until);
    return [{ do: step, id, seconds }];
  }

  /** What the fullest window holds. */
  private counted(client: Client): Bytes {
    return client.windows.map((w) => w.total()).reduce((a, b) => sum(b) > sum(a) ? b : a, none());
  }

  /** Which limit was reached, for people. */
  reason(id: Id, client: Client): string {
    const { limit } = kindOf(this.policy, splitId(id).scope);
    const fullest = limit.map((l, i) => ({ ...l, share: sum(client.windows[i].total()) / l.bytes }))
      .reduce((a, b) => b.share > a.share ? b : a);
    return `${formatBytes(fullest.bytes)} within ${formatDuration(fullest.seconds)} are used up`;
  }

  private throttle(id: Id, client: Client, reading: Reading, now: number): Action[] {
    const { throttle, limit } = kindOf(this.policy, splitId(id).scope);
    const slow = reading.slow.has(id);
    if (!throttle || client.ban) return [];
    const most = throttle.percent / 100 * 0.98;
    const over = this.elsewhere(id) > most ||
      limit.some((l, i) => sum(client.windows[i].total()) > l.bytes * most);
    if (slow && client.slowSince === undefined) {
      client.slowSince = now;
      this.record("throttled", id, now, `${throttle.percent} % of a limit`, "kernel");
    } else if (!slow && !over && client.slowSince !== undefined) {
      client.slowSince = undefined;
      this.record("unthrottled", id, now, "below the limit again", "kernel");
    }
    if (!slow || over) return [];
    client.slowSince = undefined;
    this.record("unthrottled", id, now, "below the limit again", "kernel");
    return [{ do: "unslow", id, seconds: 0 }];
  }

  /**
   * What a table that was made anew must be told: bans for the time that remains, and quotas of what is
   * left of the windows.
   */
  restore(now: number): Action[] {
    const actions: Action[] = [];
    for (const [id, client] of this.memory.clients) {
      for (const window of client.windows) window.expire(now);
      client.seen = none();
      client.base = null;
      const { ban } = client;
      if (ban && ban.until > now) actions.push({ do: ban.step, id, seconds: ban.until - now });
      if (!this.policy.sources.includes("kernel") || this.isOver(client) && !ban) continue;
      const { hard, soft } = thresholds(this.policy, id, client), total = sum(client.total);
      client.base = total;
      client.hard = hard - total;
      if (soft !== undefined) client.soft = soft - total;
      actions.push(quotaAction(id, client, soft !== undefined, true), { do: "free", id });
    }
    return actions;
  }

  /** Takes a table up of which nothing is remembered: what it has counted so far is no one's debt. */
  adopt(reading: Reading): void {
    for (const [id, counted] of reading.count) this.client(id).seen = counted;
  }

  /** An operator lets go of somebody, and has written that down: it is as if nothing had been. */
  pardon(id: Id): Action[] {
    const client = this.memory.clients.get(id);
    this.memory.levels.delete(this.pseudonym(id));
    if (client) this.clear(client);
    return [{ do: "unban", id }, { do: "unslow", id, seconds: 0 }];
  }

  /** Lets go of all who were not refused by an operator: they were only reported until now. */
  pardonAll(): void {
    this.memory.levels.clear();
    for (const client of this.memory.clients.values()) {
      if (client.ban && client.ban.by !== "operator") this.clear(client);
    }
  }

  /** An operator refuses somebody, and has written that down. */
  obey(
    id: Id,
    why: string,
    step: Step,
    since: number,
    until: number,
    now: number,
  ): Action[] {
    const client = this.client(id), bytes = this.counted(client);
    this.clear(client);
    client.ban = { step, since, until, why, by: "operator", bytes };
    return [{ do: step, id, seconds: until - now }];
  }

  private clear(client: Client) {
    client.ban = client.slowSince = undefined;
    for (const window of client.windows) window.parts.length = 0;
  }

  /** Keeps its quotas right, and lets go of those of whom nothing is left to know. */
  private quotas(id: Id, client: Client, reading: Reading): Action[] {
    const total = sum(client.total), own = reading.own.get(id);
    if (!this.policy.sources.includes("kernel")) {
      return this.isOver(client) ? this.forget(id, reading) : [];
    }
    if (own === undefined) client.base = null;
    else client.base = Math.min(client.base ?? Infinity, total - own);
    if (this.isOver(client)) return this.forget(id, reading);
    const { hard, soft } = thresholds(this.policy, id, client);
    if (own === undefined) {
      client.hard = hard - total;
      client.soft = soft === undefined ? 0 : Math.max(1, soft - total);
      return [quotaAction(id, client, soft !== undefined, true)];
    }
    const worth = hard > 0 ? worthTelling(this.policy, id) : 0;
    const actions: Action[] = [];
    const wanted = hard - client.base!;
    if (Math.abs(wanted - client.hard) > worth || wanted < client.hard) {
      client.hard = wanted;
      if (soft !== undefined) client.soft = Math.max(1, soft - client.base!);
      actions.push(quotaAction(id, client, soft !== undefined, false));
    }
    // Right for the first time: the common quotas, which only know one window, need not hold it any longer.
    if (!reading.free.has(id)) actions.push({ do: "free", id });
    return actions;
  }

  /** Nothing is left to know of a client. */
  private isOver(client: Client): boolean {
    return !client.ban && client.slowSince === undefined &&
      client.windows.every((w) => w.parts.length === 0);
  }

  private forget(id: Id, reading: Reading): Action[] {
    this.memory.clients.delete(id);
    const known = reading.count.has(id) || reading.own.has(id) || reading.free.has(id);
    return known ? [{ do: "forget", id, protocols: reading.protocols.get(id) ?? [] }] : [];
  }

  /** Forgets levels that have decayed. */
  tidy(now: number): void {
    for (const [id, { until }] of this.debts) if (until <= now) this.debts.delete(id);
    for (const [name, level] of this.memory.levels) {
      if (decayed(level, this.policy.decay, now) === 0) this.memory.levels.delete(name);
    }
  }
}
