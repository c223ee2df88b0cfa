#!/usr/bin/env -S deno run --unstable-net --v8-flags=--max-semi-space-size=4 --allow-run=setpriv,sh --allow-read --allow-write --allow-env --allow-net --allow-sys=networkInterfaces,uid
/**
 * Keeps single addresses from eating the mirror's line: the kernel counts and refuses (nftables), this
 * keeps the policy, explains it, and answers those who are refused.
 *
 *     bwlimit run | list | explain ADDRESS | ban ADDRESS | unban ADDRESS | allow ADDRESS | flush
 */
import { closestString } from "@std/text/closest-string";
import { formatDuration, formatTime, parseDuration } from "../formats/units.ts";
import { type Arguments, command, type CommandSpec, EXIT, Failure, UsageError } from "./lib/cli.ts";
import { loadConfig } from "./lib/config.ts";
import { LONGEST_BAN } from "./lib/limits.ts";
import { openStorage } from "./lib/storage.ts";
import {
  formatNetwork,
  type Id,
  idOfText,
  parseNetwork,
  scopesOf,
  showId,
} from "./bwlimit/address.ts";
import { networksOf } from "./bwlimit/allow.ts";
import { commandsOf } from "./bwlimit/commands.ts";
import type { Action, Did, Step } from "./bwlimit/model.ts";
import { flush } from "./bwlimit/guard.ts";
import { policyOf } from "./bwlimit/settings.ts";
import {
  audit,
  changeOrders,
  type Files,
  filesIn,
  handOver,
  type Line,
  loadMemory,
  loadOrders,
  openFolder,
  type Orders,
} from "./bwlimit/memory.ts";
import { apply } from "./bwlimit/nft.ts";
import { allowEntryOf, demandTable, explain, list, refusedIn } from "./bwlimit/report.ts";
import { serve } from "./bwlimit/serve.ts";
import { allowCommands } from "./bwlimit/table.ts";

const SPEC: CommandSpec = {
  name: "bwlimit",
  summary: "keep single addresses from eating the mirror's line",
  operands: "run | list | explain ADDRESS | ban ADDRESS | unban ADDRESS | allow NETWORK | flush",
  options: {
    for: { value: "TIME", help: 'how long a ban or an allowance is, such as "6 h"' },
    reason: { value: "TEXT", help: "why, for the audit log and the answer" },
    silent: { help: "ban: refuse without an answer" },
    remove: { help: "allow: take the network off the list again" },
    "dry-run": {
      help: "run: refuse nobody, only say who would be; others: print what nft would be told",
    },
  },
  examples: [
    ["bwlimit run", "make the table and look after it, until SIGINT or SIGTERM"],
    ["bwlimit run --dry-run", "the same, but nobody is refused or slowed down"],
    ["bwlimit list", "who is refused, slowed down, or near a limit"],
    ["bwlimit explain 192.0.2.7", "what was counted, which rule acted when, until when"],
    ['bwlimit ban 192.0.2.7 --for "6 h" --reason "loops over the ISOs"', "refuse an address"],
    ["bwlimit unban 2001:db8:1::/64", "let it in again; its bans are forgotten"],
    ['bwlimit allow 198.51.100.0/24 --for "2 d"', "never touch a network"],
    ["bwlimit flush", "take the table away: nobody is counted or refused"],
  ],
};

/** What a subcommand works with. */
interface Context extends Arguments {
  config: Awaited<ReturnType<typeof loadConfig>>;
  files: Files;
  /** What stands behind the subcommand. */
  operand?: string;
  now: number;
}

const COMMANDS: Record<
  string,
  { operand: boolean; options: string[]; body: (context: Context) => Promise<number> }
> = {
  run: {
    operand: false,
    options: ["dry-run"],
    body: (c) => serve(c.config, c.log, c.switches.has("dry-run")),
  },
  list: {
    operand: false,
    options: [],
    body: async (c) => print(await list(c.config, c.switches.has("json"))),
  },
  explain: {
    operand: true,
    options: [],
    body: async (c) => print(await explain(c.config, c.operand!, c.switches.has("json"))),
  },
  ban: { operand: true, options: ["for", "reason", "silent", "dry-run"], body: ban },
  unban: { operand: true, options: ["reason", "dry-run"], body: unban },
  allow: { operand: true, options: ["for", "reason", "remove", "dry-run"], body: allow },
  flush: {
    operand: false,
    options: ["dry-run"],
    body: async (c) => {
      if (c.switches.has("dry-run")) return would(c, ["delete table inet mirrorkit"]);
      await flush();
      return done(
        c,
        { flushed: true },
        "The table inet mirrorkit is gone. bwlimit run makes it again, with the bans that still last.",
      );
    },
  },
};

