/** What `bwlimit run` does at each look: reads, asks the engine, tells the kernel, writes down. */
import { count } from "../../formats/units.ts";
import type { BwlimitStatus } from "../../formats/bwlimit.ts";
import type { Log } from "../lib/cli.ts";
import type { Config } from "../lib/config.ts";
import { writeWhole } from "../lib/files.ts";
import type { Bwlimit } from "../lib/limits.ts";
import { pause } from "../lib/pause.ts";
import { type Run, run as runProgram } from "../lib/run.ts";
import {
  familyOf,
  type Id,
  idOf,
  kindOf,
  type Network,
  parseAddress,
  scopesOf,
  showId,
  splitId,
} from "./address.ts";
import { AllowList, type Resolve } from "./allow.ts";
import { type Collector } from "./collector.ts";
import { Comparison } from "./comparison.ts";
import { commandsOf } from "./commands.ts";
import { Engine } from "./engine.ts";
import type { Action, Reading, Record } from "./model.ts";
import { Distant, TURN_SECONDS } from "./distant.ts";
import { hangUp } from "./hangup.ts";
import {
  audit,
  type Files,
  filesIn,
  loadMemory,
  loadOrders,
  nothingSaved,
  openFolder,
  type Orders,
  pseudonyms,
  type Saved,
  saveMemory,
  tidyAudit,
} from "./memory.ts";
import { takeIn } from "./orders.ts";
import type { Refusal } from "./page.ts";
import { TABLE } from "./nfttext.ts";
import { Kernel } from "./kernel.ts";
import { apply, transactions } from "./nft.ts";
import { totalOf } from "./reading.ts";
import { type Bytes, plus, sum } from "./rolling.ts";
import { markOf, policyOf, portsOf } from "./settings.ts";
import { shares } from "./shares.ts";
import { allowCommands, renderTable } from "./table.ts";

/** What a guard uses; all has a default. */
export interface GuardOptions {
  log: Log;
  /** Epoch seconds. */
  now?: () => number;
  run?: Run;
  resolve?: Resolve;
}

/** Memory is saved at least so often; a power failure loses no more of the accounting. */
const SAVE_SECONDS = 30;
/** … and where there is somebody new, so that `explain` knows. */
const NEWS_SECONDS = 5;
const STATUS_SECONDS = 2;

/** What is never done to those on the allow-list. */
const HARSH: Action["do"][] = ["slow", "ban", "block"];

/** The node's line, guarded. */
export class Guard {
  readonly policy: Bwlimit;
  readonly files: Files;
  readonly scopes;
  engine!: Engine;
  saved!: Saved;
  /** For the status. */
  answers = 0;
  collector?: Collector;
  private readonly comparison: Comparison;
  readonly alarms = new Map<string, string>();
  private readonly kernel: Kernel;
  private allow!: AllowList;
  /** The kernel does not know of the last change yet. */
  private allowUntold = false;
  private renewing?: Promise<void>;
  private orders: Orders = { bans: [], unbans: [], allows: [] };
  private reading?: Reading;
  private missed = 0;
  private looking?: Promise<void>;
  private lookedAt = -Infinity;
  private lookSeconds = 0;
  private savedAt = 0;
  /** Somebody came or went since it was saved. */
  private news = false;
  private statusAt = 0;
  private resolvedAt = 0;
  private readonly distant: Distant;
  private readonly run: Run;
  private readonly log: Log;
  readonly now: () => number;

  constructor(readonly config: Config, private readonly options: GuardOptions) {
    this.policy = policyOf(config);
    this.files = filesIn(config.data);
    this.scopes = scopesOf(this.policy);
    const shortest = this.scopes.map((s) => shares(this.policy, s).shortest);
    this.comparison = new Comparison(Math.min(...shortest));
    this.kernel = new Kernel(markOf(config), this.scopes);
    this.distant = new Distant(this.files, this.policy);
    this.run = options.run ?? runProgram;
    this.now = options.now ?? (() => Date.now() / 1000);
    this.log = options.log;
  }

