/** Marker files: fetched before all else and published after all else, so that they never claim too much. */
import { dirname, join } from "@std/path/posix";
import { fromText } from "../../formats/names.ts";
import { formatTime } from "../../formats/units.ts";
import { readText } from "../lib/files.ts";
import { aside, type Attempt, markersIn } from "./attempt.ts";
import { AttemptError } from "./attempt_error.ts";
import { asRaw, publishText } from "./publish.ts";
import { compareMarkers, fetchMarkers } from "./upstream.ts";

/** Fetches the markers first: published last, they claim less than what the tree has, never more. */
export async function readMarkers(a: Attempt) {
  const { profile, files } = a;
  // The plan leaves the markers out; here they are all that is wanted.
  const source = { ...a.source, exclude: [] };
  const wanted = profile.markers.filter((m) => !(a.urlSaysUnchanged && m === profile.check));
  await fetchMarkers(source, wanted, markersIn(a), a.run, a.signal);
  if (!profile.check) return { unchanged: false, theirs: null, ours: null };
  if (a.urlSaysUnchanged) {
    const ours = await readText(join(files.static, profile.check));
    const time = ours === undefined ? undefined : profile.time?.(profile.check, ours);
    return { unchanged: true, theirs: time ?? null, ours: time ?? null };
  }
  const theirs = await readText(join(markersIn(a), profile.check));
  const marks = await compareMarkers(profile, profile.check, theirs, files.static);
  if (marks.theirTime !== undefined && marks.ourTime !== undefined && !a.force) {
    refuseOlder(profile.check, marks.theirTime, marks.ourTime);
  }
  return {
    unchanged: marks.unchanged,
    theirs: marks.theirTime ?? null,
    ours: marks.ourTime ?? null,
  };
}

/** Throws {@linkcode AttemptError} if a time of the upstream lies before ours. */
export function refuseOlder(path: string, theirs: number, ours: number) {
  if (theirs >= ours) return;
  // Serials such as 2026112101 read as times far in the future: shown as they are.
  const show = (n: number) => n < 2e9 ? formatTime(n) : String(n);
  throw new AttemptError(
    `the upstream went back in time: its ${path} says ${show(theirs)}, ours ${show(ours)}`,
    { retry: false, hint: "If that is meant, accept it with --force." },
  );
}

/** Publishes the fetched markers, in order. One that is as before is left alone. */
export async function publishMarkers(a: Attempt) {
  for (const marker of a.profile.markers) {
    const from = join(markersIn(a), marker), to = join(a.files.static, marker);
    const text = await readText(from);
    if (text === undefined || text === await readText(to).catch(() => undefined)) continue;
    a.onChanges([fromText(marker)]);
    await Deno.mkdir(dirname(to), { recursive: true });
    await Deno.rename(from, to);
  }
}

/** Our own trace, as archvsync leaves it: who mirrors, when, from where. */
export async function leaveTrace(a: Attempt) {
  if (!a.profile.trace) return;
  const path = join(a.profile.trace, a.host);
  const now = new Date(a.now() * 1000);
  const text = `${now.toUTCString()}\nDate: ${now.toUTCString()}\nCreator: mirrorkit\n` +
    `Running on host: ${a.host}\nUpstream-mirror: ${
      new URL(a.source.upstream, "file:").host || "local"
    }\n`;
  a.onChanges(asRaw([path]));
  await publishText(a.files.static, path, text, aside(a));
}
