/**
 * Reads `index.json` while it arrives. Each byte is decoded once and each line parsed once: what came
 * before is never looked at again, however long the listing is.
 */
import type { Entry, ListingHead } from "../formats/listing.ts";

/** What a piece of the stream held. */
export interface Batch {
  head?: ListingHead;
  entries: Entry[];
}

/** Turns pieces of `index.json` into entries. */
export class ListingReader {
  #decoder = new TextDecoder();
  #rest = "";
  #head = false;
  /** True once the closing line was read: without it, the listing broke off. */
  complete = false;

  /** Every entry whose line ends within what has come so far. */
  push(bytes: Uint8Array): Batch {
    const lines = this.#decoder.decode(bytes, { stream: true }).split("\n");
    lines[0] = this.#rest + lines[0];
    this.#rest = lines.pop()!;
    return this.#read(lines);
  }

  /** What stands behind the last newline. Throws where the listing broke off. */
  end(): Batch {
    const batch = this.#read(this.#rest === "" ? [] : [this.#rest]);
    this.#rest = "";
    if (!this.complete) throw new Error("the listing broke off before its end");
    return batch;
  }

  #read(lines: string[]): Batch {
    const batch: Batch = { entries: [] };
    for (const line of lines) {
      if (!this.#head) {
        this.complete = line.endsWith("]}");
        const { entries, ...head } = JSON.parse(this.complete ? line : line + "]}");
        if (head.v !== 1) throw new Error(`the listing has version ${head.v}, known is 1`);
        this.#head = true;
        batch.head = head;
        batch.entries.push(...entries);
      } else if (line.startsWith("]")) {
        this.complete = true;
      } else if (line !== "") {
        batch.entries.push(JSON.parse(line.endsWith(",") ? line.slice(0, -1) : line));
      }
    }
    return batch;
  }
}
