/** One instance at a time, with flock(2): the kernel lets go of the lock when its owner dies. */
import { dirname } from "@std/path/posix";
import { EXIT, Failure } from "./cli.ts";
import { formatTime } from "../../formats/units.ts";

/** A held lock; `using` lets go of it. */
export class Lock implements Disposable {
  constructor(private readonly file: Deno.FsFile) {}
  [Symbol.dispose]() {
    this.file.close();
  }
}

/**
 * Takes the lock at `path`. Throws a {@linkcode Failure} with exit code 75 that says who holds it since
 * when. The file stays when the lock is let go: removing it would let two owners hold two files.
 */
export async function takeLock(path: string, what: string): Promise<Lock> {
  await Deno.mkdir(dirname(path), { recursive: true });
  const file = await Deno.open(path, { read: true, write: true, create: true });
  try {
    if (!await tryFor(500, () => file.tryLock(true))) {
      const owner = await Deno.readTextFile(path);
      throw new Failure(
        `${what} is at work already: ${owner.trim() || "its owner has not said who it is yet"}.`,
        `Wait for it, or look at it with: ps -fp ${/\d+/.exec(owner)?.[0] ?? "PID"}`,
        EXIT.busy,
      );
    }
    await file.truncate();
    const since = formatTime(Date.now() / 1000);
    await file.write(new TextEncoder().encode(`process ${Deno.pid} since ${since}\n`));
    return new Lock(file);
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * Tries for some time: whoever looks whether a lock is held holds it for a moment, and so does a child
 * process between fork(2) and exec(2), when its parent has just let go of it.
 */
async function tryFor(ms: number, attempt: () => Promise<boolean>): Promise<boolean> {
  for (const end = performance.now() + ms;;) {
    if (await attempt()) return true;
    if (performance.now() >= end) return false;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Whether somebody holds the lock at `path`. Opens it for reading only. One that was held at the first look
 * is looked at again for `sureMs`: for a moment it may have been another looker, or a child before exec(2).
 */
export async function isLocked(path: string, sureMs = 500): Promise<boolean> {
  try {
    using file = await Deno.open(path, { read: true });
    return !await tryFor(sureMs, () => file.tryLock(false));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Waits for the lock at `path`, for critical sections of milliseconds. */
export async function waitForLock(path: string): Promise<Lock> {
  await Deno.mkdir(dirname(path), { recursive: true });
  const file = await Deno.open(path, { read: true, write: true, create: true });
  await file.lock(true);
  return new Lock(file);
}
