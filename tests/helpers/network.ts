/**
 * Some machines on one switch, each a network namespace of its own with an IPv4 and an IPv6 address:
 * nothing outside of them is touched, and they are gone with the process that made them (scripts/demo/netns.ts
 * has two on a cable).
 */
import { tied } from "../../scripts/lib/run.ts";

/** Machines by name; the one at place `i` has 10.66.0.`i+1` and fd66::`i+1` (hexadecimal). */
export class Network implements AsyncDisposable {
  private readonly children: Deno.ChildProcess[] = [];
  private readonly pids = new Map<string, number>();
  private constructor(readonly names: string[]) {}

  static async make(names: string[]): Promise<Network> {
    const network = new Network(names);
    try {
      await network.hold("switch", ["unshare", "--user", "--map-root-user", "--net"]);
      await network.sh("switch", "ip link add bridge type bridge && ip link set bridge up");
      await Promise.all(names.map((name) => network.attach(name)));
      return network;
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The addresses of a machine. */
  addresses(name: string): [four: string, six: string] {
    const n = this.names.indexOf(name) + 1;
    return [`10.66.0.${n}`, `fd66::${n.toString(16)}`];
  }

  private async attach(name: string) {
    const pid = await this.hold(name, [...this.enter("switch", "--net"), "unshare", "--net"]);
    const [four, six] = this.addresses(name);
    const port = `to-${name}`;
    await this.sh(
      "switch",
      [
        `ip link add ${port} type veth peer name eth netns ${pid}`,
        `ip link set ${port} master bridge`,
        `ip link set ${port} up`,
      ].join(" && "),
    );
    await this.sh(
      name,
      [
        "ip link set lo up",
        "ip link set eth up",
        `ip addr add ${four}/24 dev eth`,
        `ip addr add ${six}/64 dev eth nodad`,
      ].join(" && "),
    );
  }

  /** Pulls a machine's cable out, or puts it in again. */
  async cable(name: string, isIn: boolean) {
    await this.sh("switch", `ip link set to-${name} ${isIn ? "up" : "down"}`);
  }

  /** Starts what keeps a namespace alive, and waits until it is there. */
  private async hold(name: string, command: string[]): Promise<number> {
    const child = this.spawn([...command, "sleep", "600"]);
    for (let tries = 0; tries < 400; tries++) {
      const comm = await Deno.readTextFile(`/proc/${child.pid}/comm`).catch(() => "");
      if (comm === "sleep\n") {
        this.pids.set(name, child.pid);
        return child.pid;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error(`${command.join(" ")} did not start`);
  }

  private spawn(command: string[], options: Deno.CommandOptions = {}): Deno.ChildProcess {
    const [program, ...rest] = command;
    const { command: first, args } = tied({ command: program, args: rest });
    const quiet = { stdin: "null", stdout: "null", stderr: "null" } as const;
    const child = new Deno.Command(first, { args, ...quiet, ...options }).spawn();
    this.children.push(child);
    return child;
  }

  private enter(name: string, ...what: string[]): string[] {
    const target = ["nsenter", "--target", `${this.pids.get(name)}`, "--user", ...what];
    return [...target, "--preserve-credentials", "--"];
  }

  /** What stands before a command so that it runs on a machine. */
  on(name: string): string[] {
    return this.enter(name, "--net");
  }

  /** Starts a program that stays on a machine; it ends with the network, or before. */
  start(name: string, command: string[], options: Deno.CommandOptions = {}): Deno.ChildProcess {
    return this.spawn([...this.on(name), ...command], options);
  }

  /** Runs a shell line on a machine; gives stdout. Throws where it fails. */
  async sh(name: string, line: string): Promise<string> {
    const [program, ...args] = [...this.on(name), "sh", "-c", line];
    const { code, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" })
      .output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    if (code !== 0) throw new Error(`${line}: exit code ${code}: ${text(stderr)}${text(stdout)}`);
    return text(stdout);
  }

  async [Symbol.asyncDispose]() {
    for (const child of this.children.toReversed()) {
      // The workers of a killed nginx would stay for ever, so they are looked up while they have a master.
      const workers = await Deno.readTextFile(`/proc/${child.pid}/task/${child.pid}/children`)
        .catch(() => "");
      try {
        child.kill("SIGKILL");
      } catch { /* it has ended */ }
      for (const worker of workers.split(" ").filter(Boolean)) {
        try {
          Deno.kill(Number(worker), "SIGKILL");
        } catch { /* it went with its master */ }
      }
      await child.status;
    }
  }
}
