/**
 * Looking at a whole repository: a walk that prepares the listing of each directory when it leaves it,
 * or only of those that are not as the state says. Only directories that are open, and those with links,
 * are in memory.
 */
import { type DirEntry, type Entry, entryName, type Listing } from "../../formats/listing.ts";
import { toHref, toText, toTextLossy } from "../../formats/names.ts";
import { fileEntry, sameTotals } from "./entries.ts";
import { copyOf, Kept } from "./kept.ts";
import { followAll, type Held } from "./linked.ts";
import { listingOf, OWN_NAMES, type Raw } from "./page.ts";
import { below, nameOf } from "./paths.ts";
import type { Place } from "./publish.ts";
import { isDirectory, isGone, readHead } from "./read.ts";
import type { Folder, Visitor } from "./reader.ts";
import { readRecords, type Record, sumRecords, type Totals } from "./records.ts";
import type { DirState } from "./state.ts";

/** Where listings go: {@linkcode Publication} writes them, `--check` compares them. */
export interface Sink {
  /** The place of a listing; `path` is where it stands at the end. */
  place(path: string, parent?: Place): Place;
  drop(place: Place): void;
  put(place: Place, listing: Listing): void;
  /** {@linkcode put} of a directory without links; it may be made later, or on another core. */
  putRaw(place: Place, raw: Raw): void;
  /** All listings are going to be made. */
  warm?(): void;
  pause?(): Promise<void> | undefined;
  /** Waits until all that was put can be read. */
  settle(): Promise<void>;
  /** Where the file that was put, or that stands there already, can be read now. */
  current(place: Place, name: "index.json"): string;
}

/** The repository that is looked at. */
export interface Subject {
  /** URL path, with `/` at both ends. */
  path: string;
  static: string;
  indexes: string;
  /** Directories of other repositories, relative, without `/` at the end. */
  closed: Set<string>;
}

/** A directory that has been entered. */
interface Frame {
  folder: Folder;
  /** Undefined where it can't have a listing. */
  place?: Place;
  entries: DirEntry[];
  /** Totals of what is below it, without its own files. */
  below: Totals;
  /** Something below it is not as the state says. */
  changed: boolean;
  odd: boolean;
}

const none = (): Totals => ({ bytes: 0, mtime: -Infinity, files: 0, dirs: 0 });

export class Scan implements Visitor {
  /** What is known now. */
  readonly dirs = new Map<string, DirState>();
  lookups: string[] = [];
  readonly problems: string[] = [];
  /** Directories that may not be read: what was known of them and below stays. */
  readonly unreadable: string[] = [];
  entries = 0;
  /** Directories whose listing was made anew. */
  rendered = 0;
  private stack: Frame[] = [];
  private held = new Map<string, Held>();
  private kept = new Kept();

  /** Without `old`, every listing is made and compared. */
  constructor(
    private readonly subject: Subject,
    private readonly old: Map<string, DirState> | undefined,
    private readonly sink: Sink,
  ) {}

  open(folder: Folder) {
    const above = this.stack.at(-1);
    this.stack.push({
      folder,
      place: this.subject.closed.has(folder.path) ? undefined : this.placeFor(folder, above),
      entries: [],
      below: none(),
      changed: false,
      odd: false,
    });
  }

  /** The place of a directory's listing; where it can't have one, that is a problem. */
  private placeFor({ path }: Folder, above?: Frame): Place | undefined {
    if (above && !above.place) return undefined;
    const name = nameOf(path), text = toText(name);
    const why = text === undefined
      ? "its name is not UTF-8"
      : OWN_NAMES.has(name)
      ? "its name is that of a listing"
      : path.length > 3000
      ? "its path is too long"
      : undefined;
    if (why) {
      this.problem(path, `listed, but has no listing of its own: ${why}`);
      return undefined;
    }
    const standing = this.standing(path);
    const known = !above?.place?.fresh && (this.old?.has(path) || isDirectory(standing.dir));
    return known ? standing : this.sink.place(standing.dir, above?.place);
  }

  /** The place of a listing that stands already. */
  private standing(path: string): Place {
    return { dir: this.subject.indexes + (path && "/" + toText(path)), fresh: false };
  }

  pause(): Promise<void> | undefined {
    return this.sink.pause?.();
  }

  private problem(path: string, what: string) {
    this.problems.push(`${toHref(path) || "/"}: ${what}`);
  }

  odd(path: string, type: string) {
    this.stack.at(-1)!.odd = true;
    const kind = ({ p: "a pipe", s: "a socket", b: "a block device", c: "a device" } as {
      [type: string]: string;
    })[type] ?? "of an unknown type";
    this.problem(path, `not listed: it is ${kind}`);
  }

  close(folder: Folder) {
    const frame = this.stack.pop()!, parent = this.stack.at(-1), { path } = folder;
    const before = this.old?.get(path);
    if (this.subject.closed.has(path)) {
      this.closeOther(folder, before, parent);
      return;
    }
    const empty = folder.records.length === 0 && frame.entries.length === 0 && !frame.odd;
    const seen = empty ? this.lookAgain(path) : "empty";
    if (seen === "gone" && parent) {
      if (frame.place) this.sink.drop(frame.place);
      return;
    }
    const now = seen === "unreadable"
      ? this.keep(frame, before)
      : this.asBefore(frame, before)
      ? before!
      : this.render(frame);
    this.dirs.set(path, now);
    // A directory without a listing can only be asked here for the files that links lead to.
    if (folder.hasLinks || !frame.place) this.hold(frame, now);
    this.count(path, now, before, parent, true);
  }

