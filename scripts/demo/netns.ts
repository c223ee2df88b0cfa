/**
 * A machine and its clients in network namespaces of their own, joined by a cable (veth): nothing outside
 * of them is touched. Rootless: the namespaces belong to a user namespace made by unshare(1).
 */
import { tied } from "../lib/run.ts";

const decoder = new TextDecoder();

/** How a program ended. */
export interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

/** Two namespaces: `server` with 10.77.0.1 and fd77::1, `client` with as many addresses as a test wants. */
export class Lab implements AsyncDisposable {
  private readonly children: Deno.ChildProcess[] = [];
  private constructor(private readonly pids: { server: number; client: number }) {}

  static async make(clientAddresses: string[] = ["10.77.0.2/16", "fd77::2/48"]): Promise<Lab> {
    const lab = new Lab({ server: 0, client: 0 });
    try {
      lab.pids.server = await lab.hold(["unshare", "--user", "--map-root-user", "--net"]);
      lab.pids.client = await lab.hold([...lab.enter("server", false), "unshare", "--net"]);
      const up = (end: string, addresses: string[]) => [
        "ip link set lo up",
        ...addresses.map((a) => `ip addr add ${a} dev ${end}${a.includes(":") ? " nodad" : ""}`),
        `ip link set ${end} up`,
      ];
      await lab.sh(
        "server",
        [
          `ip link add cable type veth peer name plug netns ${lab.pids.client}`,
          ...up("cable", ["10.77.0.1/16", "fd77::1/48"]),
        ].join(" && "),
      );
      await lab.sh("client", up("plug", clientAddresses).join(" && "));
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
    return lab;
  }

  /** A container behind the server, 10.88.0.2, to which the server forwards; gives how to run commands in it. */
  async container(): Promise<(command: string[]) => string[]> {
    const pid = await this.hold([...this.enter("server", false), "unshare", "--net"]);
    await this.sh(
      "server",
      `ip link add port type veth peer name eth netns ${pid} && ip addr add 10.88.0.1/24 dev port && ` +
        "ip link set port up && echo 1 > /proc/sys/net/ipv4/ip_forward",
    );
    await this.sh("client", "ip route add 10.88.0.0/24 via 10.77.0.1");
    const inside = (command: string[]) => [
      ...["nsenter", "--target", String(pid), "--user", "--net", "--preserve-credentials", "--"],
      ...command,
    ];
    const up = "ip link set lo up && ip addr add 10.88.0.2/24 dev eth && ip link set eth up && " +
      "ip route add default via 10.88.0.1";
    const [program, ...args] = inside(["sh", "-c", up]);
    const { success, stderr } = await new Deno.Command(program, { args }).output();
    if (!success) throw new Error(decoder.decode(stderr));
    return inside;
  }

  /** Starts what keeps a namespace alive, and waits until it is there. */
  private async hold(command: string[]): Promise<number> {
    const [program, ...args] = [...command, "sleep", "300"];
    const one = tied({ command: program, args });
    const child = new Deno.Command(one.command, { args: one.args, stdin: "null" }).spawn();
    this.children.push(child);
    for (let tries = 0; tries < 400; tries++) {
      const name = await Deno.readTextFile(`/proc/${child.pid}/comm`).catch(() => "");
      if (name === "sleep\n") return child.pid;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error(`${command.join(" ")} did not start`);
  }

  private enter(side: "server" | "client", net = true): string[] {
    const target = ["nsenter", "--target", String(this.pids[side]), "--user"];
    return [...target, ...(net ? ["--net"] : []), "--preserve-credentials", "--"];
  }

  /** A command line inside. */
  inside(side: "server" | "client", command: string[]): { command: string; args: string[] } {
    const [program, ...args] = [...this.enter(side), ...command];
    return { command: program, args };
  }

  /** Runs a program inside, to its end. */
  async run(
    side: "server" | "client",
    command: string[],
    options: Deno.CommandOptions = {},
  ): Promise<Output> {
    const { command: program, args } = this.inside(side, command);
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args,
      ...options,
      stdin: "null",
    })
      .output();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  /** Runs a shell line inside; gives stdout. Throws where it fails. */
  async sh(side: "server" | "client", line: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(side, ["sh", "-c", line]);
    if (code !== 0) throw new Error(`${line}: exit code ${code}: ${stderr}`);
    return stdout;
  }

  /** Starts a program that stays; it ends with the lab, or before. */
  start(
    side: "server" | "client" | "host",
    command: string[],
    options: Deno.CommandOptions = {},
  ): Deno.ChildProcess {
    const { command: program, args } = tied(
      side === "host"
        ? { command: command[0], args: command.slice(1) }
        : this.inside(side, command),
    );
    const child = new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "null",
      ...options,
    })
      .spawn();
    this.children.push(child);
    return child;
  }

  /** Asks for a URL as a client does; gives what curl says of it. */
  async curl(
    url: string,
    ...args: string[]
  ): Promise<{ code: number; status: number; bytes: number; seconds: number; body: string }> {
    const format = "\n%{http_code} %{size_download} %{time_total}";
    const { code, stdout } = await this.run("client", [
      "curl",
      "-s",
      "-g",
      "-m",
      "20",
      "-w",
      format,
      ...args,
      url,
    ]);
    const at = stdout.lastIndexOf("\n");
    const [status, bytes, seconds] = stdout.slice(at + 1).split(" ").map(Number);
    return { code, status, bytes, seconds, body: stdout.slice(0, at) };
  }

  /** Bytes that left the server for the clients, as the interface counts: with 14 bytes of Ethernet a packet. */
  async sent(): Promise<{ bytes: number; packets: number }> {
    const json = JSON.parse(await this.sh("server", "ip -j -s link show cable"));
    return json[0].stats64.tx;
  }

  async [Symbol.asyncDispose]() {
    for (const child of this.children.toReversed()) {
      try {
        child.kill("SIGKILL");
      } catch { /* it has ended */ }
      await child.status;
      for (const end of ["stdout", "stderr"] as const) {
        try {
          await child[end].cancel();
        } catch { /* it was not piped, or is being read */ }
      }
    }
  }
}
