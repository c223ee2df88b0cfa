/** What a run did, line by line, in `state/log/<repo>.<time>.log`; the last twenty runs are kept. */
import { join } from "@std/path/posix";

const KEPT = 20;

/** The log of one run. */
export class RunLog implements Disposable {
  private constructor(private readonly file: Deno.FsFile, readonly path: string) {}

  /** Starts a log and removes the oldest ones. `at` is the start of the run. */
  static async start(dir: string, repo: string, at: Date): Promise<RunLog> {
    await Deno.mkdir(dir, { recursive: true });
    const stamp = at.toISOString().replace(/[-:]/g, "").replace(/\.\d+/, "");
    const path = join(dir, `${repo}.${stamp}.log`);
    const file = await Deno.open(path, { append: true, create: true });
    const mine = new RegExp(`^${repo}\\.\\d{8}T\\d{6}Z\\.log$`);
    const names = [];
    for await (const { name } of Deno.readDir(dir)) if (mine.test(name)) names.push(name);
    for (const old of names.sort().slice(0, -KEPT)) await Deno.remove(join(dir, old));
    return new RunLog(file, path);
  }

  /** Adds a line. A full disk costs the log, not the sync. */
  write(line: string) {
    try {
      this.file.writeSync(new TextEncoder().encode(line + "\n"));
    } catch { /* said where it matters: in the status and on stderr */ }
  }

  [Symbol.dispose]() {
    this.file.close();
  }
}
