/** What an upstream says of itself before anything is transferred: its markers, and whether it is busy. */
import { join } from "@std/path/posix";
import { readText } from "../lib/files.ts";
import type { Run } from "../lib/run.ts";
import type { Profile } from "../profiles/profile.ts";
import { AttemptError } from "./attempt_error.ts";
import { explainExit, newToken, patience, rsync, type Source } from "./rsync.ts";

/** A marker file is a line or a page; anything larger is not one. */
const MAX_MARKER_BYTES = 1024 * 1024;

/** Fetches marker files into `to`, with their times. A missing one is simply not there afterwards. */
export async function fetchMarkers(
  source: Source,
  markers: string[],
  to: string,
  run: Run,
  signal?: AbortSignal,
): Promise<void> {
  await Deno.remove(to, { recursive: true }).catch(() => {});
  await Deno.mkdir(to, { recursive: true });
  if (markers.length === 0) return;
  const args = [
    "--from0",
    "--files-from=-",
    "--ignore-missing-args",
    `--max-size=${MAX_MARKER_BYTES}`,
  ];
  const input = new TextEncoder().encode(markers.map((m) => `./${m}\0`).join(""));
  const result = await run(rsync(source, to + "/", newToken(), ...args), {
    ...patience(source),
    input,
    signal,
  });
  if (result.code === 0) return;
  const { message, retry } = explainExit(result);
  throw new AttemptError(message, { retry });
}

/** The content of a check URL. Throws on anything but 200 and a small body: an unknown is not a "changed". */
export async function fetchCheck(
  url: string,
  { fetcher = fetch, signal }: { fetcher?: typeof fetch; signal?: AbortSignal } = {},
): Promise<string> {
  const limits = [AbortSignal.timeout(20_000), ...(signal ? [signal] : [])];
  const response = await fetcher(url, { signal: AbortSignal.any(limits) });
  if (response.status !== 200 || !response.body) {
    await response.body?.cancel();
    throw new Error(`HTTP status ${response.status}`);
  }
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_MARKER_BYTES) throw new Error(`more than ${MAX_MARKER_BYTES} bytes`);
  }
  return text;
}

/** True while the upstream says, by a file at its root, that it is being updated. */
export async function isUpdating(source: Source, pattern: string, run: Run, signal?: AbortSignal) {
  const token = newToken();
  // First match wins: our pattern is let in before the profile's own exclude of the same files.
  const args = ["--dirs", "--dry-run", `--include=/${pattern}`, "--exclude=/*"];
  let updating = false;
  const empty = await Deno.makeTempDir({ dir: source.tempDir });
  try {
    const result = await run(rsync(source, empty + "/", token, ...args), {
      ...patience(source),
      signal,
      onLine: (line) => updating ||= line.includes(token) && !line.includes(` ./${token}`),
    });
    if (result.code === 0) return updating;
    const { message, retry } = explainExit(result);
    throw new AttemptError(message, { retry });
  } finally {
    await Deno.remove(empty);
  }
}

/** What the markers of the upstream and ours tell. */
export interface Comparison {
  /** The check marker is there on both sides and equal. */
  unchanged: boolean;
  /** Times that the check marker states, where it does. */
  theirTime?: number;
  ourTime?: number;
}

/** Compares the fetched check marker with the one we serve. */
export async function compareMarkers(
  profile: Pick<Profile, "time">,
  marker: string,
  theirs: string | undefined,
  tree: string,
): Promise<Comparison> {
  const ours = await readText(join(tree, marker));
  return {
    unchanged: theirs !== undefined && theirs === ours,
    theirTime: theirs === undefined ? undefined : profile.time?.(marker, theirs),
    ourTime: ours === undefined ? undefined : profile.time?.(marker, ours),
  };
}
