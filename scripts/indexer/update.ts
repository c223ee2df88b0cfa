/**
 * The change list way: only what it names is looked at. Links that depend on it, and the totals of the
 * directories above, follow from the state and the published listings.
 */
import { type DirEntry, type Entry, entryName } from "../../formats/listing.ts";
import { fromHref, toHref, toText } from "../../formats/names.ts";
import { fileEntry, linkEntry, sameTotals } from "./entries.ts";
import { follow } from "./links.ts";
import { Detour, Looker } from "./look.ts";
import { OWN_NAMES } from "./page.ts";
import { below, nameOf, parentOf } from "./paths.ts";
import type { Publication } from "./publish.ts";
import { readHead, Room } from "./read.ts";
import { type Record, toSecond } from "./records.ts";
import { Scan, type Subject } from "./scan.ts";
import { type Edit, readFiles, splice } from "./splice.ts";
import { dirKey, dirLine, type DirState, readDirLine, type State } from "./state.ts";
import { sweepKnown } from "./sweep.ts";
import { walk } from "./walk.ts";

/** Past this many directories that appeared, one walk of everything is cheaper than one for each. */
const MANY_DIRS = 32;

export class Update {
  readonly problems: string[] = [];
  /** Directories whose listing was looked at. */
  touched = 0;
  entries = 0;
  private readonly there: Looker;
  /** Paths that were looked at again. */
  private done = new Set<string>();
  /** What changes in the listing of each directory, by entry name. */
  private edits = new Map<string, Map<string, Entry | undefined>>();

  /** For the two files of a listing as they stand, and for one of them as it is to be. */
  private readonly rooms = [new Room(), new Room(), new Room()];

  constructor(
    private readonly subject: Subject,
    private readonly state: State,
    private readonly publication: Publication,
  ) {
    this.there = new Looker(subject, (text) => this.problems.push(text));
  }

  /** Prepares all that follows from the changes, and enters it into the state. */
  async run(changes: Iterable<string>) {
    const tops = this.topsOf(changes);
    const links = new Set<string>();
    for (const path of tops) for (const link of this.dependents(path)) links.add(link);
    for (const path of this.topsOf(links)) tops.add(path);
    const dirs = [...tops].filter((path) => this.there.at(path) === "dir");
    if (dirs.length > MANY_DIRS) throw new Detour("scan", "many directories appeared");
    for (const path of tops) {
      if (this.below(path, tops)) continue;
      await this.renew(path);
    }
    this.renewOthers();
    this.climb();
  }

  /**
   * What has to be looked at for these paths: each one itself, or the highest directory above it that is
   * not as the state says.
   */
  private topsOf(paths: Iterable<string>): Set<string> {
    const tops = new Set<string>();
    for (const listed of paths) {
      let path = listed.replace(/\/$/, "");
      const names = path.split("/");
      if (names.includes(".~tmp~") || this.there.inOthers(path)) continue;
      if (names.some((n) => OWN_NAMES.has(n)) || path.length > 2500) {
        throw new Detour("scan", "a name that has no listing");
      }
      for (let at = parentOf(path); at !== ""; at = parentOf(at)) {
        if (!this.known(at) || this.there.at(at) !== "dir") path = at;
      }
      tops.add(path);
    }
    return tops;
  }

  private below(path: string, tops: Set<string>): boolean {
    for (let at = parentOf(path); at !== ""; at = parentOf(at)) if (tops.has(at)) return true;
    return false;
  }

  private known(path: string): boolean {
    return this.state.dirs.get(dirKey(path)) !== undefined;
  }

  /** Links that depend on what stands at a path or below. Their lines go; they are made anew. */
  private dependents(path: string): string[] {
    const { lookups } = this.state, key = toHref(path);
    const lines = [...lookups.startingWith(key + " "), ...lookups.startingWith(key + "/")];
    for (const line of lines) lookups.set(line, undefined);
    return lines.map((line) => fromHref(line.slice(line.indexOf(" ") + 1)));
  }

  /** A link as an entry; what it depends on is noted. */
  private resolve = (path: string, link: Record): Entry => {
    const to = follow(parentOf(path), link.target!, this.there.step), own = toHref(path);
    for (const lookup of to.lookups) {
      const line = `${toHref(lookup)} ${own}`;
      this.state.lookups.set(line, line);
    }
    const there = below(to.dir, to.name);
    const file = to.kind === "file" && !this.there.inOthers(there) && to.name !== ".~tmp~"
      ? this.there.at(there) as Record | undefined
      : undefined;
    return linkEntry(link, to, file);
  };

  private edit(path: string, dir: boolean, entry: Entry | undefined) {
    const parent = parentOf(path), { name } = entryName(nameOf(path), dir);
    let edits = this.edits.get(parent);
    if (!edits) this.edits.set(parent, edits = new Map());
    edits.set(name, entry);
  }

  /** Looks at one path again and prepares its entry; of a directory, all that is below as well. */
  private async renew(path: string) {
    if (path === "" || this.done.has(path)) return;
    this.done.add(path);
    const seen = this.there.at(path), scan = seen === "dir" ? await this.walk(path) : undefined;
    const before = this.known(path), now = scan?.dirs.get(path);
    if (before) this.forget(path, scan);
    for (const [dir, state] of scan?.dirs ?? []) {
      this.state.dirs.set(dirKey(dir), dirLine(dir, state));
    }
    if (before || now) this.edit(path, true, now && dirEntry(path, now));
    if (seen === "dir") this.edit(path, false, undefined);
    else this.edit(path, false, seen && this.entryOf(path, seen));
  }

