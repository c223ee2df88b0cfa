/** Speaks with nft(8): text in, JSON out, and errors as messages that say what to do. */
import { Failure } from "../lib/cli.ts";
import { NO_PROGRAM, type Run, run as runProgram, tied } from "../lib/run.ts";

/**
 * The permission to speak with the kernel's netlink comes from the namespace's owner; what is sent at once
 * must fit into its buffer, which only root can enlarge (EMSGSIZE with 212,992 bytes and 2,000 elements).
 */
const AT_ONCE = 60_000;

/** Listing 100,000 elements takes 2 s, a slice of them 50 ms. */
const ANSWER_MS = 60_000;

const MISSING =
  // The line that nft shows is about an element or a set of ours.
  /No such file or directory[^\n]*\n\s*(?:list|delete|flush|add element|add quota)/i;

/** True where nft complains that the table, or a part of it, is not there. */
export const isMissing = (stderr: string) => MISSING.test(stderr);

/** What nft complains about, and what to do about it. */
const COMPLAINTS: [pattern: RegExp, message: string, hint: string][] = [
  [
    /Operation not permitted|cache initialization failed|you must be root/i,
    "nft may not touch the firewall: permission denied",
    "Run as root, or with CAP_NET_ADMIN as the unit mirrorkit-bwlimit does. To try it out: unshare -Urn",
  ],
  [
    /Protocol not supported|Unable to initialize Netlink socket/i,
    "This kernel has no nf_tables",
    "Load it with: modprobe nf_tables; or boot a kernel that has it (5.10 or newer).",
  ],
  [
    MISSING,
    "The table inet mirrorkit, or a part of it, is not there",
    "Make it with: deno task bwlimit run",
  ],
  [
    // The line is a rule or a chain: its expression has no code in the kernel.
    /Operation not supported|No such file or directory/i,
    "This kernel lacks a feature of nf_tables that bwlimit needs",
    "Load what is there: modprobe -a nft_quota nft_limit nft_ct nft_nat nft_redir nft_reject_inet " +
    "nft_fib_inet nft_objref; a kernel from 5.10 on with those as modules or built in has all of it.",
  ],
  [
    /Too many open files in system|File table overflow/i,
    "A set of the table inet mirrorkit is full",
    "Raise destinations in [bwlimit] and start bwlimit again; see what fills it with: bwlimit list",
  ],
  [
    /Cannot allocate memory|No buffer space/i,
    "The kernel has no memory left for the table inet mirrorkit",
    "Lower destinations in [bwlimit]: each takes some hundred bytes.",
  ],
  [
    /Message too long/i,
    "What nft sends at once does not fit into the socket's buffer",
    "Run as root outside of a user namespace, or raise it with: sysctl net.core.wmem_max=4194304",
  ],
];

/** What a failure of nft means. */
export function explainNft(stderr: string): Failure {
  const said = stderr.trim().split("\n").slice(0, 3).join("\n").slice(0, 500);
  for (const [pattern, message, hint] of COMPLAINTS) {
    if (pattern.test(stderr)) return new Failure(`${message}. nft says: ${said}`, hint);
  }
  return new Failure(
    `nft refuses: ${said || "no reason given"}`,
    "Is it 1.0.6 or newer? nft --version",
  );
}

const missing = () =>
  new Failure(
    "nft is not installed.",
    "Install it with: deno task setup --for mirror (Debian: nftables)",
  );

/** Applies text as one transaction. Throws {@linkcode Failure}. */
export async function apply(text: string, run: Run = runProgram): Promise<void> {
  const result = await run({ command: "nft", args: ["-f", "-"] }, {
    input: new TextEncoder().encode(text),
  });
  if (result.code === 0) return;
  throw result.code === NO_PROGRAM ? missing() : explainNft(result.stderr);
}

