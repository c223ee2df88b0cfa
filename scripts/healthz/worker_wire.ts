/** How checks reach a node from a Cloudflare Worker. */
import { AGENT, joined, type Wire } from "./wire_types.ts";

/** A TCP connection of the Workers runtime. */
interface Socket {
  readable: ReadableStream<Uint8Array>;
  writable: WritableStream<Uint8Array>;
  opened: Promise<unknown>;
  close(): Promise<void>;
}
type Connect = (to: { hostname: string; port: number }) => Socket;

const TALK_BYTES = 4096;

/** The runtime's own module; its name is put together so that Deno, which doesn't have it, looks away. */
async function open(hostname: string, port: number): Promise<Socket> {
  const { connect }: { connect: Connect } = await import(["cloudflare", "sockets"].join(":"));
  const socket = connect({ hostname: hostname.includes(":") ? `[${hostname}]` : hostname, port });
  await socket.opened;
  return socket;
}

/** The wire of a Worker. */
export const workerWire: Wire = {
  async get({ scheme, port, host, path, headers, maxBytes }, signal) {
    if (!host) throw new Error('a Worker needs a name for this node: set its "host"');
    const isDefault = port === (scheme === "https" ? 443 : 80);
    const response = await fetch(`${scheme}://${host}${isDefault ? "" : `:${port}`}${path}`, {
      headers: { "user-agent": AGENT, ...headers },
      redirect: "manual",
      cache: "no-store",
      signal,
    });
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const reader = response.body?.getReader();
    while (reader && bytes <= maxBytes) {
      const { value, done } = await reader.read();
      if (done) break;
      chunks.push(value);
      bytes += value.length;
    }
    await reader?.cancel();
    return {
      status: response.status,
      location: response.headers.get("location") ?? undefined,
      body: joined(chunks, Math.min(bytes, maxBytes)),
      isCut: bytes > maxBytes,
    };
  },

  async talk({ address, port }, send, until, signal) {
    const socket = await open(address, port);
    const close = () => void socket.close().catch(() => {});
    signal.addEventListener("abort", close);
    try {
      if (send) {
        const writer = socket.writable.getWriter();
        await writer.write(new TextEncoder().encode(send));
        writer.releaseLock();
      }
      const reader = socket.readable.getReader();
      const decoder = new TextDecoder();
      let text = "";
      while (text.length < TALK_BYTES && !until.test(text)) {
        const { value, done } = await reader.read();
        if (done) break;
        text += decoder.decode(value, { stream: true });
      }
      return text.slice(0, TALK_BYTES);
    } finally {
      close();
    }
  },

  async reach(reference, signal) {
    try {
      if (/^https?:/.test(reference)) {
        const response = await fetch(reference, { signal, redirect: "manual", method: "HEAD" });
        await response.body?.cancel();
        return true;
      }
      const [, hostname, port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(reference)!;
      await (await open(hostname, Number(port))).close();
      return true;
    } catch {
      return false;
    }
  },
};
