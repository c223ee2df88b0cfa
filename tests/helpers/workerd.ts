/** A Worker in Cloudflare's own runtime, for a test. */
import { fromFileUrl } from "@std/path/posix";
import { tied } from "../../scripts/lib/run.ts";
import type { Answered, Asked, Command } from "../workerd/driver.ts";

const DIR = fromFileUrl(new URL("../workerd/", import.meta.url));

/** A running Worker. */
export class Workerd implements AsyncDisposable {
  private rest = "";
  private constructor(
    private readonly child: Deno.ChildProcess,
    private readonly writer: WritableStreamDefaultWriter<Uint8Array>,
    private readonly reader: ReadableStreamDefaultReader<string>,
    private readonly outbound: Deno.HttpServer | undefined,
  ) {}

  /** Starts one with miniflare's options; `fetched` answers what it fetches, in place of the network. */
  static async start(
    start: Record<string, unknown>,
    fetched?: (asked: Asked) => Promise<Answered>,
  ): Promise<Workerd> {
    const server = fetched &&
      Deno.serve(
        { hostname: "127.0.0.1", port: 0, onListen: () => {} },
        async (request) => Response.json(await fetched(await request.json())),
      );
    const flags = [`--config=${DIR}deno.json`, `--lock=${DIR}deno.lock`, "--frozen", "--quiet"];
    const { command, args } = tied({
      command: Deno.execPath(),
      args: ["run", "-A", "--no-check", ...flags, `${DIR}driver.ts`],
    });
    const child = new Deno.Command(command, { args, stdin: "piped", stdout: "piped" }).spawn();
    const reader = child.stdout.pipeThrough(new TextDecoderStream() as never).getReader();
    const worker = new Workerd(child, child.stdin.getWriter(), reader as never, server);
    await worker.say({ start, outbound: server ? `http://127.0.0.1:${port(server)}` : null });
    return worker;
  }

  private async say(command: Command): Promise<unknown> {
    await this.writer.write(new TextEncoder().encode(JSON.stringify(command) + "\n"));
    for (;;) {
      const at = this.rest.indexOf("\n");
      if (at >= 0) {
        const line = this.rest.slice(0, at);
        this.rest = this.rest.slice(at + 1);
        return JSON.parse(line);
      }
      const { value, done } = await this.reader.read();
      if (done) throw new Error("the Worker's process has ended");
      this.rest += value;
    }
  }

  /** Sets its cron trigger off; gives how it ended. */
  async cron(): Promise<string> {
    return await this.say({ cron: "* * * * *" }) as string;
  }

  /** Asks it for a path. */
  async get(path: string, method = "GET"): Promise<Answered> {
    return await this.say({ path, method }) as Answered;
  }

  async [Symbol.asyncDispose]() {
    await this.writer.close().catch(() => {});
    await this.reader.cancel();
    await this.child.status;
    await this.outbound?.shutdown();
  }
}

const port = (server: Deno.HttpServer) => (server.addr as Deno.NetAddr).port;
