/**
 * Those who are far from any limit: too many to be listed at each look. They are written down slice by
 * slice, for after a reboot. nft itself writes its listing to the file, and only counting what was written
 * passes through here: piped through the script the same took thrice the CPU. A folder holds the slices of
 * one table, under the table's number; those of other tables are what had been counted before (debts.ts).
 */
import { join } from "@std/path/posix";
import { tied } from "../lib/run.ts";
import type { Bwlimit } from "../lib/limits.ts";
import { type Scope, scopesOf } from "./address.ts";
import { loadDebts, removeOld } from "./debts.ts";
import type { Debts } from "./model.ts";
import type { Files } from "./memory.ts";
import { explainNft, isMissing } from "./nft.ts";
import { TABLE } from "./nfttext.ts";
import { shares } from "./shares.ts";
import { SLICES, warmSets } from "./sets.ts";

/**
 * All slices are written once within this time, evenly: a power failure loses no more of the accounting
 * than that and the time that a slice takes. The promise is 60 s.
 */
const ROUND_SECONDS = 56;

/** From the start of one turn to that of the next. */
export const TURN_SECONDS = ROUND_SECONDS / SLICES;

/** Those far from any limit. */
export class Distant {
  private readonly scopes: Scope[];
  /** Clients in each slice when it was last written. */
  private readonly counts: Map<string, number>[] = [];
  private slice = 0;
  /** The table at hand. */
  private made?: number;
  /** One thing at a time. */
  private busy: Promise<unknown> = Promise.resolve();

  constructor(private readonly files: Files, private readonly policy: Bwlimit) {
    this.scopes = scopesOf(policy);
  }

  /** How many there are in the fullest scope; `null` before all slices were written. */
  get counted(): number | null {
    if (Array.from({ length: SLICES }, (_, slice) => this.counts[slice]).includes(undefined!)) {
      return null;
    }
    const of = ({ id }: Scope) => this.counts.reduce((sum, slice) => sum + (slice.get(id) ?? 0), 0);
    return Math.max(...this.scopes.map(of));
  }

  /** The table with this number is in the kernel. */
  use(made: number): void {
    this.made = made;
  }

  private alone<T>(body: () => Promise<T>): Promise<T> {
    const turn = this.busy.then(body);
    this.busy = turn.catch(() => {});
    return turn;
  }

  /** Writes the next slice of each scope. Throws {@linkcode Failure}. */
  turn(now: number): Promise<void> {
    return this.alone(async () => {
      await this.saveSlice(this.slice);
      this.slice = (this.slice + 1) % SLICES;
      if (this.slice === 0) await this.tidyAlone(now);
    });
  }

  /** Writes all slices. Throws {@linkcode Failure}. */
  save(): Promise<void> {
    return this.alone(async () => {
      for (let slice = 0; slice < SLICES; slice++) await this.saveSlice(slice);
    });
  }

  /** Puts another table in place, and gives what was counted in all others. */
  replace(made: number, make: () => Promise<void>, now: number): Promise<Debts> {
    return this.alone(async () => {
      await make();
      this.made = made;
      this.counts.length = 0;
      return await loadDebts(this.files, this.policy, made, now);
    });
  }

  /** Removes what lies before all windows. */
  tidy(now: number): Promise<void> {
    return this.alone(() => this.tidyAlone(now));
  }

  private async tidyAlone(now: number) {
    const longest = Math.max(...this.scopes.map((s) => shares(this.policy, s).longest));
    await removeOld(this.files, this.made, now - longest);
  }

  private async saveSlice(slice: number) {
    if (this.made === undefined) return;
    const folder = join(this.files.distant, `${this.made}`), path = join(folder, `${slice}.json`);
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    const sets = this.scopes.map((scope) => warmSets(scope)[slice]);
    const error = await listTo(`${path}.new`, sets);
    if (error && !isMissing(error)) throw explainNft(error);
    using file = await Deno.open(`${path}.new`);
    const counts = await countIn(file, this.scopes);
    // The table has gone: the next look makes another one. What was written is kept for that.
    if (counts.size === 0) return;
    this.counts[slice] = counts;
    await file.syncData();
    await Deno.rename(`${path}.new`, path);
  }
}

/**
 * Has nft list sets of our table into a file, a line of JSON each; gives what it complains about. It is asked
 * for one after the other: told all at once, nft 1.0.6 fetches all elements of all sets.
 */
async function listTo(path: string, sets: string[]): Promise<string> {
  // Nice: a look goes first.
  const write = 'umask 077; exec nice -n 19 nft -j -i > "$1"';
  const { command, args } = tied({ command: "sh", args: ["-c", write, "sh", path] });
  const child = new Deno.Command(command, {
    args,
    // HOME: an interactive nft writes what it was asked into a history.
    env: { LC_ALL: "C", HOME: "/dev/null" },
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const said = new Response(child.stderr).text();
  const stdin = child.stdin.getWriter();
  const asked = sets.map((set) => `list set ${TABLE} ${set}\n`).join("");
  await stdin.write(new TextEncoder().encode(asked)).catch(() => {});
  await stdin.close().catch(() => {});
  const { success } = await child.status;
  // Where it may not be nice it says so, and goes on.
  return (await said).replace(/^nice: .*\n/, "") || (success ? "" : "it has ended");
}

const BRACE = "{".charCodeAt(0), NEWLINE = "\n".charCodeAt(0);
/** Of an element: `{"elem": {"val": …, "counter": {`; around all of them there are eight. */
const BRACES = 3, AROUND = 6;

/** How many elements each line of nft's JSON has: those of a scope each. */
async function countIn(file: Deno.FsFile, scopes: Scope[]): Promise<Map<string, number>> {
  const counts = new Map<string, number>(), buffer = new Uint8Array(65536);
  let line = 0, braces = 0;
  for (let size: number | null; (size = await file.read(buffer)) !== null;) {
    for (let i = 0; i < size; i++) {
      if (buffer[i] === BRACE) braces++;
      else if (buffer[i] === NEWLINE) {
        if (line < scopes.length) {
          counts.set(scopes[line++].id, Math.floor((braces - AROUND) / BRACES));
        }
        braces = 0;
      }
    }
  }
  return counts;
}