  /** Takes up what was left: the kernel's table where it is ours, else what was saved. */
  async begin(): Promise<void> {
    await openFolder(this.files);
    const saved = await loadMemory(this.files);
    this.saved = saved ?? nothingSaved();
    this.engine = new Engine(this.policy, this.saved, await pseudonyms(this.files));
    this.orders = await loadOrders(this.files, this.now());
    this.allow = new AllowList({
      entries: () => [...this.policy.allow, ...this.orders.allows.map((a) => a.network)],
      resolved: this.saved.resolved,
      resolve: this.options.resolve,
      warn: (text) => this.log.warn(text),
    });
    await this.allow.lookUp();
    this.allow.refresh();
    this.alarm("names", this.allow.alarm);
    this.resolvedAt = this.now();
    const made = await this.kernel.made();
    if (made !== undefined) this.distant.use(made);
    await this.distant.tidy(this.now());
    if (await this.kernel.isOurs()) {
      if (!saved) this.engine.adopt(await this.kernel.read());
      this.log.info("The table inet mirrorkit is there and stays as it is.");
      return await apply(allowCommands(this.allow.networks).join("\n"), this.run);
    }
    if (saved && saved.mode !== this.policy.mode) this.engine.pardonAll();
    // Another configuration's table: what it counted to the end is not lost.
    else if (saved) {
      await this.kernel.read().then((r) => this.engine.look(r, this.now())).catch(() => {});
    }
    await this.saveDistant(() => this.distant.save());
    await this.rebuild();
  }

  /** Makes the table anew, with what is remembered in it. */
  private async rebuild(): Promise<void> {
    const { policy } = this, { http, https } = portsOf(this.config, policy);
    const [made] = crypto.getRandomValues(new Uint32Array(1)), now = this.now();
    const mark = markOf(this.config);
    const table = renderTable({ policy, http, https, allow: this.allow.networks, mark, made });
    const groups = this.engine.restore(now).map(commandsOf);
    this.engine.debts = await this.distant.replace(made, async () => {
      for (const text of transactions([[table], ...groups])) await apply(text, this.run);
    }, now);
    for (const id of this.saved.clients.keys()) this.engine.debts.delete(id);
    this.saved.seenTotal = [0, 0, 0];
    this.log.info(
      `The table inet mirrorkit is made; ${count(this.saved.clients.size, "client")} remembered.`,
    );
  }

  /** One look; who asks for another one while it lasts gets the same. */
  look(): Promise<void> {
    return this.looking ??= this.lookOnce().finally(() => this.looking = undefined);
  }

