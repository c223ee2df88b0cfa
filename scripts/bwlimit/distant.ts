/**
 * Those who are far from any limit: too many to be listed at each look, as nft takes 2 s for 100,000 of
 * them. They are written down from time to time, for after a reboot, and counted on the way.
 */
import { tied } from "../lib/run.ts";
import type { Id, Scope } from "./address.ts";
import type { Files } from "./memory.ts";

/** An element as nft prints it: address, seconds that remain, bytes. */
const ELEMENT =
  /"val": "([0-9a-f.:]+)", (?:"timeout": \d+, )?"expires": (\d+), "counter": \{"packets": \d+, "bytes": (\d+)\}/g;

const BRACE = "{".charCodeAt(0);
/** Of an element: `{"elem": {"val": …, "counter": {`. */
const BRACES = 3;

/** They are written down so often, and in no larger share of the time than this. */
const SECONDS = 45, SHARE = 0.005;

/** Those far from any limit, and when they were last written down. */
export class Distant {
  /** How many there are in the fullest scope; `null` before anybody looked. */
  counted: number | null = null;
  private due = 0;
  private saving?: Promise<void>;

  constructor(private readonly files: Files, private readonly scopes: Scope[]) {}

  isDue(now: number): boolean {
    return now >= this.due && !this.saving;
  }

  /** Writes them down; who asks while that lasts waits for the same. */
  save(now: number): Promise<void> {
    return this.saving ??= this.saveAll(now).finally(() => this.saving = undefined);
  }

  private async saveAll(now: number) {
    const started = performance.now();
    let most = 0;
    for (const scope of this.scopes) most = Math.max(most, await saveScope(this.files, scope));
    this.counted = most;
    const seconds = (performance.now() - started) / 1000;
    this.due = now + seconds + Math.max(SECONDS, seconds / SHARE);
  }

  /** What was written down: bytes, and until when they lie in the window. */
  async load(now: number): Promise<Debts> {
    const debts: Debts = new Map();
    for (const scope of this.scopes) await loadScope(this.files, scope, now, debts);
    return debts;
  }
}

type Debts = Map<Id, { bytes: number; until: number }>;

/** Writes the elements of `warm` of a scope as nft prints them; gives how many there are. */
async function saveScope(files: Files, { id }: Scope): Promise<number> {
  const path = files.warm(id), beside = `${path}.new`;
  const args = ["-j", "list", "set", "inet", "mirrorkit", `warm_${id}`];
  const list = tied({ command: "nft", args });
  const child = new Deno.Command(list.command, { args: list.args, stdout: "piped", stderr: "null" })
    .spawn();
  using file = await Deno.open(beside, { write: true, create: true, truncate: true, mode: 0o600 });
  let braces = 0;
  for await (const chunk of child.stdout) {
    for (const byte of chunk) if (byte === BRACE) braces++;
    for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
  }
  if (!(await child.status).success) {
    await Deno.remove(beside);
    return 0;
  }
  await Deno.rename(beside, path);
  return Math.floor(braces / BRACES);
}

/** Reads what {@linkcode saveScope} wrote, element by element: there may be many. */
async function loadScope(files: Files, { id }: Scope, now: number, debts: Debts) {
  const path = files.warm(id), info = await Deno.stat(path).catch(() => undefined);
  if (!info?.mtime) return;
  const writtenAt = info.mtime.getTime() / 1000;
  const file = await Deno.open(path); // reading it to its end closes it
  let rest = "";
  for await (const text of file.readable.pipeThrough(new TextDecoderStream())) {
    rest += text;
    let end = 0;
    for (const match of rest.matchAll(ELEMENT)) {
      end = match.index + match[0].length;
      const until = writtenAt + Number(match[2]);
      if (until > now) debts.set(`${id} ${match[1]}`, { bytes: Number(match[3]), until });
    }
    rest = rest.slice(Math.max(end, rest.length - 300));
  }
}
