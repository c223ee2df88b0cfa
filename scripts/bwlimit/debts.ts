/**
 * What was written down of those who are far from any limit, read again: after a reboot, and where another
 * table takes the place of one. A file may be cut off or damaged, as a crash leaves it: what can be read of
 * it counts, and nothing in it can stop a run or grow beyond what the kernel would have counted.
 */
import { join } from "@std/path/posix";
import type { Bwlimit } from "../lib/limits.ts";
import { type Id, scopesOf } from "./address.ts";
import type { Debts } from "./model.ts";
import type { Files } from "./memory.ts";
import { shares } from "./shares.ts";

/** The name of a slice, or an element of it, as nft prints them: address, seconds that remain, bytes. */
const PIECE = new RegExp(
  '"name": "warm_([cn][46])_\\d+"|' +
    '"val": "([0-9a-f.:]{2,45})", (?:"timeout": \\d+, )?"expires": (\\d{1,9}), ' +
    '"counter": \\{"packets": \\d+, "bytes": (\\d{1,15})\\}',
  "g",
);

/** The start of an element has no more characters. */
const LONGEST = 300;

/**
 * What was counted in tables other than `made`, of `only` where that is given. A client that stands in
 * several has the sum of them, at the time of the last one: rather too late than too early out of a window.
 */
export async function loadDebts(
  files: Files,
  policy: Bwlimit,
  made: number | undefined,
  now: number,
  only?: Id,
): Promise<Debts> {
  const debts: Debts = new Map();
  for (const table of await namesIn(files.distant)) {
    if (table === String(made)) continue;
    for (const name of await namesIn(join(files.distant, table))) {
      if (!/^\d+\.json$/.test(name)) continue;
      await loadFile(join(files.distant, table, name), policy, now, only, debts);
    }
  }
  return debts;
}

async function loadFile(
  path: string,
  policy: Bwlimit,
  now: number,
  only: Id | undefined,
  debts: Debts,
) {
  const at = await writtenAt(path, now), most = 2 * policy.destinations;
  const kinds = new Map(scopesOf(policy).map((s) => [s.id as string, shares(policy, s)]));
  let kind: ReturnType<typeof shares> | undefined, scope = "";
  // Reading it to its end closes it.
  const file = await Deno.open(path);
  let rest = "";
  for await (const text of file.readable.pipeThrough(new TextDecoderStream())) {
    rest += text;
    let end = 0;
    for (const match of rest.matchAll(PIECE)) {
      const [piece, name, key, expires, bytes] = match;
      end = match.index + piece.length;
      if (name !== undefined) kind = kinds.get(scope = name);
      if (!kind || name !== undefined) continue;
      const until = at + Math.min(kind.longest, Number(expires)), id = `${scope} ${key}` as Id;
      if (until <= now || only !== undefined && id !== only) continue;
      const before = debts.get(id);
      if (!before && debts.size >= most) continue;
      debts.set(id, {
        bytes: Math.min(kind.watch, Number(bytes)) + (before?.bytes ?? 0),
        at: Math.max(at, before?.at ?? 0),
        until: Math.max(until, before?.until ?? 0),
      });
    }
    rest = rest.slice(Math.max(end, rest.length - LONGEST));
  }
}

/** When a file was written, in whole seconds; never in the future. */
async function writtenAt(path: string, now: number): Promise<number> {
  const { mtime } = await Deno.stat(path);
  return Math.floor(Math.min(now, (mtime?.getTime() ?? 0) / 1000));
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map((entry) => entry.name).sort();
  } catch {
    return []; // nothing was written, or it is no folder
  }
}

/** Removes what was written of tables other than `made` before a time, and what a crash left half written. */
export async function removeOld(files: Files, made: number | undefined, before: number) {
  for (const table of await namesIn(files.distant)) {
    const folder = join(files.distant, table), names = await namesIn(folder);
    let newest = 0;
    for (const name of names) {
      const path = join(folder, name), time = (await Deno.stat(path)).mtime?.getTime() ?? 0;
      newest = Math.max(newest, time / 1000);
      if (name.endsWith(".new")) await Deno.remove(path);
    }
    if (table !== String(made) && newest < before) await Deno.remove(folder, { recursive: true });
  }
}
