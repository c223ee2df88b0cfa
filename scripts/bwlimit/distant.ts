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

/** Writes the elements of `warm` of each scope beside the memory, as nft prints them; gives how many there are. */
export async function saveDistant(files: Files, scopes: Scope[]): Promise<number> {
  let most = 0;
  for (const { id } of scopes) {
    const path = files.warm(id), beside = `${path}.new`;
    const list = tied({
      command: "nft",
      args: ["-j", "list", "set", "inet", "mirrorkit", `warm_${id}`],
    });
    const child = new Deno.Command(list.command, {
      args: list.args,
      stdout: "piped",
      stderr: "null",
    }).spawn();
    using file = await Deno.open(beside, {
      write: true,
      create: true,
      truncate: true,
      mode: 0o600,
    });
    let count = 0;
    for await (const chunk of child.stdout) {
      // Each element has one brace of its counter's; what is cut between chunks is counted once.
      for (const byte of chunk) if (byte === BRACE) count++;
      for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
    }
    if (!(await child.status).success) {
      await Deno.remove(beside);
      continue;
    }
    await Deno.rename(beside, path);
    most = Math.max(most, Math.floor(count / BRACES));
  }
  return most;
}

const BRACE = "{".charCodeAt(0);
/** Of an element: `{"elem": {"val": …, "counter": {`. */
const BRACES = 3;

/** What was written down: bytes, and until when they lie in the window. */
export async function loadDistant(
  files: Files,
  scopes: Scope[],
  now: number,
): Promise<Map<Id, { bytes: number; until: number }>> {
  const found = new Map<Id, { bytes: number; until: number }>();
  for (const { id } of scopes) {
    const path = files.warm(id);
    const info = await Deno.stat(path).catch(() => undefined);
    if (!info?.mtime) continue;
    const writtenAt = info.mtime.getTime() / 1000;
    const file = await Deno.open(path); // reading it to its end closes it
    let rest = "";
    for await (const text of file.readable.pipeThrough(new TextDecoderStream())) {
      rest += text;
      let end = 0;
      for (const match of rest.matchAll(ELEMENT)) {
        end = match.index + match[0].length;
        const until = writtenAt + Number(match[2]);
        if (until > now) found.set(`${id} ${match[1]}`, { bytes: Number(match[3]), until });
      }
      rest = rest.slice(Math.max(end, rest.length - 300));
    }
  }
  return found;
}