  /** Adds a directory to the one that it is in. */
  private count(
    path: string,
    now: Totals,
    before: DirState | undefined,
    parent: Frame | undefined,
    counted: boolean,
  ) {
    if (!parent) return;
    const { bytes, mtime, files, dirs } = now;
    parent.entries.push({
      ...entryName(nameOf(path), true),
      bytes,
      mtime,
      files,
      dirs,
    } as DirEntry);
    if (!before || !sameTotals(before, now)) parent.changed = true;
    if (!counted) return;
    parent.below.bytes += bytes;
    parent.below.files += files;
    parent.below.dirs += dirs + 1;
    if (files > 0) parent.below.mtime = Math.max(parent.below.mtime, mtime);
  }

  /** The root of another repository: listed with what its own listing says, and counted by that one. */
  private closeOther(folder: Folder, before: DirState | undefined, parent?: Frame) {
    const head = readHead(`${this.subject.indexes}/${folder.path}/index.json`);
    const now = { hash: 1, bytes: 0, files: 0, dirs: 0, mtime: folder.mtime, ...head };
    this.dirs.set(folder.path, now);
    this.count(folder.path, now, before, parent, false);
  }

  private asBefore({ folder, changed }: Frame, before: DirState | undefined): boolean {
    if (!before || changed || before.hash !== folder.hash.value) return false;
    // Its own time is shown only where there is no file to take a time from.
    return before.files > 0 || before.mtime === folder.mtime;
  }

  /** Whether a directory in which find saw nothing is empty, has vanished, or can't be looked into. */
  private lookAgain(path: string): "empty" | "gone" | "unreadable" {
    const text = toText(path);
    if (text === undefined) return "empty";
    const dir = `${this.subject.static}/${text}`;
    try {
      for (const { name } of Deno.readDirSync(dir)) Deno.lstatSync(`${dir}/${name}`);
      return "empty";
    } catch (error) {
      if (error instanceof Deno.errors.PermissionDenied) return "unreadable";
      if (isGone(error)) return isDirectory(dir) ? "empty" : "gone";
      throw error;
    }
  }

  /**
   * A directory that may not be read keeps the listing that it has, with all below: what was there is
   * likely still there and served. Without one it gets none, for an empty one would say that it is empty.
   */
  private keep({ folder, place }: Frame, before: DirState | undefined): DirState {
    const known = before ?? (place && readHead(this.sink.current(place, "index.json")));
    if (place) this.sink.drop(place);
    this.unreadable.push(folder.path);
    return { bytes: 0, files: 0, dirs: 0, mtime: folder.mtime, ...known, hash: 0 };
  }

  private render(frame: Frame): DirState {
    const { folder, below, place } = frame, own = sumRecords(folder.records);
    const total = {
      bytes: below.bytes + own.bytes,
      mtime: Math.max(below.mtime, own.mtime),
      files: below.files + own.files,
      dirs: below.dirs,
    };
    if (total.mtime === -Infinity) total.mtime = folder.mtime;
    this.rendered++;
    if (place && !folder.hasLinks) {
      const raw: Raw = {
        path: this.shownPath(folder.path),
        head: total,
        dirs: frame.entries,
        records: this.kept.recordsOf(folder),
      };
      this.entries += raw.dirs.length + own.files;
      this.sink.putRaw(place, raw);
    }
    return { hash: folder.hash.value, ...total };
  }

  private shownPath(path: string): string {
    return toTextLossy(this.subject.path + (path && path + "/"));
  }

  private put(path: string, place: Place, { head, dirs }: Held, others: Entry[]) {
    this.entries += dirs.length + others.length;
    this.sink.put(place, listingOf(this.shownPath(path), head, dirs, others));
  }

  /** Keeps what is needed to make a listing with links once the walk is over. */
  private hold({ folder, place, entries }: Frame, head: Totals) {
    this.held.set(folder.path, { place, head, dirs: entries, records: [copyOf(folder.records)] });
  }

  /** True if something is not as the state says. */
  get changed(): boolean {
    return this.rendered > 0 || this.unreadable.length > 0 ||
      this.dirs.size !== this.old?.size;
  }

  /** The walk is over: follows the links. Where nothing {@linkcode changed}, they lead where they led. */
  async finish() {
    for (const path of this.unreadable) this.keepBelow(path);
    if (!this.changed) return;
    const { pages, lookups } = await followAll({
      held: this.held,
      isDir: (path) => this.dirs.has(path),
      records: (path) => this.kept.get(path),
      listing: async (path) => {
        await this.sink.settle();
        return this.sink.current(this.standing(path), "index.json");
      },
    });
    this.lookups = lookups;
    for (let page = pages.shift(); page; page = pages.shift()) {
      const { path, held, entries } = page;
      if (held.place) this.put(path, held.place, held, entries);
      await this.pause();
    }
  }

  /** {@linkcode finish} for a walk of a part: `resolve` knows of the rest where links lead. */
  finishPart(resolve: (path: string, link: Record) => Entry) {
    for (const [path, held] of this.held) {
      const entries = readRecords(held.records).map((r) =>
        r.target === undefined ? fileEntry(r) : resolve(below(path, r.name), r)
      );
      if (held.place) this.put(path, held.place, held, entries);
    }
  }

  private keepBelow(path: string) {
    if (!this.old) return;
    for (const [dir, state] of this.old) {
      if (dir.startsWith(path + "/")) this.dirs.set(dir, state);
    }
  }
}
