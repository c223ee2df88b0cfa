/** A mirror under test: a folder with a configuration, and our commands run on it as an operator does. */
import { join } from "@std/path/posix";
import { denoCommand } from "../../scripts/lib/children.ts";
import type { RepoStatus } from "../../formats/status.ts";

/** How a command ended. */
export interface Done {
  code: number;
  stdout: string;
  stderr: string;
}

/** A folder of one mirror. */
export class TestNode implements AsyncDisposable {
  private constructor(readonly dir: string) {}

  /** Makes the folder and writes `repos` (TOML after the `[site]` table) as its configuration. */
  static async make(repos: string): Promise<TestNode> {
    const node = new TestNode(await Deno.makeTempDir({ prefix: "mirrorkit-test-" }));
    await node.configure(repos);
    return node;
  }

  async configure(repos: string) {
    await Deno.writeTextFile(this.config, `[site]\nname = "mirror.test"\n\n${repos}`);
  }

  get config() {
    return join(this.dir, "mirror.toml");
  }
  path(...parts: string[]) {
    return join(this.dir, "data", ...parts);
  }
  /** The tree of a repository. */
  tree(repo = "arch") {
    return this.path("static", repo);
  }

  private command(name: string, args: string[]) {
    const [program, ...rest] = denoCommand(name, args);
    return new Deno.Command(program, {
      args: rest,
      env: { MIRROR_CONFIG: this.config, MIRROR_DATA: this.path(), NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }

  /** Runs a command to its end. */
  async run(name: string, ...args: string[]): Promise<Done> {
    const { code, stdout, stderr } = await this.command(name, args).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  sync(...args: string[]) {
    return this.run("scripts/syncrepo.ts", ...args);
  }

  /** Starts a command that the test will signal. */
  start(name: string, ...args: string[]): Deno.ChildProcess {
    return this.command(name, args).spawn();
  }

  async status(repo = "arch"): Promise<RepoStatus> {
    return JSON.parse(await Deno.readTextFile(this.path("state", `${repo}.json`)));
  }

  async [Symbol.asyncDispose]() {
    await Deno.remove(this.dir, { recursive: true });
  }
}

/** A temporary folder that goes with its scope. */
export async function tempDir(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir({ prefix: "mirrorkit-test-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
