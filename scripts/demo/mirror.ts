/** The demo's mirror: upstream, daemon, storage and server in one temporary folder. */
import { join } from "@std/path/posix";
import { type Child, startChild } from "../lib/children.ts";
import { Failure, type Log } from "../lib/cli.ts";
import { startRsyncDaemon } from "./rsyncd.ts";
import { DemoUpstream } from "./upstream.ts";

const toml = (upstream: string, port: number) =>
  `[site]\nname = "demo.example.org"\ntitle = "mirrorkit demo"\n` +
  (port ? `urls = ["http://127.0.0.1:${port}/"]\n\n` : "\n") +
  // All of the demo's traffic stays on this machine.
  `[statcat]\nport = 0\ninterfaces = ["lo"]\n\n` +
  `[[repo]]\nname = "archlinux"\nprofile = "arch"\nupstream = ["${upstream}"]\nretry_delay = "1 s"\n`;

/** A mirror of the demo upstream, in a folder of its own. */
export class Demo {
  readonly config: string;
  readonly data: string;
  private constructor(
    readonly dir: string,
    readonly upstream: DemoUpstream,
    readonly upstreamUrl: string,
    readonly server: Child,
    readonly url: string,
    private readonly stopDaemon: () => Promise<void>,
    private readonly statistics: Child[],
  ) {
    this.config = join(dir, "mirror.toml");
    this.data = join(dir, "data");
  }

  /** Makes the upstream, starts its daemon and the server, and fills the mirror. */
  static async start(port: number, log: Log): Promise<Demo> {
    const dir = await Deno.makeTempDir({ prefix: "mirrorkit-demo-" });
    const cleanUps: (() => Promise<unknown>)[] = [() => Deno.remove(dir, { recursive: true })];
    try {
      log.info("1. Making packages and databases of a small upstream …");
      const upstream = new DemoUpstream(join(dir, "upstream"), join(dir, "scratch"));
      await upstream.create();
      const daemon = await startRsyncDaemon(dir, { demo: upstream.root });
      cleanUps.unshift(daemon.stop);
      const upstreamUrl = `${daemon.url}demo/`;
      await Deno.writeTextFile(join(dir, "mirror.toml"), toml(upstreamUrl, port));
      log.info(`   A real rsync daemon offers it at ${upstreamUrl}`);
      const where = [`--config=${join(dir, "mirror.toml")}`, `--data=${join(dir, "data")}`];
      log.info("2. Starting the server: it answers 503 until the first sync is complete …");
      const { child, url } = await startServer([...where, `--port=${port}`]);
      cleanUps.unshift(() => child.stop());
      const statistics = ["hub", "spoke"].map((mode) =>
        startChild("scripts/statcat.ts", [mode, "--quiet", ...where])
      );
      return new Demo(dir, upstream, upstreamUrl, child, url, daemon.stop, statistics);
    } catch (error) {
      for (const cleanUp of cleanUps) await cleanUp().catch(() => {});
      throw error;
    }
  }

  /** Runs one of our commands to its end. Throws {@linkcode Failure} if it fails. */
  async run(
    script: "scripts/syncrepo.ts" | "scripts/indexer.ts",
    ...args: string[]
  ): Promise<string> {
    const all = [...args, `--config=${this.config}`, `--data=${this.data}`];
    const { code, stdout } = await startChild(script, all).ended;
    if (code !== 0) throw new Failure(`${script} ${args.join(" ")} ended with code ${code}.`);
    return stdout;
  }

  /** Brings the mirror up to date with the upstream, listings too. */
  async sync(...flags: string[]) {
    await this.run("scripts/syncrepo.ts", ...flags);
    await this.run("scripts/indexer.ts");
  }

  /** Stops everything and removes the folder. */
  async stop() {
    await Promise.all([this.server, ...this.statistics].map((child) => child.stop()));
    await this.stopDaemon();
    await Deno.remove(this.dir, { recursive: true });
  }
}

/** Starts the server and waits for the address that it prints. */
async function startServer(args: string[]): Promise<{ child: Child; url: string }> {
  const { promise: url, resolve } = Promise.withResolvers<string>();
  const child = startChild("server/main.ts", ["--json", ...args], (line) => {
    if (line.startsWith("{")) resolve(JSON.parse(line).url);
  });
  const died = child.ended.then(({ code }) => {
    throw new Failure(`The server ended with code ${code}.`, "Name another port with --port.");
  });
  died.catch(() => {});
  return { child, url: await Promise.race([url, died]) };
}
