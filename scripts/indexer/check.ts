/** `--check`: compares what a scan would write with what stands there, and writes nothing. */
import { encodeParts } from "./batch.ts";
import type { Sink } from "./scan.ts";
import type { Listing } from "../../formats/listing.ts";
import { filesOf, type ListingFile, listingOfRaw, type Raw } from "./page.ts";
import type { Place } from "./publish.ts";
import { isDirectory } from "./read.ts";
import { holds } from "./standing.ts";

export class Comparison implements Sink {
  /** Each difference, as a file and what is wrong about it. */
  readonly differences: string[] = [];

  constructor(private readonly indexes: string) {}

  place(path: string): Place {
    return { dir: path, fresh: false };
  }

  drop() {}

  settle(): Promise<void> {
    return Promise.resolve();
  }

  put({ dir }: Place, listing: Listing) {
    for (const [name, parts] of filesOf(listing)) {
      const path = `${dir}/${name}`;
      if (!holds(path, encodeParts(parts))) {
        this.say(path, isDirectory(dir) ? "differs" : "missing");
      }
    }
  }

  putRaw(place: Place, raw: Raw) {
    this.put(place, listingOfRaw(raw));
  }

  current({ dir }: Place, name: ListingFile): string {
    return `${dir}/${name}`;
  }

  remove(dir: string) {
    this.say(dir + "/", "is of a directory that is gone");
  }

  removeFile(path: string) {
    this.say(path, "does not belong here");
  }

  private say(path: string, what: string) {
    this.differences.push(`${path.slice(this.indexes.length + 1)}: ${what}`);
  }
}
