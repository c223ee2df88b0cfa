/** Files to be written, and their writing: what {@linkcode Writer} hands to the other core. */
import { compress } from "./gzip.ts";
import { filesOf, listingOfRaw, type Raw, sizeOf } from "./page.ts";

/**
 * From this size on a listing gets a .gz sibling. What fits into TCP's first window (10 segments, about
 * 14 KB, RFC 6928) arrives in the same round trip anyway, and a second file for each of many small
 * folders costs more time to write than all else.
 */
const GZIP_FROM = 14_000;
export const isPacked = (content: Uint8Array) => content.length >= GZIP_FROM;

/** What is to be done in scratch space, in this order. */
export type Step =
  | { do: "mkdir"; path: string }
  | { do: "remove"; path: string }
  /** `gzip`: a .gz beside it as well. */
  | { do: "write"; path: string; bytes: number; gzip: boolean }
  /** Makes the files of a listing. */
  | { do: "list"; dir: string; raw: Raw };

/** Steps, and the bytes of all their files one after the other. */
export interface Batch {
  steps: Step[];
  bytes: Uint8Array<ArrayBuffer>;
}

/** Bytes that a batch holds until it is done. */
export function sizeOfBatch({ steps, bytes }: Batch): number {
  const raw = steps.map((step) => step.do === "list" ? sizeOf(step.raw.records) : 0);
  return raw.reduce((sum, n) => sum + n, bytes.length);
}

/** Does the steps of a batch. */
export function perform({ steps, bytes }: Batch) {
  let at = 0;
  for (const step of steps) {
    if (step.do === "mkdir") Deno.mkdirSync(step.path);
    else if (step.do === "remove") Deno.removeSync(step.path, { recursive: true });
    else if (step.do === "write") {
      write(step.path, bytes.subarray(at, at += step.bytes), step.gzip);
    } else {
      for (const [name, parts] of filesOf(listingOfRaw(step.raw))) {
        const content = encodeParts(parts);
        write(`${step.dir}/${name}`, content, isPacked(content));
      }
    }
  }
}

function write(path: string, content: Uint8Array<ArrayBuffer>, gzip: boolean) {
  Deno.writeFileSync(path, content);
  if (gzip) Deno.writeFileSync(path + ".gz", compress(content));
}

const encoder = new TextEncoder();

/** The bytes of a text that comes in parts. The buffer grows in place, so that no second copy is left behind. */
export function encodeParts(parts: Iterable<string>): Uint8Array<ArrayBuffer> {
  let buffer = new ArrayBuffer(16 * 1024), used = 0;
  for (const part of parts) {
    // A character of UTF-16 takes three bytes of UTF-8 at most.
    const most = used + part.length * 3;
    if (most > buffer.byteLength) buffer = buffer.transfer(Math.max(most, buffer.byteLength * 2));
    used += encoder.encodeInto(part, new Uint8Array(buffer, used)).written;
  }
  return new Uint8Array(buffer.transfer(used));
}
