/** The output folder: what was written is remembered, so that a file edited by hand is noticed. */
import { dirname, join } from "@std/path/posix";
import { readText, writeWhole } from "../lib/files.ts";
import type { Run } from "../lib/run.ts";

/** Holds the SHA-256 of every file as `configure` wrote it. */
const MANIFEST = ".configure.json";

/** What is to be done with a file. `edited` differs from what we wrote, and from what we would write. */
export type Change = "new" | "same" | "changed" | "edited";

/** The change of a file, by what is there, what was written, and what is to be written. Pure. */
export function changeOf(there: string | undefined, same: boolean, ours: boolean): Change {
  if (there === undefined) return "new";
  return same ? "same" : ours ? "changed" : "edited";
}

async function sha256(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(bytes)].map((b) => b.toString(16).padStart(2, "0")).join("");
}

async function readManifest(out: string): Promise<Record<string, string>> {
  try {
    return JSON.parse(await readText(join(out, MANIFEST)) ?? "{}");
  } catch {
    // Damaged: then every file that differs counts as edited.
    return {};
  }
}

/** What writing files to a folder would do to each. */
export async function compare(
  out: string,
  files: Map<string, string>,
): Promise<Map<string, Change>> {
  const manifest = await readManifest(out), changes = new Map<string, Change>();
  for (const [name, text] of files) {
    const there = await readText(join(out, name));
    const ours = there !== undefined && manifest[name] === await sha256(there);
    changes.set(name, changeOf(there, there === text, ours));
  }
  return changes;
}

/** Writes what is not there or differs. Edited files are kept beside, under a name with the time. */
export async function write(
  out: string,
  files: Map<string, string>,
  changes: Map<string, Change>,
  now = new Date(),
): Promise<string[]> {
  const kept: string[] = [], manifest: Record<string, string> = {};
  for (const [name, text] of files) {
    const path = join(out, name), change = changes.get(name);
    if (change === "edited") {
      const copy = `${path}.${now.toISOString().replace(/[-:]|\.\d+/g, "")}`;
      await Deno.copyFile(path, copy);
      kept.push(copy);
    }
    if (change !== "same") await writeWhole(path, text);
    manifest[name] = await sha256(text);
  }
  await writeWhole(join(out, MANIFEST), JSON.stringify(manifest, null, 1) + "\n");
  return kept;
}

/** What would change, as `diff -u` shows it. */
export async function diff(
  out: string,
  files: Map<string, string>,
  changes: Map<string, Change>,
  run: Run,
): Promise<string> {
  const scratch = await Deno.makeTempDir({ prefix: "mirrorkit-" });
  try {
    let text = "";
    for (const [name, change] of changes) {
      if (change === "same") continue;
      const old = change === "new" ? "/dev/null" : join(out, name), next = join(scratch, name);
      await Deno.mkdir(dirname(next), { recursive: true });
      await Deno.writeTextFile(next, files.get(name)!);
      const labels = ["--label", join(out, name), "--label", `${name} (new)`];
      const onLine = (line: string) => text += line + "\n";
      await run({ command: "diff", args: ["-u", ...labels, old, next] }, { onLine });
    }
    return text;
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}
