/** `--check`: compares what a scan would write with what stands there, and writes nothing. */
import type { Sink } from "./scan.ts";
import { holds, type LISTING_FILES, type Place } from "./publish.ts";
import { isDirectory } from "./read.ts";
import { encodeParts } from "./writer.ts";

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

  put({ dir }: Place, name: typeof LISTING_FILES[number], text: Iterable<string>) {
    const path = `${dir}/${name}`;
    if (holds(path, encodeParts(text))) return;
    this.say(path, isDirectory(dir) ? "differs" : "missing");
  }

  current({ dir }: Place, name: typeof LISTING_FILES[number]): string {
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
