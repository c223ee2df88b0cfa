/** How checks reach a node from a Cloudflare Worker. */
import { readBody } from "./body.ts";
import { AGENT, type Place, type Wire } from "./wire_types.ts";

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
async function connectTo({ address, port }: Place): Promise<Socket> {
  const { connect }: { connect: Connect } = await import(["cloudflare", "sockets"].join(":"));
  const socket = connect({ hostname: address.includes(":") ? `[${address}]` : address, port });
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
    const location = response.headers.get("location") ?? undefined;
    return { status: response.status, location, ...await readBody(response.body, maxBytes) };
  },

  async talk(to, send, until, signal) {
    const socket = await connectTo(to);
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

  async open(to) {
    await (await connectTo(to)).close();
  },
};
