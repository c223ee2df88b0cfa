/**
 * Writing prepared files, on another core where there is much to write. The bytes of many files travel as
 * one piece, which is handed over and not copied.
 */
import { type Batch, perform, sizeOfBatch, type Step } from "./batch.ts";
import type { Raw } from "./page.ts";

/** A batch of this size goes to the other core; starting that takes as long as writing about as much. */
const BATCH_BYTES = 256 * 1024;
/** With this much on its way, whoever makes more has to wait: memory is limited. */
const MOST_BYTES = 16 * 1024 * 1024;

export class Writer implements Disposable {
  private steps: Step[] = [];
  private buffer: Uint8Array<ArrayBuffer> = new Uint8Array(BATCH_BYTES);
  private used = 0;
  private worker?: Worker;
  /** Bytes of each batch that is on its way, and of all. */
  private underway: number[] = [];
  private underwayBytes = 0;
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

  /** Has the files of a listing made. */
  list(dir: string, raw: Raw) {
    this.steps.push({ do: "list", dir, raw });
    this.send();
  }

  /** Starts the other core's work before there is any: that takes a moment. */
  warm() {
    if (!this.alone) this.worker ??= this.start();
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
    const batch = this.take(), bytes = sizeOfBatch(batch);
    this.underway.push(bytes);
    this.underwayBytes += bytes;
    this.worker.postMessage(batch, [batch.bytes.buffer]);
  }

  private start(): Worker {
    const worker = new Worker(new URL("./writer_worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<string>) => {
      this.underwayBytes -= this.underway.shift()!;
      if (data !== "") this.error ??= new Error(data);
      this.wake();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.error ??= new Error(event.message);
      this.underway = [];
      this.underwayBytes = 0;
      this.wake();
    };
    return worker;
  }

  /** Waits until no more than `most` bytes are on their way. */
  private async below(most: number) {
    while (this.underway.length > 0 && this.underwayBytes >= most) {
      await new Promise<void>((resolve) => this.wake = resolve);
    }
    if (this.error) throw this.error;
  }

  /** A promise if whoever has more to write has to wait. */
  pause(): Promise<void> | undefined {
    return this.underwayBytes > MOST_BYTES ? this.below(MOST_BYTES / 2) : undefined;
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