  /** Why an address is refused. The kernel may know it before the next look does. */
  async refused(address: string): Promise<Refusal | undefined> {
    const parsed = parseAddress(address);
    if (!parsed) return undefined;
    const find = () => {
      const ids = this.scopes.filter((s) => s.family === familyOf(parsed)).map((s) =>
        idOf(s, parsed)
      );
      return ids.find((id) => this.saved.clients.get(id)?.ban);
    };
    if (!find()) {
      // A look that began before the kernel refused it does not help; nor may strangers ask for many.
      const since = performance.now() - this.lookedAt;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, 30 - since)));
      await this.look();
    }
    const id = find();
    if (!id) return undefined;
    const { bytes: [tcp, udp, other], why, until } = this.saved.clients.get(id)!.ban!;
    const limits = kindOf(this.policy, splitId(id).scope).limit;
    return { who: showId(id), why, until, limits, counted: { tcp, udp, other } };
  }

  private async lookOnce(): Promise<void> {
    const started = performance.now(), now = this.now();
    if (!await this.kernel.isOurs()) {
      this.log.warn("The table inet mirrorkit has gone or is another one; it is made again.");
      await this.rebuild();
    }
    if (now - this.resolvedAt >= this.policy.resolve_every) {
      this.renewing ??= this.renewNames().finally(() => this.renewing = undefined);
    }
    const reading = this.reading = await this.kernel.read();
    await this.obey(reading, now);
    const actions = this.engine.look(reading, now);
    await this.act([...actions, ...(this.collector?.flows.judge(this.engine, now) ?? [])]);
    await this.countTotals();
    this.compare(now);
    const records = this.engine.records.splice(0);
    await this.writeDown(records);
    this.lookedAt = performance.now();
    this.lookSeconds = (this.lookedAt - started) / 1000;
    this.news ||= actions.some((a) => a.do === "forget" || a.do === "free");
    const pause = records.length ? 0 : this.news ? NEWS_SECONDS : SAVE_SECONDS;
    if (now - this.savedAt >= pause) await this.save(now);
    if (records.length || now - this.statusAt >= STATUS_SECONDS) await this.writeStatus(now);
  }

  /** Tells the kernel. What fails is asked for again at the next look, as long as it is needed. */
  async act(actions: Action[]): Promise<void> {
    const allowed = (id: Id) => this.isAllowed(parseAddress(splitId(id).key)!);
    const wanted = actions.filter((a) => !HARSH.includes(a.do) || !allowed(a.id));
    for (const text of transactions(wanted.map(commandsOf))) await apply(text, this.run);
    if (this.policy.mode !== "enforce") return;
    for (const action of wanted) {
      if (action.do === "ban" || action.do === "block") {
        await hangUp(action.id, this.policy, this.run, this.log);
      }
    }
  }

  private async writeDown(records: Record[]): Promise<void> {
    for (const { did, why, id, by } of records) {
      this.saved.actions[did] = (this.saved.actions[did] ?? 0) + 1;
      // No address where everybody reads: the audit log has it.
      this.log.info(
        `${this.policy.mode === "report" ? "would have " : ""}${did} a ${
          splitId(id).scope.kind
        } (${by}): ${why}`,
      );
    }
    await audit(this.files, records.map((r) => ({ ...r, who: showId(r.id) })), this.policy.mode);
  }

  /**
   * Takes in what operators have asked for since. They write their order before they tell the kernel, so
   * orders are read after the kernel: what was found there and they asked for is no surprise.
   */
  private async obey(reading: Reading, now: number): Promise<void> {
    const orders = await loadOrders(this.files, now);
    const before = JSON.stringify(this.orders.allows);
    const actions = takeIn(this.engine, orders, this.saved.obeyedAt, reading, now);
    for (const { at } of [...orders.bans, ...orders.unbans]) {
      this.saved.obeyedAt = Math.max(this.saved.obeyedAt, at);
    }
    await this.act(actions);
    this.orders = orders;
    if (JSON.stringify(orders.allows) !== before) await this.applyAllow();
  }

  /** Looks the allow-list's names up again; looks go on meanwhile. */
  private async renewNames(): Promise<void> {
    this.resolvedAt = this.now();
    await this.allow.lookUp();
    this.alarm("names", this.allow.alarm);
    await this.applyAllow().catch((error) => this.log.warn(`allow: ${error.message}`));
  }

  private async applyAllow(): Promise<void> {
    this.allowUntold = this.allow.refresh() || this.allowUntold;
    if (!this.allowUntold) return;
    await apply(allowCommands(this.allow.networks).join("\n"), this.run);
    this.allowUntold = false;
    // Operators' commands go by what is saved of the names: the next look saves.
    this.savedAt = 0;
  }

  /** True for who is never touched. */
  isAllowed(address: Network["address"]): boolean {
    return this.allow.has(address);
  }

  /** Has flows judged as well. */
  use(collector: Collector): void {
    this.collector = collector;
    this.engine.elsewhere = (id) => collector.flows.share(id);
  }

  private async countTotals(): Promise<void> {
    const counted = totalOf(await this.kernel.list("total"));
    const back = sum(counted) < sum(this.saved.seenTotal);
    const grown = back ? counted : counted.map((n, i) => n - this.saved.seenTotal[i]) as Bytes;
    this.saved.bytes = plus(this.saved.bytes, grown);
    this.saved.seenTotal = counted;
    this.missed = sum(totalOf(await this.kernel.list("missed")));
    if (this.missed > 0) {
      this.alarm(
        "full",
        `The kernel counts about ${this.policy.destinations} destinations of a kind and no more; traffic to others is not limited. Raise destinations in [bwlimit].`,
      );
    }
  }

  /** Both sources count the same packets; where they do not, one of them is wrong. */
  private compare(now: number): void {
    const flows = this.collector?.flows;
    if (!flows) return;
    this.alarm(
      "flows",
      flows.full
        ? "More destinations stand in flows than are counted. Raise destinations in [bwlimit]."
        : undefined,
    );
    if (!this.policy.sources.includes("kernel")) return;
    if (!this.comparison.look(sum(this.saved.bytes), sum(flows.total), now)) return;
    this.alarm("difference", this.comparison.alarm);
  }

  /** Writes down those who are not watched, slice by slice, until `signal`. */
  async saveOn(signal: AbortSignal): Promise<void> {
    const turnMs = TURN_SECONDS * 1000;
    for (let due = performance.now(); !signal.aborted;) {
      await this.saveDistant(() => this.distant.turn(this.now()));
      // A turn that came late is no reason for the next one to.
      due = Math.max(due + turnMs, performance.now() - turnMs);
      await pause((due - performance.now()) / 1000, signal);
    }
  }

  private async saveDistant(body: () => Promise<void>): Promise<void> {
    let failed: string | undefined;
    await body().catch((error: Error) =>
      failed = "It cannot be written down who is far from a limit; a reboot would lose that: " +
        error.message
    );
    this.alarm("writing", failed);
    const most = this.policy.destinations, { counted } = this.distant;
    const text =
      `${counted} of ${most} destinations of a kind are in use: past that nobody new is ` +
      "limited. Raise destinations in [bwlimit].";
    this.alarm("filling", counted !== null && counted > most * 0.9 ? text : undefined);
  }

  /** Something that an operator should look at; said once. */
  alarm(name: string, text: string | undefined): void {
    if (text === undefined) return void this.alarms.delete(name);
    if (!this.alarms.has(name)) this.log.warn(`alarm: ${text}`);
    this.alarms.set(name, text);
  }

  async save(now = this.now()): Promise<void> {
    this.engine.tidy(now);
    this.saved.savedAt = this.savedAt = now;
    this.saved.mode = this.policy.mode;
    this.news = false;
    await saveMemory(this.files, this.saved);
    const longest = Math.max(
      ...this.scopes.flatMap((s) => this.policy[s.kind]!.limit.map((l) => l.seconds)),
    );
    await tidyAudit(this.files, longest + Math.max(...this.policy.bans), now);
  }

  status(now: number): BwlimitStatus {
    const [tcp, udp, other] = this.saved.bytes, reading = this.reading;
    return {
      v: 1,
      time: Math.floor(now),
      mode: this.policy.mode,
      pollSeconds: this.policy.poll,
      lookSeconds: this.lookSeconds,
      watched: this.saved.clients.size,
      slowed: reading?.slow.size ?? 0,
      banned: reading?.ban.size ?? 0,
      blocked: reading?.block.size ?? 0,
      allowed: this.allow.networks.length,
      actions: this.saved.actions,
      bytes: { tcp, udp, other },
      destinations: { counted: this.distant.counted, most: this.policy.destinations },
      uncounted: this.missed,
      collector: this.collector?.status() ?? null,
      difference: this.comparison.difference,
      answers: this.answers,
      alarms: [...this.alarms.values()],
    };
  }

  private async writeStatus(now: number): Promise<void> {
    this.statusAt = now;
    await writeWhole(this.files.status, JSON.stringify(this.status(now)) + "\n");
  }

  /** Stops: everything is saved; the kernel goes on as configured. */
  async end(): Promise<void> {
    try {
      await this.look();
      await this.save();
      await this.saveDistant(() => this.distant.save());
      if (this.policy.on_stop === "flush") await flush(this.run);
    } finally {
      await this.kernel[Symbol.asyncDispose]();
    }
  }
}

/** Takes our table away; nobody is refused or counted any longer. */
export async function flush(run: Run = runProgram): Promise<void> {
  await apply(`table ${TABLE}\ndelete table ${TABLE}\n`, run);
}
