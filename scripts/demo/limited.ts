/**
 * A mirror with bwlimit and its clients, in namespaces of their own: real nft, nginx and curl. For tests and
 * the bench.
 */
import { join } from "@std/path/posix";
import type { BwlimitStatus } from "../../formats/bwlimit.ts";
import { denoCommand } from "../lib/children.ts";
import { Lab, type Output } from "./netns.ts";

export const MIB = 1024 ** 2;

/** What follows `[bwlimit…]` in a whole mirror.toml. */
export const toml = (bwlimit: string) =>
  `[site]\nname = "m.example.org"\ncontact = "mirror@example.org"\n${bwlimit}\n` +
  `[[repo]]\nname = "a"\nprofile = "arch"\nupstream = ["/x"]\n`;

/** The mirror's addresses. */
export const V4 = "http://10.77.0.1", V6 = "http://[fd77::1]";

const sleep = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** Waits until something is true. */
export async function until(what: string, check: () => Promise<boolean>, seconds = 15) {
  for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
    if (await check()) return;
    await sleep(0.05);
  }
  throw new Error(`no ${what} within ${seconds} s`);
}

export class Scene implements AsyncDisposable {
  running?: Deno.ChildProcess;
  /** Stands before the command of `run`. */
  before: string[] = [];
  /** What `run` has said. */
  said = "";
  private reading?: Promise<void>;
  private constructor(readonly lab: Lab, readonly dir: string) {}

  /** `limits` is what stands in `[bwlimit]` and below. A client has `addresses` beside 10.77.0.2 and fd77::2. */
  static async make(limits: string, addresses: string[] = [], tls = false): Promise<Scene> {
    const all = ["10.77.0.2/16", "fd77::2/48", ...addresses];
    const scene = new Scene(
      await Lab.make(all),
      await Deno.makeTempDir({ prefix: "mirrorkit-test-" }),
    );
    try {
      await scene.configure(limits, tls);
      await scene.serve(tls);
    } catch (error) {
      await scene[Symbol.asyncDispose]();
      throw error;
    }
    return scene;
  }

  path = (...names: string[]) => join(this.dir, ...names);
  state = (name: string) => this.path("data/state/bwlimit", name);

  async configure(limits: string, tls = false) {
    const certificate = tls
      ? `[server.nginx]\ncertificate = "${this.path("cert")}"\ncertificate_key = "${
        this.path("key")
      }"\n`
      : "";
    await Deno.writeTextFile(this.path("mirror.toml"), toml(certificate + limits));
  }

  /** nginx with a file of 256 MiB that takes no room, on HTTP and HTTPS. */
  private async serve(tls: boolean) {
    await Deno.mkdir(this.path("www"));
    await using file = await Deno.open(this.path("www/big"), { write: true, create: true });
    await file.truncate(256 * MIB);
    if (tls) {
      const args =
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=m.example.org";
      const names = "subjectAltName=IP:10.77.0.1,IP:fd77::1";
      const files = ["-keyout", this.path("key"), "-out", this.path("cert")];
      await new Deno.Command("openssl", {
        args: [...args.split(" "), "-addext", names, ...files],
        stderr: "null",
      }).output();
    }
    const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `${name}_temp_path ${this.path(name)};`).join(" ");
    const listen =
      [80, 8081].map((p) => `listen 10.77.0.1:${p}; listen [fd77::1]:${p};`).join(" ") +
      (tls
        ? ` listen 10.77.0.1:443 ssl; listen [fd77::1]:443 ssl; ssl_certificate ${
          this.path("cert")
        }; ssl_certificate_key ${this.path("key")};`
        : "");
    await Deno.writeTextFile(
      this.path("nginx.conf"),
      `user root root; daemon off; master_process off; pid ${this.path("pid")}; error_log ${
        this.path("error.log")
      };
events {}
http { ${temp} access_log off; sendfile on; server { ${listen} root ${this.path("www")}; } }\n`,
    );
    this.lab.start("server", ["nginx", "-e", "stderr", "-c", this.path("nginx.conf")]);
    await until(
      "nginx",
      async () => (await this.lab.curl(`${V4}/big`, "-r", "0-0")).status === 206,
    );
  }

  private command = (args: string[]) => [
    ...denoCommand("scripts/bwlimit.ts", args),
    `--config=${this.path("mirror.toml")}`,
    `--data=${this.path("data")}`,
  ];

  /** Runs a subcommand to its end. */
  bwlimit(...args: string[]): Promise<Output> {
    return this.lab.run("server", this.command(args), { env: { NO_COLOR: "1" } });
  }

  /** Starts `bwlimit run` and waits until it works. */
  async start(...args: string[]) {
    this.said = "";
    const running = this.lab.start("server", [...this.before, ...this.command(["run", ...args])], {
      stderr: "piped",
    });
    this.running = running;
    this.reading = (async () => {
      for await (const chunk of running.stderr) this.said += new TextDecoder().decode(chunk);
    })();
    let ended = false;
    void running.status.then(() => ended = true);
    await until("bwlimit run", () => {
      if (ended) throw new Error(this.said);
      return Promise.resolve(/a look every/.test(this.said));
    });
    await until("status", () => Deno.stat(this.state("status.json")).then(() => true, () => false));
  }

  /** Ends `bwlimit run`. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<number> {
    this.running!.kill(signal);
    const { code } = await this.running!.status;
    await this.reading;
    this.running = undefined;
    return code;
  }

  // deno-lint-ignore no-explicit-any
  async json(...args: string[]): Promise<any> {
    const { stdout, stderr } = await this.bwlimit(...args, "--json");
    if (!stdout) throw new Error(stderr);
    return JSON.parse(stdout);
  }

  async status(): Promise<BwlimitStatus> {
    return JSON.parse(await Deno.readTextFile(this.state("status.json")));
  }

  async audit(): Promise<{ did: string; who: string; why: string; by: string; until?: string }[]> {
    const text = await Deno.readTextFile(this.state("audit.log")).catch(() => "");
    return text.split("\n").filter((l) => l).map((l) => JSON.parse(l));
  }

  async [Symbol.asyncDispose]() {
    await this.lab[Symbol.asyncDispose]();
    await this.reading?.catch(() => {});
    await Deno.remove(this.dir, { recursive: true });
  }
}
