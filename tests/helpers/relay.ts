/** A TCP relay in front of a server that can cut, stall and refuse, as a bad line does. */

/** What it does to what comes from the server. */
export interface Mood {
  /** Closes after so many bytes. */
  cutAfter?: number;
  /** Falls silent after so many bytes, the connection open. */
  stallAfter?: number;
  /** Closes every connection at once. */
  refuse?: boolean;
}

/** A relay on a free loopback port; `mood` may be changed at any time. */
export class Relay implements AsyncDisposable {
  mood: Mood = {};
  connections = 0;
  private readonly listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  private readonly open = new Set<Deno.TcpConn>();
  private readonly done: Promise<void>;

  constructor(private readonly target: number) {
    this.done = this.accept();
  }

  get port(): number {
    return this.listener.addr.port;
  }

  private async accept() {
    const jobs: Promise<void>[] = [];
    for await (const client of this.listener) {
      this.connections++;
      if (this.mood.refuse) client.close();
      else jobs.push(this.serve(client));
    }
    await Promise.all(jobs);
  }

  private async serve(client: Deno.TcpConn) {
    const server = await Deno.connect({ hostname: "127.0.0.1", port: this.target });
    this.open.add(client).add(server);
    await Promise.all([
      this.copy(client, server, () => ({})),
      this.copy(server, client, () => this.mood),
    ]);
    for (const conn of [client, server]) this.close(conn);
  }

  private close(conn: Deno.TcpConn) {
    if (!this.open.delete(conn)) return;
    try {
      conn.close();
    } catch { /* closed already */ }
  }

  private async copy(from: Deno.TcpConn, to: Deno.TcpConn, mood: () => Mood) {
    const buffer = new Uint8Array(16384);
    let passed = 0;
    try {
      for (let n; (n = await from.read(buffer)) !== null;) {
        const { cutAfter = Infinity, stallAfter = Infinity } = mood();
        const most = Math.min(cutAfter, stallAfter) - passed;
        for (let at = 0; at < Math.min(n, most);) {
          at += await to.write(buffer.subarray(at, Math.min(n, most)));
        }
        passed += n;
        if (passed >= cutAfter) {
          this.close(from);
          this.close(to);
          return;
        }
        // Silent from now on, but still reading nothing: the sender's buffers fill up.
        if (passed >= stallAfter) {
          return await new Promise<void>((resolve) => this.stalled.push(resolve));
        }
      }
      await to.closeWrite();
    } catch { /* one side went away */ }
  }
  private readonly stalled: (() => void)[] = [];

  async [Symbol.asyncDispose]() {
    this.listener.close();
    for (const wake of this.stalled) wake();
    for (const conn of [...this.open]) this.close(conn);
    await this.done.catch(() => {});
  }
}
