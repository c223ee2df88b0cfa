/**
 * Writing prepared files, on another core where there is much to write. The bytes of many files travel as
 * one piece, which is handed over and not copied.
 */
import { compress } from "./gzip.ts";

/** What is to be done in scratch space, in this order. */
export type Step =
  | { do: "mkdir"; path: string }
  | { do: "remove"; path: string }
  /** `gzip`: a .gz beside it as well. */
  | { do: "write"; path: string; bytes: number; gzip: boolean };

/** Steps, and the bytes of all their files one after the other. */
export interface Batch {
  steps: Step[];
  bytes: Uint8Array<ArrayBuffer>;
}

/** Does the steps of a batch. */
export function perform({ steps, bytes }: Batch) {
  let at = 0;
  for (const step of steps) {
    if (step.do === "mkdir") Deno.mkdirSync(step.path);
    else if (step.do === "remove") Deno.removeSync(step.path, { recursive: true });
    else {
      const content = bytes.subarray(at, at += step.bytes);
      Deno.writeFileSync(step.path, content);
      if (step.gzip) Deno.writeFileSync(step.path + ".gz", compress(content));
    }
  }
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

/** A batch of this size goes to the other core; starting that takes as long as writing about as much. */
const BATCH_BYTES = 256 * 1024;
/** With this much on its way, whoever makes more has to wait: memory is limited. */
const MOST_BYTES = 16 * 1024 * 1024;

export class Writer implements Disposable {
  private steps: Step[] = [];
  private buffer: Uint8Array<ArrayBuffer> = new Uint8Array(BATCH_BYTES);
  private used = 0;
  private worker?: Worker;
  private underway: number[] = [];
  private error?: Error;
  private wake = () => {};

  /** `alone`: there is little to write, and the other core is not worth its start. */
  constructor(private readonly alone = false) {}

  mkdir(path: string) {
    this.steps.push({ do: "mkdir", path });
  }

  remove(path: string) {
    this.steps.push({ do: "remove", path });
  }

  /** The content is not the caller's any more. */
  write(path: string, content: Uint8Array<ArrayBuffer>, gzip: boolean) {
    if (this.used + content.length > this.buffer.length) {
      if (this.used > 0) this.send();
      if (content.length > this.buffer.length) {
        // Handed over as it is: who makes a large file does not need it any more.
        this.steps.push({ do: "write", path, bytes: content.length, gzip });
        this.buffer = content;
        this.used = content.length;
        this.send();
        return;
      }
    }
    this.buffer.set(content, this.used);
    this.used += content.length;
    this.steps.push({ do: "write", path, bytes: content.length, gzip });
  }

  private take(): Batch {
    const batch = { steps: this.steps, bytes: this.buffer.subarray(0, this.used) };
    this.steps = [];
    this.buffer = new Uint8Array(BATCH_BYTES);
    this.used = 0;
    return batch;
  }

  private send() {
    if (this.alone) {
      perform(this.take());
      return;
    }
    this.worker ??= this.start();
    const batch = this.take();
    this.underway.push(batch.bytes.length);
    this.worker.postMessage(batch, [batch.bytes.buffer]);
  }

  private start(): Worker {
    const worker = new Worker(new URL("./writer_worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<string>) => {
      this.underway.shift();
      if (data !== "") this.error ??= new Error(data);
      this.wake();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.error ??= new Error(event.message);
      this.underway = [];
      this.wake();
    };
    return worker;
  }

  /** Waits until no more than `most` bytes are on their way. */
  private async below(most: number) {
    const bytes = () => this.underway.reduce((sum, n) => sum + n, 0);
    while (this.underway.length > 0 && bytes() >= most) {
      await new Promise<void>((resolve) => this.wake = resolve);
    }
    if (this.error) throw this.error;
  }

  /** A promise if whoever has more to write has to wait. */
  pause(): Promise<void> | undefined {
    return this.underway.length > MOST_BYTES / BATCH_BYTES ? this.below(MOST_BYTES / 2) : undefined;
  }

  /** Waits until all is written. */
  async settle() {
    if (this.worker) {
      if (this.steps.length > 0) this.send();
      await this.below(0);
    } else if (this.steps.length > 0) perform(this.take());
  }

  [Symbol.dispose]() {
    this.worker?.terminate();
  }
}
