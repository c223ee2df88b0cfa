/**
 * What bwlimit keeps below `state/bwlimit/`, for its owner's eyes alone, as it names addresses:
 *
 * - `memory.json`: windows, bans and how often somebody was banned; written by `run` alone
 * - `distant/`: what the kernel has counted of all others, as nft prints it (distant.ts)
 * - `orders.json`: what operators asked for
 * - `audit.log`: what was done and why, a line of JSON each
 *
 * `status.json` beside them names nobody and is for the server.
 */
import { createHmac, randomBytes } from "node:crypto";
import { dirname, join } from "@std/path/posix";
import { readText, writeWhole } from "../lib/files.ts";
import { waitForLock } from "../lib/lock.ts";
import { bwlimitFolder } from "../lib/storage.ts";
import { type Id } from "./address.ts";
import type { Client, Level, Memory, Record, Step } from "./model.ts";
import { type Bytes, Rolling } from "./rolling.ts";

/** The files. */
export const filesIn = (data: string) => {
  const dir = bwlimitFolder(data);
  return {
    dir,
    lock: join(dir, "run.lock"),
    memory: join(dir, "memory.json"),
    orders: join(dir, "orders.json"),
    audit: join(dir, "audit.log"),
    status: join(dir, "status.json"),
    secret: join(dir, "secret"),
    distant: join(dir, "distant"),
  };
};
export type Files = ReturnType<typeof filesIn>;

/** Makes the folder. */
export async function openFolder(files: Files): Promise<void> {
  await Deno.mkdir(files.dir, { recursive: true });
}

/** Gives what root has written to the owner of the storage, as whom `run` may be at work. */
export async function handOver(files: Files): Promise<void> {
  if (Deno.uid() !== 0) return;
  const { uid, gid } = await Deno.stat(dirname(files.dir));
  if (!uid) return;
  await Deno.chown(files.dir, uid, gid);
  for await (const { name } of Deno.readDir(files.dir)) {
    // What is gone meanwhile needs no owner.
    await Deno.chown(join(files.dir, name), uid, gid).catch(() => {});
  }
}

const writePrivate = (path: string, text: string) => writeWhole(path, text, 0o600);

/** A client as it is kept: its windows as lists. */
interface Kept extends Omit<Client, "windows"> {
  windows: [seconds: number, parts: [number, Bytes][]][];
}

/** What is kept of a run beside the engine's memory. */
export interface Saved extends Memory {
  savedAt: number;
  /** In which mode the bans came to be; those that were only reported are not carried out later. */
  mode?: "enforce" | "report";
  /** Orders up to then have been carried out. */
  obeyedAt: number;
  /** Actions since the first start, by what was done. */
  actions: { [did: string]: number };
  /** Bytes since the first start, by protocol. */
  bytes: Bytes;
  /** The kernel's `total` when it was last read. */
  seenTotal: Bytes;
  /** What the host names of the allow-list last were. */
  resolved: { [host: string]: string[] };
}

export const nothingSaved = (): Saved => ({
  clients: new Map(),
  levels: new Map(),
  savedAt: 0,
  obeyedAt: 0,
  actions: {},
  bytes: [0, 0, 0],
  seenTotal: [0, 0, 0],
  resolved: {},
});

/** What was saved; `undefined` where there is nothing or it is damaged. */
export async function loadMemory(files: Files): Promise<Saved | undefined> {
  const text = await readText(files.memory);
  if (text === undefined) return undefined;
  try {
    const { v, clients, levels, ...rest } = JSON.parse(text) as
      & Omit<Saved, "clients" | "levels">
      & {
        v: number;
        clients: [Id, Kept][];
        levels: [string, Level][];
      };
    if (v !== 1) return undefined;
    return {
      ...nothingSaved(),
      ...rest,
      levels: new Map(levels),
      clients: new Map(clients.map(([id, kept]) => [id, {
        ...kept,
        windows: kept.windows.map(([seconds, parts]) => new Rolling(seconds, parts)),
      }])),
    };
  } catch {
    return undefined;
  }
}

/** Writes what is known, whole. */
export async function saveMemory(files: Files, saved: Saved): Promise<void> {
  const clients = [...saved.clients].map(([id, client]): [Id, Kept] => [id, {
    ...client,
    windows: client.windows.map((w) => [w.seconds, w.parts]),
  }]);
  const text = JSON.stringify({ v: 1, ...saved, clients, levels: [...saved.levels] });
  await writePrivate(files.memory, text + "\n");
}

/** What operators asked for. Times are epoch seconds; `until: null` is for good. */
export interface Orders {
  bans: { id: Id; at: number; until: number; step: Step; why: string }[];
  unbans: { id: Id; at: number; why: string }[];
  allows: { network: string; at: number; until: number | null; why: string }[];
}

/** The orders that still matter. */
export async function loadOrders(files: Files, now: number): Promise<Orders> {
  const none: Orders = { bans: [], unbans: [], allows: [] };
  let orders = none;
  try {
    orders = { ...none, ...JSON.parse(await readText(files.orders) ?? "{}") };
  } catch { /* damaged: nothing is asked for */ }
  return {
    bans: orders.bans.filter((o) => o.until > now),
    unbans: orders.unbans.filter((o) => o.at > now - 3600),
    allows: orders.allows.filter((o) => o.until === null || o.until > now),
  };
}

/** Changes the orders, one at a time. */
export async function changeOrders(files: Files, now: number, change: (orders: Orders) => void) {
  using _lock = await waitForLock(files.orders + ".lock");
  const orders = await loadOrders(files, now);
  change(orders);
  await writePrivate(files.orders, JSON.stringify(orders, null, 1) + "\n");
}

/** A line of the audit log: a record, with its id as people write it. */
export type Line = Omit<Record, "id"> & { who: string };

/** Adds lines to the audit log. */
export async function audit(files: Files, records: Line[], mode: "enforce" | "report") {
  if (records.length === 0) return;
  const lines = records.map(({ at, did, who, why, by, until }) =>
    JSON.stringify({
      time: new Date(at * 1000).toISOString(),
      did: mode === "report" && by !== "operator" ? `would have ${did}` : did,
      who,
      why,
      by,
      ...(until === undefined ? {} : { until: new Date(until * 1000).toISOString() }),
    }) + "\n"
  );
  using _lock = await waitForLock(files.audit + ".lock");
  await Deno.writeTextFile(files.audit, lines.join(""), { append: true, mode: 0o600 });
}

/** Takes addresses out of lines that are older than `keepSeconds`. */
export async function tidyAudit(files: Files, keepSeconds: number, now: number) {
  using _lock = await waitForLock(files.audit + ".lock");
  const text = await readText(files.audit);
  if (!text) return;
  const lines = text.split("\n").map((line) => {
    const old = Date.parse(/"time":"([^"]+)"/.exec(line)?.[1] ?? "") / 1000 < now - keepSeconds;
    return old ? line.replace(/"who":"[^"]*"/, '"who":"forgotten"') : line;
  });
  const tidied = lines.join("\n");
  if (tidied !== text) await writePrivate(files.audit, tidied);
}

/** A name for an id that tells nobody who it is without the secret of this node. */
export async function pseudonyms(files: Files): Promise<(id: Id) => string> {
  let secret = await readText(files.secret);
  if (!secret) {
    secret = randomBytes(32).toString("hex");
    await writePrivate(files.secret, secret);
  }
  return (id) => createHmac("sha256", secret).update(id).digest("base64url").slice(0, 22);
}
