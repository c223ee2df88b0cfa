/** Finding what stands among the listings and should not: of directories that are gone, or of nobody. */
import { toText } from "../../formats/names.ts";
import { OWN_NAMES } from "./page.ts";
import { parentOf } from "./paths.ts";
import type { Subject } from "./scan.ts";
import type { Folder } from "./reader.ts";
import { readRecords } from "./records.ts";
import { walk } from "./walk.ts";

/** What to do with what is found. */
export interface Broom {
  remove(dir: string, listings?: number): void;
  removeFile(path: string): void;
}

const within = (path: string, dirs: Iterable<string>) => {
  for (const dir of dirs) if (path === dir || path.startsWith(dir + "/")) return true;
  return false;
};

/** True if another repository's listings stand at `path`, below it or around it. */
export function ofOthers(path: string, closed: Set<string>): boolean {
  return within(path, closed) || [...closed].some((c) => path === "" || c.startsWith(path + "/"));
}

/** Removes the listings of the directories in `gone`; of a tree that is gone, its top is enough. */
export function sweepKnown(subject: Subject, gone: Set<string>, broom: Broom) {
  for (const path of gone) {
    if (within(parentOf(path), gone)) continue;
    const text = toText(path);
    if (text === undefined) continue;
    if (!ofOthers(path, subject.closed)) broom.remove(`${subject.indexes}/${text}`);
    else if (!within(path, subject.closed)) removeOwn(`${subject.indexes}/${text}`, broom);
  }
}

/** The listing of a directory that is gone, but has another repository's below it. */
function removeOwn(dir: string, broom: Broom) {
  for (const name of OWN_NAMES) broom.removeFile(`${dir}/${name}`);
}

/** Walks the listings and removes what is not of a directory in `kept` (raw paths), or below `untouched`. */
export async function sweepAll(
  subject: Subject,
  kept: { has(path: string): boolean },
  untouched: string[],
  broom: Broom,
) {
  let gone: string | undefined;
  const stray = (folder: Folder, name: string) => {
    if (gone !== undefined && within(folder.path, [gone])) return;
    broom.removeFile(`${subject.indexes}/${folder.path ? toText(folder.path) + "/" : ""}${name}`);
  };
  await walk(subject.indexes, [...subject.closed], () => ({
    open({ path }) {
      if (gone !== undefined && within(path, [gone])) return;
      if (kept.has(path) || within(path, untouched) || ofOthers(path, subject.closed)) return;
      gone = path;
      const text = toText(path);
      if (text !== undefined) broom.remove(`${subject.indexes}/${text}`);
    },
    close(folder) {
      if (subject.closed.has(folder.path)) return;
      for (const { name } of readRecords(folder.records)) {
        const text = toText(name);
        if (!OWN_NAMES.has(name) && text !== undefined) stray(folder, text);
      }
    },
    odd() {},
  }));
}
