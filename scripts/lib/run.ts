/** Running programs: the command is data, its output arrives as lines, and it never outlives us. */

/** A program that can be run. */
export interface Program {
  command: string;
  args: string[];
  cwd?: string;
  env?: Record<string, string>;
}

/** What to do while it runs. */
export interface RunOptions {
  /** Each line of stdout; `\r` ends a line as well, so that progress lines arrive. */
  onLine?: (line: string) => void;
  /** Written to its stdin, which is closed otherwise. */
  input?: Uint8Array;
  /** Sends SIGTERM, and SIGKILL ten seconds later. */
  signal?: AbortSignal;
  /** Ends it in the same way once it and its children have read nothing for so long. */
  stalledAfterSeconds?: number;
}

/** How it ended. */
export interface RunResult {
  code: number;
  /** Name of the signal that ended it. */
  signal: string | null;
  /** The last 16 KiB of stderr. */
  stderr: string;
  /** It was ended because it had read nothing for too long. */
  stalled?: true;
}

/** The signature of {@linkcode run}, so that a test can pass a recorder. */
export type Run = (program: Program, options?: RunOptions) => Promise<RunResult>;

/** What a program ends with that is not there, as in every shell. */
export const NO_PROGRAM = 127;

/**
 * The program under setpriv(1), which has the kernel end it when this process dies, however it dies:
 * a killed syncrepo must not leave an rsync that goes on writing below the next one. Whose parent died before
 * that was said is told by nobody, so it looks, and does not even begin.
 */
export function tied(program: Program): Program {
  const begin = '[ "$PPID" = "$0" ] && exec "$@"';
  const shell = ["/bin/sh", "-c", begin, String(Deno.pid), program.command, ...program.args];
  return { ...program, command: "setpriv", args: ["--pdeathsig", "TERM", "--", ...shell] };
}

/** Runs a program to its end, with `LC_ALL=C` and lines decoded as UTF-8. Throws `NotFound` if it is missing. */
export const run: Run = async (program, options = {}) => {
  const tiedProgram = tied(program);
  const child = new Deno.Command(tiedProgram.command, {
    args: tiedProgram.args,
    cwd: program.cwd,
    env: { LC_ALL: "C", ...program.env },
    stdin: options.input ? "piped" : "null",
    stdout: "piped",
    stderr: "piped",
    // A process group of its own, so that what it leaves behind can be found and ended.
    detached: true,
  }).spawn();
  let killer: ReturnType<typeof setTimeout> | undefined;
  const kill = (signal: Deno.Signal) => {
    try {
      child.kill(signal);
    } catch { /* it has ended already */ }
  };
  const stop = () => {
    kill("SIGTERM");
    killer = setTimeout(() => kill("SIGKILL"), 10_000);
  };
  if (options.signal?.aborted) stop();
  options.signal?.addEventListener("abort", stop);
  let stderr = "", stalled = false;
  const watch = watchReads(child.pid, options.stalledAfterSeconds, () => {
    stalled = true;
    stop();
  });
  try {
    const outputs = Promise.all([
      eachLine(child.stdout, options.onLine ?? (() => {})),
      eachLine(child.stderr, (line) => stderr = (stderr + line + "\n").slice(-16384)),
      options.input ? feed(child.stdin, options.input) : undefined,
    ]);
    const status = await child.status;
    await endOrphans(child.pid, outputs);
    return { code: status.code, signal: status.signal, stderr, ...(stalled ? { stalled } : {}) };
  } finally {
    clearInterval(watch);
    clearTimeout(killer);
    options.signal?.removeEventListener("abort", stop);
  }
};

/**
 * Waits for the outputs of a program that has ended. Its children hold them open when it was killed: an
 * rsync receiver whose generator is dead waits for ever, and may still write. They are ended.
 */
async function endOrphans(group: number, outputs: Promise<unknown>) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => timer = setTimeout(resolve, 1000, "late"));
  if (await Promise.race([outputs, late]) === "late") {
    // Deno.kill needs the permission to run anything.
    await new Deno.Command("sh", { args: ["-c", `kill -s KILL -- -${group}`], stderr: "null" })
      .output();
  }
  clearTimeout(timer);
  await outputs;
}

/** Prints the bytes that a process and all its children have read so far: proc(5), `io` and `children`. */
const READS = `while [ $# -gt 0 ]; do
  p=$1; shift; set -- "$@" $(cat /proc/$p/task/$p/children); grep rchar /proc/$p/io
done 2>/dev/null`;

/**
 * Calls `onStall` once a process tree has read nothing for `seconds`. rsync's own --timeout does not
 * notice an upstream that is silent while its side of the connection still takes keep-alives: measured
 * with a timeout of 2 s, it gave up after 20 to 130 s. A shell looks, as Deno opens /proc only with all
 * permissions; it looks four times in the time allowed.
 */
function watchReads(pid: number, seconds: number | undefined, onStall: () => void) {
  if (seconds === undefined) return undefined;
  let last = "", same = 0, looking = false;
  return setInterval(async () => {
    if (looking) return;
    looking = true;
    const { stdout } = await new Deno.Command("sh", { args: ["-c", READS, "sh", `${pid}`] })
      .output();
    const now = new TextDecoder().decode(stdout);
    same = now !== "" && now === last ? same + 1 : 0;
    last = now;
    looking = false;
    if (same === 4) onStall();
  }, seconds * 250);
}

async function feed(stdin: WritableStream<Uint8Array<ArrayBuffer>>, input: Uint8Array) {
  const writer = stdin.getWriter();
  try {
    await writer.write(input as Uint8Array<ArrayBuffer>);
    await writer.close();
  } catch { /* it ended without reading everything; its exit code tells */ }
}

/** Calls `onLine` for each line of a stream, ended by `\n`, `\r`, or the stream's end. */
export async function eachLine(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void) {
  let rest = "";
  for await (
    const text of stream.pipeThrough(new TextDecoderStream() as never) as never as AsyncIterable<
      string
    >
  ) {
    const lines = (rest + text).split(/[\r\n]/);
    rest = lines.pop()!;
    for (const line of lines) onLine(line);
  }
  if (rest !== "") onLine(rest);
}
