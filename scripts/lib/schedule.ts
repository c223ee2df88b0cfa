/** When a job runs: cron patterns, and the stable minute where a pattern leaves it open. */
import { Cron } from "croner";
import { UsageError } from "./cli.ts";
import type { Config } from "./config.ts";

/** A number from 0 to 59 that stays the same for a text: FNV-1a, spread enough for minutes. */
export function stableMinute(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return hash % 60;
}

/**
 * A pattern with `~` as its minute replaced by a minute of this host and job, so that the mirrors of the
 * world don't all ask at full hour.
 */
export function fixMinute(pattern: string, host: string, job: string): string {
  return pattern.replace(/^~/, String(stableMinute(`${host}/${job}`)));
}

/** The next time (epoch seconds) after `now`, or `null` where a pattern never comes again. */
export function nextRun(pattern: string, now: Date): number | null {
  const next = new Cron(pattern, { paused: true }).nextRun(now);
  return next ? Math.floor(next.getTime() / 1000) : null;
}

/** Throws {@linkcode UsageError} where a pattern is one that croner does not take. */
export function checkPattern(file: string, pattern: string, of: string, hint: string): void {
  try {
    new Cron(pattern, { paused: true });
  } catch (error) {
    throw new UsageError(
      `${file}: schedule = ${JSON.stringify(pattern)} of ${of} is not allowed; ` +
        `${(error as Error).message}`,
      hint,
    );
  }
}

/** Throws {@linkcode UsageError} where a repository's schedule is not one. */
export function checkSchedules({ file, repos }: Pick<Config, "file" | "repos">): void {
  for (const { name, schedule } of repos) {
    if (schedule === undefined) continue;
    checkPattern(
      file,
      fixMinute(schedule, "", ""),
      name,
      'Allowed is a cron pattern of five fields such as "17 * * * *"; ~ as the minute picks one.',
    );
  }
}
