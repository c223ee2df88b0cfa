#!/usr/bin/env -S deno run -A
/**
 * The whole node in one service: every repository's sync on its schedule, the listings after it, and the
 * embedded server. Each job is a child process with its own permissions; none outlives this one.
 *
 *     deno task start
 */
import { join } from "@std/path/posix";
import { Cron } from "croner";
import type { RepoStatus } from "../formats/status.ts";
import { formatDuration, formatTime } from "../formats/units.ts";
import { command, type CommandSpec, EXIT, type Log } from "./lib/cli.ts";
import { type Child, startChild } from "./lib/children.ts";
import { type Config, loadConfig, type Repo } from "./lib/config.ts";
import { takeLock } from "./lib/lock.ts";
import { checkSchedules, fixMinute } from "./lib/schedule.ts";
import { exists } from "./lib/files.ts";
import { loadStatus, openStorage, repoFiles } from "./lib/storage.ts";
import { profiles } from "./profiles/mod.ts";

const SPEC: CommandSpec = {
  name: "scheduler",
  summary: "run the whole node: syncs on their schedules, listings, and the embedded server",
  operands: "",
  options: { "no-server": { help: "without the embedded server (nginx serves the storage)" } },
  examples: [["deno task start", "until SIGINT or SIGTERM"]],
};

/** A server that ended is started again after this long. */
const RESTART_SECONDS = 5;

/** What runs children; a test passes its own. */
export type Start = typeof startChild;

/** A node at work. */
export class Node {
  private readonly crons: Cron[] = [];
  private readonly children = new Set<Child>();
  private readonly jobs = new Set<Promise<void>>();
  private stopping = false;
  private readonly wakeUps = new Set<() => void>();

  constructor(
    private readonly config: Config,
    private readonly log: Log,
    /** `--config` and `--data` for the children. */
    private readonly where: string[],
    private readonly start: Start = startChild,
  ) {}

  /** Starts every job. What was due while the node was down, and what was never complete, runs at once. */
  async begin(now = Date.now() / 1000): Promise<void> {
    for (const repo of this.config.repos) {
      const pattern = schedule(this.config, repo);
      // A run that is still going when the next is due is left to finish; the next one is skipped.
      const cron = new Cron(pattern, {
        name: repo.name,
        protect: () =>
          this.log.warn(`${repo.name}: the run before is still going; this one is skipped`),
      }, () => this.track(this.sync(repo)));
      this.crons.push(cron);
      const files = repoFiles(this.config.data, repo);
      const next = cron.nextRun();
      this.log.info(
        `${repo.name}: ${pattern}, next ${next ? formatTime(next.getTime() / 1000) : "never"}`,
      );
      if (isDue(await loadStatus(files), await exists(files.ready), now)) void cron.trigger();
      else void this.track(this.index(repo));
    }
  }

  /** Keeps the embedded server up. */
  serve(): void {
    this.keepUp("The server", "server/main.ts");
  }

  /**
   * Keeps this node's statistics going: the hub if it has one, the spoke if there is one to tell, and the
   * count of the servers' logs where there are any.
   */
  measure(): void {
    const { hub, send_to, logs } = this.config.statcat;
    this.crons.push(
      new Cron("* * * * *", { name: "statcat logs", protect: true }, async () => {
        const there = await Promise.all(Object.values(logs).map(exists));
        if (there.some(Boolean)) await this.track(this.countLogs());
      }),
    );
    if (hub) this.keepUp("The statistics hub", "scripts/statcat.ts", "hub");
    if (hub || send_to.length) this.keepUp("The statistics spoke", "scripts/statcat.ts", "spoke");
  }

  /** Looks after the nodes of the mirror's name, if mirror.toml has some. */
  watch(): void {
    if (this.config.healthz) this.keepUp("healthz", "scripts/healthz.ts", "run");
  }

  /** Runs a command that is not to end; one that does is started again. */
  private keepUp(what: string, script: Parameters<Start>[0], ...args: string[]): void {
    void this.track((async () => {
      while (!this.stopping) {
        const { code } = await this.run(script, args);
        if (this.stopping) return;
        this.log.error(`${what} ended with code ${code}; it starts again in ${RESTART_SECONDS} s.`);
        await this.pause(RESTART_SECONDS);
      }
    })());
  }

  private pause(seconds: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.wakeUps.delete(done);
        resolve();
      };
      const timer = setTimeout(done, seconds * 1000);
      this.wakeUps.add(done);
    });
  }

  /** Stops: no new runs, children end (a sync keeps what it has), and everything is waited for. */
  async stop(): Promise<void> {
    this.stopping = true;
    for (const cron of this.crons) cron.stop();
    for (const wakeUp of this.wakeUps) wakeUp();
    await Promise.all([...this.children].map((child) => child.stop()));
    await Promise.all(this.jobs);
  }

  private async sync(repo: Repo) {
    if (this.stopping) return;
    const { code } = await this.run("scripts/syncrepo.ts", [repo.name, "--json"]);
    if (code === EXIT.busy) this.log.warn(`${repo.name}: a sync was at work already`);
    // Also after a failure: part of it may have arrived.
    await this.index(repo);
  }

  private async countLogs() {
    if (!this.stopping) await this.run("scripts/statcat.ts", ["logs"]);
  }

  private async index(repo: Repo) {
    const files = repoFiles(this.config.data, repo);
    const waiting = await exists(files.changes) || await exists(files.changes + ".taken");
    const first = await exists(files.static) && !await exists(`${files.indexes}/index.json`);
    if (this.stopping || !waiting && !first) return;
    await this.run("scripts/indexer.ts", [repo.name]);
  }

  private async run(script: Parameters<Start>[0], args: string[]) {
    const child = this.start(script, [...args, ...this.where]);
    this.children.add(child);
    try {
      return await child.ended;
    } finally {
      this.children.delete(child);
    }
  }

  private track(job: Promise<void>): Promise<void> {
    const tracked = job.catch((error) => this.log.error(String(error?.stack ?? error))).finally(
      () => this.jobs.delete(tracked),
    );
    this.jobs.add(tracked);
    return tracked;
  }
}

/** The pattern of a repository, its minute fixed. */
export function schedule(config: Config, repo: Repo): string {
  return fixMinute(repo.schedule ?? profiles[repo.profile].schedule, config.site.name, repo.name);
}

/** Whether a repository is to be synced as soon as the node starts. Pure. */
export function isDue(status: RepoStatus | undefined, ready: boolean, now: number): boolean {
  if (!ready || !status || status.outcome === "running") return true;
  return status.nextRun !== null && status.nextRun <= now;
}

/** The command; gives its exit code. */
export function main(args: string[]): Promise<number> {
  return command(SPEC, args, async ({ values, switches, log }) => {
    const config = await loadConfig({ values });
    checkSchedules(config);
    await openStorage(config.data);
    using _lock = await takeLock(join(config.data, "state/scheduler.lock"), "A scheduler");
    const where = [`--config=${config.file}`, `--data=${config.data}`];
    const node = new Node(config, log, where);
    if (!switches.has("no-server")) node.serve();
    node.measure();
    node.watch();
    await node.begin();
    const signal = await new Promise<string>((resolve) => {
      for (const name of ["SIGTERM", "SIGINT"] as const) {
        Deno.addSignalListener(name, () => resolve(name));
      }
    });
    const started = Date.now();
    log.info(`Stopping (${signal}) …`);
    await node.stop();
    log.detail(`Stopped after ${formatDuration((Date.now() - started) / 1000)}.`);
    return EXIT.done;
  });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