function print(text: string): number {
  console.log(text.trimEnd());
  return EXIT.done;
}

/** Says what was done, as data too where that is wanted. */
function done({ switches, log }: Context, result: unknown, text: string): number {
  if (switches.has("json")) console.log(JSON.stringify(result));
  log.info(text);
  return EXIT.done;
}

/** Prints what nft would be told. */
function would({ switches }: Context, commands: string[]): number {
  return print(switches.has("json") ? JSON.stringify({ commands }) : commands.join("\n"));
}

/** The id that an operand stands for. */
function idOperand({ config, operand }: Context): Id {
  const scopes = scopesOf(policyOf(config)), id = idOfText(operand!, scopes);
  if (id) return id;
  throw new UsageError(
    `${JSON.stringify(operand)} is not allowed; allowed is ${
      scopes.map((s) => s.id === "c4" ? "an IPv4 address" : `an IPv${s.family} /${s.prefix}`).join(
        ", ",
      )
    }.`,
    "Limits for networks need a [bwlimit.network]. An IPv6 address stands for its /64.",
  );
}

function seconds({ values }: Context): number | undefined {
  if (values.for === undefined) return undefined;
  try {
    const length = parseDuration(values.for);
    if (length > 0 && length <= LONGEST_BAN) return length;
  } catch { /* said below */ }
  throw new UsageError(
    `--for ${
      JSON.stringify(values.for)
    } is not allowed; allowed is a time above zero such as "6 h", of up to 3650 d.`,
  );
}

/** Why, as one line: it stands in the audit log, in lists and in the answer. */
function reasonOf({ values: { reason = "by hand" } }: Context): string {
  if (/^[^\p{Cc}\p{Cf}\u2028\u2029]{1,200}$/u.test(reason)) return reason;
  throw new UsageError(
    `--reason ${
      JSON.stringify(reason)
    } is not allowed; allowed is one line of up to 200 characters.`,
  );
}

/** Tells the kernel and writes down who was meant and why. `run` finds the orders at its next look. */
async function order(context: Context, did: Did, id: Id, actions: Action[], until?: number) {
  const { files, now } = context;
  await apply(actions.flatMap(commandsOf).join("\n") + "\n");
  const why = reasonOf(context);
  await audit(files, [{ at: now, did, who: showId(id), why, by: "operator", until }], "enforce");
}

async function ban(context: Context): Promise<number> {
  const { files, now, switches } = context, id = idOperand(context);
  const length = seconds(context) ?? policyOf(context.config).bans[0], until = now + length;
  const step: Step = switches.has("silent") ? "block" : "ban";
  const action: Action = { do: step, id, seconds: length };
  if (switches.has("dry-run")) return would(context, commandsOf(action));
  await demandTable();
  const allowed = await allowEntryOf(context.config, id);
  if (allowed) {
    throw new Failure(
      `${showId(id)} is on the allow-list (${allowed}): it is never touched, and was not banned.`,
      `Take it off first: bwlimit allow ${allowed} --remove, or in allow of [bwlimit].`,
    );
  }
  const why = reasonOf(context);
  await changeOrders(files, now, (orders) => {
    orders.bans = [...orders.bans.filter((o) => o.id !== id), { id, at: now, until, step, why }];
    orders.unbans = orders.unbans.filter((o) => o.id !== id);
  });
  const did = step === "ban" ? "banned" : "blocked";
  try {
    await order(context, did, id, [action], until);
  } catch (error) {
    // An order that failed is not carried out later.
    await changeOrders(files, now, (orders) => {
      orders.bans = orders.bans.filter((o) => o.id !== id);
    });
    throw error;
  }
  const reporting = (await loadMemory(files))?.mode === "report";
  const end = `until ${formatTime(until)} (${formatDuration(length)})`;
  return done(
    context,
    { who: showId(id), state: reporting ? `would be ${did}` : did, why, until: formatTime(until) },
    reporting
      ? `${showId(id)} is not refused: mode is report. Once it is enforce, this ban holds ${end}.`
      : `${showId(id)} is refused ${end}.`,
  );
}

