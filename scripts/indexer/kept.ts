/** What a walk keeps of directories without links, beyond their listings. */
import { LARGE_BYTES, sizeOf } from "./page.ts";
import type { Folder } from "./reader.ts";

/** At most so much is kept. */
const MOST_BYTES = 16 * 1024 * 1024;

/** The records of large directories: links are likely to lead there, and their listings are long to read. */
export class Kept {
  private records = new Map<string, Uint8Array[]>();
  private bytes = 0;

  /** The records of a directory; of a large one in a single piece, which is kept. */
  recordsOf({ path, records }: Folder): Uint8Array[] {
    if (sizeOf(records) < LARGE_BYTES) return records;
    const copy = copyOf(records);
    if (this.bytes + copy.length <= MOST_BYTES) {
      this.bytes += copy.length;
      this.records.set(path, [copy]);
    }
    return [copy];
  }

  get(path: string): Uint8Array[] | undefined {
    return this.records.get(path);
  }
}

/** A copy of records in one piece: what a walk gives are windows on the chunks that find's output came in. */
export function copyOf(records: Uint8Array[]): Uint8Array {
  const copy = new Uint8Array(sizeOf(records));
  let at = 0;
  for (const part of records) {
    copy.set(part, at);
    at += part.length;
  }
  return copy;
}
