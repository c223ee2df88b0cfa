/** One rsync that fetches exactly the files of a list, with its progress passed on. */
import { count } from "../../formats/units.ts";
import type { Log } from "../lib/cli.ts";
import type { Run } from "../lib/run.ts";
import { AttemptError, MovedError } from "./attempt_error.ts";
import {
  describeProgress,
  explainExit,
  newToken,
  patience,
  type Progress,
  readItem,
  readProgress,
  rsync,
  type Source,
} from "./rsync.ts";
import type { RunLog } from "./runlog.ts";

/** On a terminal often enough to look alive; rsync itself says it after every file. */
const TERMINAL_MS = 100;
const MINUTE_MS = 60_000;

/** Says how far a transfer is: at once on a terminal, else a line a minute. */
export class Reporter {
  private last: Progress = { bytes: 0, files: 0, bytesPerSecond: 0 };
  private saidAt: number;

  constructor(
    private readonly log: Log,
    private readonly what: string,
    private readonly total: { bytes: number; files: number },
    private readonly now: () => number = Date.now,
  ) {
    this.saidAt = now();
  }

  /** Takes a line of rsync's output; true if it was about progress. */
  take(line: string): boolean {
    const progress = readProgress(line);
    if (!progress) return false;
    // Within a file rsync leaves the count of files out.
    const files = progress.files < 0 ? this.last.files : progress.files;
    this.last = { ...progress, files };
    if (this.now() - this.saidAt < (this.log.terminal ? TERMINAL_MS : MINUTE_MS)) return true;
    this.saidAt = this.now();
    const text = describeProgress(this.what, this.last, this.total);
    if (this.log.terminal) this.log.progress(text);
    else this.log.info(text);
    return true;
  }
}

/** What a transfer is given. */
export interface Transfer {
  source: Source;
  /** Where to. */
  to: string;
  what: string;
  /** NUL-separated list of `./path`, as a file or as bytes. */
  list: string | Uint8Array;
  total: { bytes: number; files: number };
  run: Run;
  log: Log;
  runLog: RunLog;
  signal?: AbortSignal;
}

/** Fetches the files of the list. Throws {@linkcode MovedError} if some of them are gone by now. */
export async function transfer(t: Transfer): Promise<void> {
  const token = newToken();
  const from = typeof t.list === "string" ? t.list : "-";
  const reporter = new Reporter(t.log, t.what, t.total);
  let arrived = 0;
  const result = await t.run(
    rsync(
      t.source,
      t.to + "/",
      token,
      "--from0",
      `--files-from=${from}`,
      "--info=progress2,flist0",
    ),
    {
      ...patience(t.source),
      input: typeof t.list === "string" ? undefined : t.list,
      signal: t.signal,
      onLine: (line) => {
        const item = readItem(line, token);
        if (item) {
          if (item.kind !== "dir") arrived++;
          t.runLog.write(line.replace(token, ""));
        } else if (!reporter.take(line) && line.trim() !== "") t.runLog.write(line);
      },
    },
  );
  t.runLog.write(
    `${t.what}: ${count(arrived, "item")}, rsync exit ${result.code}\n${result.stderr}`,
  );
  if (result.code === 0) return;
  if (result.code === 24 || result.code === 23 && onlyVanished(result.stderr)) {
    throw new MovedError("files vanished at the upstream during the transfer");
  }
  const { message, retry } = explainExit(result);
  throw new AttemptError(message, { retry });
}

/** True if all that went wrong is that files of the list were not there any more. */
export function onlyVanished(stderr: string): boolean {
  const lines = stderr.split("\n").filter((l) =>
    l.trim() !== "" && !/^rsync error: some files/.test(l)
  );
  return lines.length > 0 &&
    lines.every((l) => /link_stat .* failed: No such file or directory|file has vanished/.test(l));
}