  private entryOf(path: string, seen: Record): Entry {
    return seen.target === undefined ? fileEntry(seen) : this.resolve(path, seen);
  }

  private async walk(path: string): Promise<Scan> {
    const { subject } = this, scan = new Scan(subject, undefined, this.publication);
    const closed = [...subject.closed];
    const { denied, other } = await walk(subject.static, closed, () => scan, toText(path)!);
    if (denied.length + other.length + scan.unreadable.length > 0) {
      throw new Detour("scan", "not readable");
    }
    this.problems.push(...scan.problems);
    scan.finishPart(this.resolve);
    this.touched += scan.rendered;
    this.entries += scan.entries;
    return scan;
  }

  /** Drops a directory that was, with all below that `scan` has not found again. */
  private forget(path: string, scan?: Scan) {
    const { dirs } = this.state, gone = new Set<string>();
    for (const line of [dirs.get(dirKey(path))!, ...dirs.startingWith(toHref(path) + "/")]) {
      const [dir] = readDirLine(line);
      dirs.set(dirKey(dir), undefined);
      if (!scan?.dirs.has(dir)) gone.add(dir);
    }
    sweepKnown(this.subject, gone, this.publication);
  }

  /** Other repositories' totals may have changed without us. */
  private renewOthers() {
    for (const path of this.subject.closed) {
      if (!this.known(parentOf(path)) || this.there.at(parentOf(path)) !== "dir") continue;
      const line = this.state.dirs.get(dirKey(path)), before = line && readDirLine(line)[1];
      const now = this.there.at(path) === "dir" ? this.otherState(path) : undefined;
      if (before && now && sameTotals(before, now) || !before && !now) continue;
      this.state.dirs.set(dirKey(path), now && dirLine(path, now));
      this.edit(path, true, now && dirEntry(path, now));
    }
  }

  private otherState(path: string): DirState {
    const head = readHead(`${this.subject.indexes}/${path}/index.json`);
    const mtime = toSecond(Deno.lstatSync(`${this.subject.static}/${path}`).mtime);
    return { hash: 1, bytes: 0, files: 0, dirs: 0, mtime, ...head };
  }

  /** Applies the edits, deepest directories first; their new totals are edits of those above. */
  private climb() {
    const depth = (path: string) => path === "" ? 0 : path.split("/").length;
    const levels: string[][] = [];
    const enter = (path: string) => (levels[depth(path)] ??= []).push(path);
    for (const path of this.edits.keys()) enter(path);
    for (let level = levels.length - 1; level >= 0; level--) {
      for (const path of levels[level] ?? []) {
        const known = path === "" || this.edits.has(parentOf(path));
        if (this.change(path) && !known) enter(parentOf(path));
      }
    }
  }

  /** Changes one listing. True if its totals are others than before. */
  private change(path: string): boolean {
    const dir = this.subject.indexes + (path && "/" + toText(path));
    const [oldJson, oldHtml, room] = this.rooms;
    const json = oldJson.read(`${dir}/index.json`), html = oldHtml.read(`${dir}/index.html`);
    const listing = json && html && readFiles(json, html);
    const line = this.state.dirs.get(dirKey(path));
    const damaged = () => new Detour("full", `the listing of ${dirKey(path)} is damaged`);
    if (!listing || !line) throw damaged();
    const edits: Edit[] = [...this.edits.get(path)!].map(([name, entry]) => ({ name, entry }));
    const others = [...this.subject.closed].filter((c) => parentOf(c) === path);
    const uncounted = new Set(others.map((c) => entryName(nameOf(c), true).name));
    const own = toSecond(Deno.lstatSync(this.subject.static + (path && "/" + toText(path))).mtime);
    const after = splice(listing, edits, uncounted, own), place = { dir, fresh: false };
    if (!after) throw damaged();
    this.publication.replace(place, "index.json", room.join(after.json), json);
    this.publication.replace(place, "index.html", room.join(after.html), html);
    this.touched++;
    this.entries += edits.length;
    const [, before] = readDirLine(line);
    const { bytes, mtime, files, dirs } = after.head, now = { hash: 0, bytes, mtime, files, dirs };
    // Its hash is not known any more: the next scan looks at it again, and finds what stands there.
    this.state.dirs.set(
      dirKey(path),
      dirLine(path, this.onlyTotals(path) ? { ...now, hash: before.hash } : now),
    );
    if (sameTotals(before, now)) return false;
    if (path !== "") this.edit(path, true, dirEntry(path, now));
    return true;
  }

  /** True if nothing but totals of directories changes in a listing, which are not part of its hash. */
  private onlyTotals(path: string): boolean {
    return [...this.edits.get(path)!].every(([name, entry]) =>
      entry && name.endsWith("/") &&
      !this.done.has(below(path, name.slice(0, -1)))
    );
  }
}

function dirEntry(path: string, { bytes, mtime, files, dirs }: DirState): DirEntry {
  return { ...entryName(nameOf(path), true), bytes, mtime, files, dirs };
}
