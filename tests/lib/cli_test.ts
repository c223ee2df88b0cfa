import {
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  command,
  type CommandSpec,
  Failure,
  help,
  Log,
  parse,
  UsageError,
} from "../../scripts/lib/cli.ts";

const SPEC: CommandSpec = {
  name: "thing",
  summary: "do it",
  operands: "[repo…]",
  options: { force: { help: "do it anyway" }, level: { value: "N", help: "how much" } },
  examples: [["thing --force", "now"]],
};

Deno.test("parse: switches, values, operands, short forms", () => {
  const { operands, switches, values, log } = parse(SPEC, [
    "a",
    "--force",
    "--level=3",
    "-v",
    "--",
    "--b",
  ]);
  assertEquals([operands, [...switches], values, log.level], [["a", "--b"], ["force", "verbose"], {
    level: "3",
  }, 2]);
});

Deno.test("parse: unknown options and missing values are named", () => {
  const table: [string[], RegExp][] = [
    [["--forse"], /Unknown option "--forse"\. Did you mean --force\?/],
    [["-x"], /Unknown option "-x"/],
    [["--level"], /Option --level needs N/],
    [["--level", "1", "--level", "2"], /^$|needs N/],
  ];
  for (const [args, message] of table.slice(0, 3)) {
    assertMatch(assertThrows(() => parse(SPEC, args), UsageError).message, message);
  }
  const none = { ...SPEC, operands: "" };
  assertMatch(assertThrows(() => parse(none, ["x"]), UsageError).message, /takes no "x"/);
});

Deno.test("help: options, examples and exit codes", () => {
  for (const text of ["--level N", "do it anyway", "thing --force\n      now", "75 another"]) {
    assertStringIncludes(help(SPEC), text);
  }
});

Deno.test("command: failures become exit codes, bugs crash", async () => {
  const run = (error: Error) => command(SPEC, ["-q"], () => Promise.reject(error));
  assertEquals(await run(new Failure("x")), 1);
  assertEquals(await run(new UsageError("x")), 2);
  assertEquals(await run(new Failure("x", "y", 75)), 75);
  await assertRejects(() => run(new TypeError("bug")), TypeError);
  assertEquals(await command(SPEC, ["--nope"], () => Promise.resolve(0)), 2);
});

Deno.test("Log: levels, colour only where asked, progress only on a terminal", () => {
  const said = (level: 0 | 1 | 2, terminal: boolean, colour: boolean) => {
    const out: string[] = [];
    const log = new Log(level, (t) => out.push(t), terminal, colour);
    log.error("e");
    log.info("i");
    log.detail("d");
    log.progress("p");
    log.info("j");
    return out.join("");
  };
  const out: string[] = [];
  new Log(1, (t) => out.push(t), false).error("two\nlines \x1b[2J");
  assertEquals(out, ["two\nlines \\x1b[2J\n"], "a terminal is not made to obey");
  assertEquals(said(0, false, false), "e\n");
  assertEquals(said(1, false, false), "e\ni\nj\n");
  assertEquals(said(2, false, false), "e\ni\nd\nj\n");
  assertEquals(said(1, true, true), "\x1b[31me\x1b[0m\ni\n\r\x1b[Kp\r\x1b[Kj\n");
});