async function unban(context: Context): Promise<number> {
  const { files, now, switches } = context, id = idOperand(context);
  const actions: Action[] = [
    { do: "unban", id },
    { do: "unslow", id, seconds: 0 },
    { do: "forget", id, protocols: [] },
  ];
  if (switches.has("dry-run")) return would(context, actions.flatMap(commandsOf));
  await demandTable();
  await changeOrders(files, now, (orders) => {
    orders.bans = orders.bans.filter((o) => o.id !== id);
    orders.unbans.push({ id, at: now, why: reasonOf(context) });
  });
  await order(context, "unbanned", id, actions);
  return done(
    context,
    { who: showId(id), state: "counted" },
    `${showId(id)} is let in; what it had before is forgotten.`,
  );
}

async function allow(context: Context): Promise<number> {
  const { files, now, switches, operand, config } = context;
  const policy = policyOf(config), parsed = parseNetwork(operand!);
  if (!parsed) {
    throw new UsageError(
      `${
        JSON.stringify(operand)
      } is not allowed; allowed is an address or a network such as "192.0.2.0/24".`,
      "Host names belong into allow of [bwlimit], where they are looked up again and again.",
    );
  }
  const network = formatNetwork(parsed), remove = switches.has("remove");
  const length = seconds(context), until = length === undefined ? null : now + length;
  const dry = switches.has("dry-run");
  const why = reasonOf(context);
  const refused = remove ? [] : await refusedIn(parsed, policy);
  let entries: string[] = [];
  const change = (orders: Orders) => {
    orders.allows = orders.allows.filter((o) => o.network !== network);
    if (!remove) orders.allows.push({ network, at: now, until, why });
    orders.bans = orders.bans.filter((o) => !refused.includes(o.id));
    orders.unbans.push(...refused.map((id) => ({ id, at: now, why: `${network} is allowed` })));
    entries = [...policy.allow, ...orders.allows.map((o) => o.network)];
  };
  if (!dry) await demandTable();
  if (dry) change(await loadOrders(files, now));
  else await changeOrders(files, now, change);
  // Names as `run` last looked them up.
  const networks = networksOf(entries, (await loadMemory(files))?.resolved ?? {});
  const commands = [
    ...allowCommands(networks),
    ...refused.flatMap((id) => commandsOf({ do: "unban", id })),
  ];
  if (dry) return would(context, commands);
  await apply(commands.join("\n") + "\n");
  await audit(files, [
    {
      at: now,
      did: remove ? "disallowed" : "allowed",
      who: network,
      why,
      by: "operator",
      ...(until === null ? {} : { until }),
    },
    ...refused.map((id): Line => ({
      at: now,
      did: "unbanned",
      who: showId(id),
      why: `${network} is allowed`,
      by: "operator",
    })),
  ], "enforce");
  return done(
    context,
    {
      network,
      allowed: !remove,
      until: until === null ? null : formatTime(until),
      unbanned: refused.map(showId),
    },
    remove
      ? `${network} is off the allow-list, but for what mirror.toml says.`
      : `${network} is never touched${until === null ? "" : ` until ${formatTime(until)}`}.`,
  );
}

/** The command; gives its exit code. */
export function main(args: string[]): Promise<number> {
  return command(SPEC, args, async (parsed) => {
    const [name = "", operand, ...more] = parsed.operands;
    const known = Object.keys(COMMANDS), found = known.includes(name) ? COMMANDS[name] : undefined;
    if (!found) {
      throw new UsageError(
        name
          ? `There is no bwlimit ${JSON.stringify(name)}. Did you mean ${
            closestString(name, known)
          }?`
          : "What is to be done?",
        `Allowed are ${known.join(", ")}; see bwlimit --help.`,
      );
    }
    const odd = [...parsed.switches, ...Object.keys(parsed.values)]
      .find((option) => option in SPEC.options && !found.options.includes(option));
    if (odd !== undefined) {
      throw new UsageError(`bwlimit ${name} takes no --${odd}.`, "See bwlimit --help.");
    }
    if (found.operand !== (operand !== undefined) || more.length) {
      throw new UsageError(
        `bwlimit ${name} takes ${found.operand ? "one address" : "nothing more"}.`,
        "See bwlimit --help.",
      );
    }
    const config = await loadConfig(parsed);
    policyOf(config);
    await openStorage(config.data, ["state"]);
    const files = filesIn(config.data);
    await openFolder(files);
    try {
      return await found.body({ ...parsed, config, files, operand, now: Date.now() / 1000 });
    } finally {
      await handOver(files);
    }
  });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
