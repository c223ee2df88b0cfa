/** What `list` and `explain` say: what `run` has saved, brought up to date by a look at the kernel. */
import { formatBytes, formatTime } from "../../formats/units.ts";
import { UsageError } from "../lib/cli.ts";
import type { Config } from "../lib/config.ts";
import { readText } from "../lib/files.ts";
import type { Bwlimit } from "../lib/limits.ts";
import {
  familyOf,
  type Id,
  idOf,
  idOfText,
  lieIn,
  type Network,
  parseAddress,
  parseNetwork,
  scopesOf,
  showId,
  splitId,
} from "./address.ts";
import { networksOf, type Resolved } from "./allow.ts";
import { loadDebts } from "./debts.ts";
import { Engine } from "./engine.ts";
import { filesIn, loadMemory, loadOrders, nothingSaved, pseudonyms } from "./memory.ts";
import { takeIn } from "./orders.ts";
import { Session } from "./nft.ts";
import { warmSets } from "./sets.ts";
import { policyOf } from "./settings.ts";
import { readAll } from "./reading.ts";
import { describe, listText, standingOf, standings } from "./view.ts";

/** The engine as it would be after a look now; nothing is changed by it. */
async function lookNow(config: Config, session: Session) {
  const files = filesIn(config.data), now = Date.now() / 1000;
  const saved = await loadMemory(files) ?? nothingSaved(), wanted = policyOf(config);
  // The mode that the table was made in counts: `run --dry-run` refuses nobody, whatever mirror.toml says.
  const policy = { ...wanted, mode: saved.mode ?? wanted.mode };
  const engine = new Engine(policy, saved, await pseudonyms(files));
  const reading = await readAll((set) => session.list(set), scopesOf(policy));
  takeIn(engine, await loadOrders(files, now), saved.obeyedAt, reading, now);
  engine.look(reading, now);
  return { policy, files, now, saved, engine, reading };
}

/** `bwlimit list`. */
export async function list(config: Config, json: boolean): Promise<string> {
  await using session = new Session();
  const { engine, reading, now } = await lookNow(config, session);
  const all = standings(engine, reading, now);
  return json ? JSON.stringify(all, null, 1) : listText(all);
}

/** `bwlimit explain ADDRESS`. */
export async function explain(config: Config, text: string, json: boolean): Promise<string> {
  const network = parseNetwork(text), address = network && parseAddress(text.split("/")[0]);
  if (!network || !address) {
    throw new UsageError(`${JSON.stringify(text)} is not allowed; allowed is an address.`);
  }
  const scopes = scopesOf(policyOf(config));
  if (text.includes("/") && !idOfText(text, scopes)) {
    const lengths = scopes.map((s) => `IPv${s.family} /${s.prefix}`).join(", ");
    throw new UsageError(
      `${
        JSON.stringify(text)
      } is not counted; allowed is an address, or a network of a length that is: ${lengths}.`,
    );
  }
  await using session = new Session();
  const look = await lookNow(config, session);
  const { policy, files, now, saved, engine, reading } = look;
  const ids = scopesOf(policy).filter((s) => s.family === familyOf(address))
    .map((s) => idOf(s, address));
  const allows = [...policy.allow, ...(await loadOrders(files, now)).allows.map((a) => a.network)];
  const allowed = allowedBy(allows, saved.resolved, address);
  const caps = policy.cap.filter((c) => lieIn(address, c.networks.map((n) => parseNetwork(n)!)));
  const all = await Promise.all(ids.map(async (id) => ({
    ...standingOf(policy, id, engine.memory.clients.get(id), reading, now, engine.levelOf(id, now)),
    ...(engine.memory.clients.has(id) ? {} : await unwatched(id, look, session)),
  })));
  const history = await historyOf(files.audit, ids);
  if (json) {
    const names = caps.map((c) => c.name);
    return JSON.stringify(
      { address: text, mode: policy.mode, allowed, caps: names, standings: all, history },
      null,
      1,
    );
  }
  const lines = [
    allowed ? `${text} is on the allow-list (${allowed}): it is never touched.\n` : "",
    policy.mode === "report" ? "Nobody is refused or slowed down: mode is report.\n" : "",
    ...caps.map((c) => `It shares the cap ${c.name}: ${formatBytes(c.rate)}/s.\n`),
    ...all.map((s) =>
      describe(s) +
      (s.warm === undefined
        ? ""
        : `  ${formatBytes(s.warm)} so far; it is too little to be looked at one by one\n`)
    ),
    history.length ? "What was done:\n" + history.map((h) => `  ${h}\n`).join("") : "",
  ];
  return lines.join("");
}

/** What was counted of somebody who is not looked at one by one: by the kernel, and before a reboot. */
async function unwatched(
  id: Id,
  { policy, files, now, reading }: Awaited<ReturnType<typeof lookNow>>,
  session: Session,
): Promise<{ warm?: number }> {
  if (reading.ban.has(id) || reading.block.has(id)) return {};
  const { scope, key } = splitId(id);
  const made = (await session.list("made"))[0]?.val as number | undefined;
  let warm = (await loadDebts(files, policy, made, now, id)).get(id)?.bytes ?? 0;
  for (const set of warmSets(scope)) {
    const found = (await session.list(set)).find((e) => e.val === key);
    if (!found) continue;
    warm += found.counter?.bytes ?? 0;
    break;
  }
  return { warm };
}

/** Throws {@linkcode Failure} where no order can be carried out: an order that fails leaves nothing behind. */
export async function demandTable(): Promise<void> {
  await using session = new Session();
  await session.list("allow4");
}

/** The entry of the allow-list that a client or network falls under. */
export async function allowEntryOf(config: Config, id: Id): Promise<string | undefined> {
  const files = filesIn(config.data), { allows } = await loadOrders(files, Date.now() / 1000);
  const entries = [...policyOf(config).allow, ...allows.map((a) => a.network)];
  const resolved = (await loadMemory(files))?.resolved ?? {};
  const { scope, key } = splitId(id);
  return allowedBy(entries, resolved, parseAddress(key)!, scope.prefix);
}

/** The entry of the allow-list that an address falls under, with all of its prefix. */
function allowedBy(
  entries: string[],
  resolved: Resolved,
  address: NonNullable<ReturnType<typeof parseAddress>>,
  prefix = 128,
): string | undefined {
  for (const entry of entries) {
    const networks = networksOf([entry], resolved);
    if (lieIn(address, networks.filter((n) => n.prefix <= prefix))) return entry;
  }
}

/** The last lines of the audit log about ids. */
async function historyOf(path: string, ids: Id[]): Promise<string[]> {
  const names = ids.map(showId);
  const lines = (await readText(path) ?? "").split("\n").filter((l) => l).map((line) =>
    JSON.parse(line)
  );
  return lines.filter((l) => names.includes(l.who)).slice(-10).map((l) =>
    `${formatTime(Date.parse(l.time) / 1000)} ${l.who} ${l.did} (${l.by}): ${l.why}` +
    (l.until ? `; until ${formatTime(Date.parse(l.until) / 1000)}` : "")
  );
}

/** Who is refused within a network. */
export async function refusedIn(network: Network, policy: Bwlimit): Promise<Id[]> {
  await using session = new Session();
  const { ban, block } = await readAll((set) => session.list(set), scopesOf(policy));
  return [...ban.keys(), ...block.keys()].filter((id) =>
    lieIn(parseAddress(splitId(id).key)!, [network])
  );
}
