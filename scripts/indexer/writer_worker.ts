/** The other core's side of {@linkcode Writer}: does each batch and answers, with the error or nothing. */
import { type Batch, perform } from "./batch.ts";

const port = globalThis as unknown as Worker;

port.onmessage = ({ data }: MessageEvent<Batch>) => {
  try {
    perform(data);
    port.postMessage("");
  } catch (error) {
    port.postMessage(String(error));
  }
};