/** Groups of commands in as few transactions as fit; a group is never split. */
export function transactions(groups: string[][], atOnce = AT_ONCE): string[] {
  const texts: string[] = [];
  let text = "";
  for (const group of groups) {
    const more = group.join("\n") + "\n";
    if (text && text.length + more.length > atOnce) {
      texts.push(text);
      text = "";
    }
    text += more;
  }
  return text ? [...texts, text] : texts;
}

/** An element of a set as nft lists it. */
export interface Element {
  val: string | number | { concat: string[] } | { prefix: { addr: string; len: number } } | {
    range: string[];
  };
  expires?: number;
  counter?: { packets: number; bytes: number };
}

interface Listing {
  nftables: { set?: { elem?: (Element["val"] | { elem: Element })[]; size?: number } }[];
}

/** The elements in nft's JSON of a set; those without anything beside stand there bare. */
export function elementsOf(json: string): Element[] {
  const { nftables } = JSON.parse(json) as Listing;
  const found = nftables.find((entry) => entry.set)?.set?.elem ?? [];
  return found.map((e) => typeof e === "object" && "elem" in e ? e.elem : { val: e });
}

/**
 * An nft that stays, and lists sets when asked. Starting one takes 4 ms of CPU, asking one 0.1 ms. Only
 * `list set` is asked of it: everything else (`list table`, `get element`, `list quotas`) makes nft 1.0.6
 * fetch all elements of all sets first, which takes 2 s where there are 100,000.
 */
export class Session implements AsyncDisposable {
  private readonly child: Deno.ChildProcess;
  private readonly stdin: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  private readonly waiting: { resolve(line: string): void; reject(error: Error): void }[] = [];
  private ended = false;

  constructor() {
    const { command, args } = tied({ command: "nft", args: ["-j", "-i"] });
    // HOME: an interactive nft writes what it was asked into a history.
    const env = { LC_ALL: "C", HOME: "/dev/null" };
    this.child = new Deno.Command(command, {
      args,
      env,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    })
      .spawn();
    this.stdin = this.child.stdin.getWriter() as never;
    void this.read(this.child.stdout, (line) => this.waiting.shift()?.resolve(line));
    let complaint = "";
    const said = this.read(this.child.stderr, (line) => {
      complaint += line + "\n";
      // Three lines: what, where, and what points to it. No answer comes, so who waits is told.
      if (!/^Error|failed/.test(line)) return;
      setTimeout(() => {
        this.waiting.shift()?.reject(explainNft(complaint));
        complaint = "";
      }, 20);
    });
    void Promise.all([this.child.status, said]).then(([{ code }]) => {
      this.ended = true;
      const why = code === NO_PROGRAM ? missing() : explainNft(complaint || "it has ended");
      for (const one of this.waiting.splice(0)) one.reject(why);
    });
  }

  private async read(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void) {
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      // A line may be long: only what has come is searched for its end.
      const [end, ...lines] = decoder.decode(chunk, { stream: true }).split("\n");
      rest += end;
      for (const next of lines) {
        if (rest) onLine(rest);
        rest = next;
      }
    }
  }

  /** The elements of a set of our table. Throws {@linkcode Failure}. */
  async list(set: string): Promise<Element[]> {
    if (this.ended) throw new Failure("nft has ended.", "bwlimit starts another one.");
    const answer = new Promise<string>((resolve, reject) => this.waiting.push({ resolve, reject }));
    await this.stdin.write(new TextEncoder().encode(`list set inet mirrorkit ${set}\n`)).catch(
      () => {},
    );
    // An nft that says nothing is ended, and with it the wait.
    const timer = setTimeout(() => this.child.kill("SIGKILL"), ANSWER_MS);
    try {
      return elementsOf(await answer);
    } finally {
      clearTimeout(timer);
    }
  }

  get isUp(): boolean {
    return !this.ended;
  }

  async [Symbol.asyncDispose]() {
    await this.stdin.close().catch(() => {});
    const timer = setTimeout(() => this.child.kill("SIGKILL"), 2000);
    await this.child.status;
    clearTimeout(timer);
  }
}
