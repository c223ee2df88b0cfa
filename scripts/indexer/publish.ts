/**
 * Writing listings so that a reader sees the old or the new, whole. Everything is prepared in scratch
 * space on the same file system first and renamed into place at the end: a run that is killed while it
 * prepares has changed nothing, and no half-written or temporary file ever stands among the listings.
 */
import type { Listing } from "../../formats/listing.ts";
import { compress, type Packed } from "./gzip.ts";
import { isDirectory, isGone, readBytes, removeTree } from "./read.ts";
import { agrees, holds } from "./standing.ts";
import {
  filesOf,
  LARGE_BYTES,
  LISTING_FILES,
  type ListingFile,
  listingOfRaw,
  type Raw,
  sizeOf,
} from "./page.ts";
import { encodeParts, isPacked } from "./batch.ts";
import { Writer } from "./writer.ts";

/** Where the listing of a directory is written to. */
export interface Place {
  dir: string;
  /** It is part of a new tree in scratch space, which nobody reads yet. */
  fresh: boolean;
}

interface Move {
  from: string;
  to: string;
  /** A .gz to move after it. */
  gzip: boolean;
}

/** What was written. */
export interface Written {
  written: number;
  removed: number;
}

/** A set of changes to the listings of one repository. */
export class Publication {
  private moves: Move[] = [];
  private prepared = new Map<string, string>();
  private grafts: [string, string][] = [];
  private removals: string[] = [];
  private strays: string[] = [];
  private n = 0;
  private readonly writer: Writer;
  readonly result: Written = { written: 0, removed: 0 };

  /** `scratch` must be on the file system of the listings. What a killed run left there goes. */
  constructor(private readonly scratch: string, { small = false } = {}) {
    this.writer = new Writer(small);
    removeTree(scratch);
    Deno.mkdirSync(scratch, { recursive: true });
  }

  /** True if nothing would change. */
  get empty(): boolean {
    return this.moves.length + this.grafts.length + this.removals.length + this.strays.length === 0;
  }

  private name(suffix: string): string {
    return `${this.scratch}/${this.n++}${suffix}`;
  }

  /** A place for the listing of a directory that has none yet, standing at `path` at the end. */
  place(path: string, parent?: Place): Place {
    if (parent?.fresh) {
      const dir = parent.dir + path.slice(path.lastIndexOf("/"));
      this.writer.mkdir(dir);
      return { dir, fresh: true };
    }
    const dir = this.name("");
    this.writer.mkdir(dir);
    this.grafts.push([dir, path]);
    return { dir, fresh: true };
  }

  /** Takes back a place: its directory vanished meanwhile. */
  drop(place: Place) {
    if (!place.fresh) return;
    this.writer.remove(place.dir);
    this.grafts = this.grafts.filter(([from]) => from !== place.dir);
  }

  /** Prepares the files of a listing, those that don't stand there already. */
  put(place: Place, listing: Listing) {
    for (const [name, parts] of filesOf(listing)) this.putBytes(place, name, encodeParts(parts));
  }

  /** {@linkcode put} of a directory without links. Where it is new and large, another core makes it. */
  putRaw(place: Place, raw: Raw) {
    if (!place.fresh || sizeOf(raw.records) < LARGE_BYTES) {
      return this.put(place, listingOfRaw(raw));
    }
    this.writer.list(place.dir, raw);
    this.result.written += LISTING_FILES.length;
  }

  /** There will be much to write. */
  warm() {
    this.writer.warm();
  }

  /**
   * {@linkcode put} of what is bytes already, in place of `old`, which was read just now. A small publication
   * is done with the bytes when this returns: the memory is the caller's again.
   */
  replace(
    place: Place,
    name: ListingFile,
    bytes: Uint8Array<ArrayBuffer>,
    old: Uint8Array,
  ) {
    const gzip = readBytes(`${place.dir}/${name}.gz`);
    if (!agrees(bytes, old, gzip)) this.write(place, name, bytes, gzip && { text: old, gzip });
  }

  private putBytes(place: Place, name: ListingFile, bytes: Uint8Array<ArrayBuffer>) {
    if (place.fresh || !holds(`${place.dir}/${name}`, bytes)) this.write(place, name, bytes);
  }

  private write(place: Place, name: ListingFile, bytes: Uint8Array<ArrayBuffer>, old?: Packed) {
    const to = `${place.dir}/${name}`, gzip = isPacked(bytes);
    const from = place.fresh ? to : this.name(name);
    if (gzip && old) this.writer.write(from + ".gz", compress(bytes, old), false);
    this.writer.write(from, bytes, gzip && !old);
    this.result.written++;
    if (place.fresh) return;
    this.moves.push({ from, to, gzip });
    this.prepared.set(to, from);
  }

  /** Where a file of a listing can be read now: as it was prepared, or as it stands. */
  current(place: Place, name: ListingFile): string {
    const to = `${place.dir}/${name}`;
    const graft = this.grafts.find(([, path]) => to.startsWith(path + "/"));
    if (graft) return graft[0] + to.slice(graft[1].length);
    return this.prepared.get(to) ?? to;
  }

  /** Prepares the removal of a vanished directory's listing, with all below it. */
  remove(dir: string, listings = 1) {
    this.removals.push(dir);
    this.result.removed += listings;
  }

  /** Prepares the removal of a file that has no business among the listings. */
  removeFile(path: string) {
    this.strays.push(path);
  }

  /** A promise if whoever makes listings has to wait for the disk. */
  pause(): Promise<void> | undefined {
    return this.writer.pause();
  }

  /** Waits until all that was put can be read. */
  settle(): Promise<void> {
    return this.writer.settle();
  }

  /** Publishes all that was prepared and has settled: new directories first, then what leads to them, then removals. */
  publish() {
    for (const [from, to] of this.grafts) this.move(from, to);
    for (const { from, to, gzip } of this.moves) {
      // A server that finds index.html.gz serves it without a look at index.html (nginx: gzip_static). So
      // there is none while the plain file changes: the pair never differs, even if we die in between.
      removeTree(to + ".gz");
      this.move(from, to);
      if (gzip) this.move(from + ".gz", to + ".gz");
    }
    for (const dir of this.removals) {
      try {
        Deno.renameSync(dir, this.name(""));
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    }
    for (const path of this.strays) removeTree(path);
  }

  private move(from: string, to: string) {
    try {
      Deno.renameSync(from, to);
    } catch {
      // The way is not there, or something that is not ours stands in it.
      const above = to.slice(0, to.lastIndexOf("/"));
      if (!isDirectory(above)) removeTree(above);
      Deno.mkdirSync(above, { recursive: true });
      removeTree(to);
      Deno.renameSync(from, to);
    }
  }

  /** Empties the scratch space. */
  [Symbol.dispose]() {
    this.writer[Symbol.dispose]();
    removeTree(this.scratch);
  }
}
