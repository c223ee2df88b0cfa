/**
 * What all commands share: flags, help, exit codes, and who hears what. A result goes to stdout, what
 * is said to a person to stderr; only a terminal gets progress and colour.
 */
import { parseArgs } from "@std/cli/parse-args";
import { closestString } from "@std/text/closest-string";
import { toDisplay } from "../../formats/names.ts";
import { EXIT, Failure, UsageError } from "./failure.ts";

export { EXIT, Failure, UsageError };

/** One option of a command. `value` is the name of its argument in the help; without it, it is a switch. */
export interface Option {
  help: string;
  value?: string;
}

/** A command as data: its help and its parser come from it. */
export interface CommandSpec {
  name: string;
  summary: string;
  /** What comes after the options, as in `[repo…]`; empty where nothing may. */
  operands: string;
  options: Record<string, Option>;
  /** A command line and what it does. */
  examples: [string, string][];
}

const COMMON: Record<string, Option> = {
  config: { value: "FILE", help: "configuration (default: $MIRROR_CONFIG or ./mirror.toml)" },
  data: { value: "DIR", help: "storage (default: $MIRROR_DATA, `data` in the file, or ./data)" },
  json: { help: "print the result as JSON on stdout" },
  quiet: { help: "say only what went wrong (-q)" },
  verbose: { help: "say more (-v)" },
  help: { help: "show this (-h)" },
};

/** The help text of a command. */
export function help(spec: CommandSpec): string {
  const lines = Object.entries({ ...spec.options, ...COMMON }).map(([name, option]) =>
    `  ${`--${name}${option.value ? ` ${option.value}` : ""}`.padEnd(20)} ${option.help}`
  );
  const examples = spec.examples.map(([line, what]) => `  ${line}\n      ${what}`);
  return `${spec.name}: ${spec.summary}\n\nUsage: ${
    `${spec.name} [options] ${spec.operands}`.trim()
  }\n\n` +
    `Options:\n${lines.join("\n")}\n\nExamples:\n${examples.join("\n")}\n\n` +
    `Exit codes: 0 done, 1 failed, 2 wrong usage, 75 another instance is at work\n`;
}

/** Parsed arguments. */
export interface Arguments {
  operands: string[];
  switches: Set<string>;
  values: Record<string, string>;
  log: Log;
}

/** Parses arguments against a spec. Throws {@linkcode UsageError} on an unknown flag or a missing value. */
export function parse(spec: CommandSpec, args: string[]): Arguments {
  const options = { ...spec.options, ...COMMON };
  const names = Object.keys(options);
  const isString = (name: string) => options[name].value !== undefined;
  const hint = `Run ${spec.name} --help for what it takes.`;
  const parsed = parseArgs(args, {
    boolean: names.filter((n) => !isString(n)),
    string: names.filter(isString),
    alias: { q: "quiet", v: "verbose", h: "help" },
    unknown: (arg, key) => {
      if (key === undefined) return true;
      const before = args[args.indexOf(arg) - 1]?.replace(/^--/, "");
      if (before !== undefined && names.includes(before) && isString(before)) {
        const { value } = options[before];
        throw new UsageError(
          `Option --${before} needs ${value}, not ${JSON.stringify(arg)}.`,
          hint,
        );
      }
      const near = closestString(arg.replace(/^-+/, ""), names);
      throw new UsageError(`Unknown option ${JSON.stringify(arg)}. Did you mean --${near}?`, hint);
    },
  });
  const operands = parsed._.map(String);
  if (operands.length && !spec.operands) {
    throw new UsageError(`${spec.name} takes no ${JSON.stringify(operands[0])}.`, hint);
  }
  const values: Record<string, string> = {};
  for (const name of names.filter(isString)) {
    const value = parsed[name];
    if (value === undefined) continue;
    if (typeof value !== "string" || value === "") {
      throw new UsageError(`Option --${name} needs ${options[name].value}, once.`, hint);
    }
    values[name] = value;
  }
  const switches = new Set(names.filter((n) => !isString(n) && parsed[n] === true));
  const level = switches.has("quiet") ? 0 : switches.has("verbose") ? 2 : 1;
  return { operands, switches, values, log: new Log(level) };
}

/** Says things to a person, on stderr. Level 0: errors and warnings, 1: what happens, 2: details. */
export class Log {
  constructor(
    readonly level: 0 | 1 | 2 = 1,
    private readonly write: (text: string) => void = (text) =>
      void Deno.stderr.writeSync(new TextEncoder().encode(text)),
    readonly terminal: boolean = Deno.stderr.isTerminal(),
    private readonly colour: boolean = terminal && !Deno.env.get("NO_COLOR"),
  ) {}

  /** True while a progress line stands on the terminal. */
  private open = false;

  private line(text: string, sgr?: string) {
    const clear = this.open ? "\r\x1b[K" : "";
    this.open = false;
    // What upstreams and programs say may hold control characters: a terminal must not obey them.
    text = text.split("\n").map(toDisplay).join("\n");
    this.write(clear + (sgr && this.colour ? `\x1b[${sgr}m${text}\x1b[0m` : text) + "\n");
  }

  error(text: string) {
    this.line(text, "31");
  }
  warn(text: string) {
    this.line(text, "33");
  }
  info(text: string) {
    if (this.level > 0) this.line(text);
  }
  detail(text: string) {
    if (this.level > 1) this.line(text, "2");
  }
  /** A line that the next one replaces; only on a terminal. */
  progress(text: string) {
    if (!this.terminal || this.level === 0) return;
    let columns = 80;
    try {
      columns = Deno.consoleSize().columns;
    } catch { /* stdin, stdout and stderr are not all terminals */ }
    this.write("\r\x1b[K" + toDisplay(text).slice(0, columns - 1));
    this.open = true;
  }
}

/** Prints a failure as message and hint. */
export function explain(log: Log, failure: Failure) {
  log.error(`error: ${failure.message}`);
  if (failure.hint) log.error(`  hint: ${failure.hint}`);
}

/**
 * Runs a command's body with its parsed arguments and gives its exit code: `--help` and foreseen
 * failures are dealt with here, anything else is a bug and crashes with its stack.
 */
export async function command(
  spec: CommandSpec,
  args: string[],
  body: (args: Arguments) => Promise<number>,
): Promise<number> {
  let log = new Log();
  try {
    const parsed = parse(spec, args);
    log = parsed.log;
    if (parsed.switches.has("help")) {
      console.log(help(spec).trimEnd());
      return EXIT.done;
    }
    return await body(parsed);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    explain(log, error);
    return error.exitCode;
  }
}
