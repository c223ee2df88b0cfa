#!/usr/bin/env -S deno run --allow-run --allow-read --allow-write --allow-env --allow-sys=uid
/**
 * Finds the system parts that are missing and installs them with apt where it may; otherwise prints the
 * one command that would. No service is left started or enabled by it.
 *
 *     setup [--for demo|test]
 */
import { command, type CommandSpec, EXIT, Failure, type Log, UsageError } from "./lib/cli.ts";
import { enabledServices, type Part, PARTS, withoutServices } from "./setup/parts.ts";

const SPEC: CommandSpec = {
  name: "setup",
  summary: "find and install the system parts that are missing",
  operands: "",
  options: {
    for: { value: "USE", help: "only what USE needs: mirror, demo or test (default: test, all)" },
    "dry-run": { help: "print what is missing and the command; install nothing" },
  },
  examples: [
    ["deno task setup", "everything that demo, tests and benchmarks use"],
    ["deno task setup --for mirror", "only what a mirror in production needs"],
  ],
};

/** The parts of which a file is missing on this machine. */
export function missing(
  parts: Part[],
  has: (path: string) => boolean,
  path = Deno.env.get("PATH") ?? "/usr/bin:/bin",
): Part[] {
  // Daemons live in sbin, which is not in every user's PATH.
  const dirs = [...path.split(":"), "/usr/sbin", "/sbin", "/usr/local/sbin"];
  const there = (file: string) =>
    file.startsWith("/") ? has(file) : dirs.some((dir) => has(`${dir}/${file}`));
  return parts.filter((part) => !part.files.every(there));
}

/** The command that installs packages. */
export function installCommand(packages: string[]): string[] {
  return ["apt-get", "install", "-y", "--no-install-recommends", ...packages];
}

const has = (path: string) => {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
};

/** The command; gives its exit code. */
export function main(args: string[]): Promise<number> {
  return command(SPEC, args, async ({ values, switches, log }) => {
    const uses = ["mirror", "demo", "test"];
    const upTo = uses.indexOf(values.for ?? "test");
    if (upTo < 0) {
      throw new UsageError(`--for ${values.for} is not allowed; allowed are ${uses.join(", ")}.`);
    }
    const wanted = PARTS.filter((p) => uses.indexOf(p.for) <= upTo);
    const lacking = missing(wanted, has);
    if (switches.has("json")) {
      console.log(JSON.stringify({ parts: wanted.length, missing: lacking.map((p) => p.package) }));
    }
    if (lacking.length === 0) {
      log.detail(`All ${wanted.length} system parts are there.`);
      return EXIT.done;
    }
    const packages = [...new Set(lacking.map((p) => p.package))];
    for (const part of lacking) log.info(`missing: ${part.package} (${part.why})`);
    const line = installCommand(packages).join(" ");
    const apt = has("/usr/bin/apt-get");
    if (switches.has("dry-run") || !apt || Deno.uid() !== 0) {
      const how = apt
        ? `As root: apt-get update && ${line}`
        : `This is no Debian or Ubuntu: install what these packages hold with your package manager: ` +
          packages.join(" ");
      log.info(how);
      return switches.has("dry-run") ? EXIT.done : EXIT.failed;
    }
    await install(packages, log);
    const still = missing(wanted, has);
    if (still.length > 0) {
      throw new Failure(
        `Still missing after the installation: ${still.map((p) => p.package).join(", ")}.`,
        `Look at what it says: ${line}`,
      );
    }
    return EXIT.done;
  });
}

/** Installs packages with apt; services that came with them are neither started nor enabled. */
async function install(packages: string[], log: Log) {
  log.info(`Installing ${packages.length} packages with apt; this takes a minute or two …`);
  const before = await enabledServices();
  await withoutServices(async () => {
    await apt(["apt-get", "update", "-q"]);
    await apt(installCommand(packages));
  });
  for (const link of await enabledServices()) {
    if (before.has(link)) continue;
    await Deno.remove(link);
    log.detail(`not enabled: ${link}`);
  }
}

async function apt([program, ...args]: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    env: { DEBIAN_FRONTEND: "noninteractive" },
    stdin: "null",
  }).output();
  if (code === 0) return;
  const said = new TextDecoder().decode(stderr) || new TextDecoder().decode(stdout);
  throw new Failure(
    `${program} ${args[0]} failed: ${said.trim().split("\n").slice(-5).join("\n")}`,
    "Without network or with another apt at work, try again later.",
  );
}

if (import.meta.main) Deno.exit(await main(Deno.args));
