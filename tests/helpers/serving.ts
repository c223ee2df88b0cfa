/** The whole chain for clients: a node that is synced, indexed and served on a free port. */
import { TestNode } from "./node.ts";

/** A served node; disposing it stops the server. */
export class Serving implements AsyncDisposable {
  private constructor(
    readonly node: TestNode,
    readonly url: string,
    private readonly server: Deno.ChildProcess,
  ) {}

  /** Syncs, indexes and serves what `repos` (TOML) says. */
  static async start(repos: string): Promise<Serving> {
    const node = await TestNode.make(repos);
    await must(node, "scripts/syncrepo.ts");
    await must(node, "scripts/indexer.ts");
    const server = node.start("server/main.ts", "--json", "--port=0", "-q");
    const reader = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let line = "";
    while (!line.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error("the server ended before it listened");
      line += value;
    }
    await reader.cancel();
    await server.stderr.cancel();
    return new Serving(node, JSON.parse(line).url, server);
  }

  async [Symbol.asyncDispose]() {
    this.server.kill("SIGTERM");
    await this.server.status;
    await this.node[Symbol.asyncDispose]();
  }
}

/** Runs a command of ours that has to succeed. */
export async function must(node: TestNode, script: string, ...args: string[]) {
  const { code, stderr } = await node.run(script, ...args);
  if (code !== 0) throw new Error(`${script} ended with ${code}: ${stderr}`);
}

/** Runs a program that has to succeed; gives stdout. */
export async function output(command: string, args: string[], options: Deno.CommandOptions = {}) {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, ...options })
    .output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`${command} ${args.join(" ")}: ${text(stderr)}${text(stdout)}`);
  return text(stdout);
}
