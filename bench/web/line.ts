/**
 * A slow line to a server: a TCP relay through which so many bytes a second come, over all connections
 * together. (The browser's own emulation stands still at times while a preload waits to be read.)
 */

/** Bytes that travel at once: a few packets. */
const PIECE = 8192;

export class Line {
  #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  #open = new Set<Deno.TcpConn>();
  /** When the line is free again. */
  #free = 0;

  constructor(private target: number, private bytesPerSecond: number) {
    this.#accept();
  }

  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  async #accept() {
    for await (const client of this.#listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: this.target });
      this.#open.add(client).add(server);
      client.readable.pipeTo(server.writable).catch(() => {});
      this.#answer(server, client).catch(() => {}).finally(() => {
        for (const side of [client, server]) {
          this.#open.delete(side);
          try {
            side.close();
          } catch { /* it is closed */ }
        }
      });
    }
  }

  async #answer(server: Deno.TcpConn, client: Deno.TcpConn) {
    const buffer = new Uint8Array(PIECE);
    for (let n; (n = await server.read(buffer)) !== null;) {
      const now = performance.now();
      this.#free = Math.max(now, this.#free) + n / this.bytesPerSecond * 1000;
      if (this.#free > now + 1) await new Promise((r) => setTimeout(r, this.#free - now));
      for (let at = 0; at < n;) at += await client.write(buffer.subarray(at, n));
    }
  }

  close() {
    this.#listener.close();
    for (const connection of this.#open) {
      try {
        connection.close();
      } catch { /* it is closed */ }
    }
  }
}
