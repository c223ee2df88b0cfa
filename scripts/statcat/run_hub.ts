/** The hub as a process: its port, its second hand, its files. */
import type { Log } from "../lib/cli.ts";
import type { Config } from "../lib/config.ts";
import { readText, writeWhole } from "../lib/files.ts";
import { takeLock } from "../lib/lock.ts";
import { statcatFiles } from "../lib/statcat.ts";
import { Answers, stateOf } from "./answers.ts";
import { Audience } from "./audience.ts";
import { type Endpoint, listen } from "./endpoint.ts";
import { History } from "./history.ts";
import { Hub } from "./hub.ts";
import { writeAck } from "./sample.ts";
import { everySecond } from "./ticks.ts";
import { addToken, loadTokens, spokeOf, type Tokens } from "./tokens.ts";

/** What was measured is written this often, in seconds; until then its spoke keeps it as well. */
const FLUSH_SECONDS = 10;
const PRUNE_SECONDS = 60;
/** The hub's second hand goes this much after the spokes', so that an event has the last second in it. */
export const OFFSET_MS = 250;
/** What is refused is said at most so often, in seconds: nobody fills the journal. */
const REPORT_SECONDS = 10;

/** A hub at work. */
export interface RunningHub {
  port: number;
  /** How many clients `/sse` has. */
  listeners(): number;
  close(): Promise<void>;
}

/** The tokens of a file, read again only when it has changed. */
function tokenReader(file: string): () => Promise<Tokens> {
  let known: Tokens = new Map(), version = "";
  return async () => {
    const info = await Deno.stat(file).catch(() => undefined);
    const now = info ? `${info.ino} ${info.mtime?.getTime()} ${info.size}` : "";
    if (now !== version) {
      known = await loadTokens(file);
      version = now;
    }
    return known;
  };
}

/** This node's own spoke gets a token without anybody's doing, which only the storage's owner may read. */
async function giveOwnToken(files: ReturnType<typeof statcatFiles>, name: string) {
  const there = await readText(files.ownToken);
  if (there && spokeOf(await loadTokens(files.tokens), there.trim()) === name) return;
  await Deno.remove(files.ownToken).catch(() => {});
  await Deno.writeTextFile(files.ownToken, "", { mode: 0o600 });
  await Deno.writeTextFile(files.ownToken, await addToken(files.tokens, name) + "\n");
}

/** Says what happens, the same kind of thing at most every {@linkcode REPORT_SECONDS}. */
function quietly(log: Log): (what: string) => void {
  let last = -Infinity, more = 0;
  return (what) => {
    if (performance.now() - last < REPORT_SECONDS * 1000) return void more++;
    log.warn(more ? `${what} (and ${more} more before)` : what);
    last = performance.now();
    more = 0;
  };
}

/** Starts the hub of a node. Throws {@linkcode Failure} where another is at work or the port is taken. */
export async function startHub(
  config: Config,
  log: Log,
  { hostname = config.statcat.hostname, port = config.statcat.port } = {},
): Promise<RunningHub> {
  const files = statcatFiles(config.data), now = () => Date.now() / 1000, startedAt = now();
  await Deno.mkdir(files.dir, { recursive: true });
  const lock = await takeLock(files.lock, "A hub");
  const history = new History(files.history);
  const hub = new Hub(history), { clients, clients_per_address } = config.statcat;
  const audience = new Audience({ clients, clientsPerAddress: clients_per_address });
  const tokens = tokenReader(files.tokens), answers = new Answers(history, files, now);
  let endpoint: Endpoint;
  try {
    await giveOwnToken(files, config.statcat.name);
    endpoint = await listen(
      {
        hub,
        audience,
        identify: async (token) => spokeOf(await tokens(), token),
        stats: (query) => answers.answer(query),
        report: quietly(log),
        now,
      },
      hostname,
      port,
    );
  } catch (error) {
    answers[Symbol.dispose]();
    history[Symbol.dispose]();
    lock[Symbol.dispose]();
    throw error;
  }
  const where = { hostname, port: endpoint.port };
  const leave = async () => {
    const connected = new Set(endpoint.connected());
    const state = stateOf({ hub, audience, history, connected, where, startedAt, now: now() });
    await writeWhole(files.hub, JSON.stringify(state) + "\n");
  };
  /** Writes what was measured, tells its spokes, and cuts those whose token was taken away. */
  const keep = async (seconds: number) => {
    for (const [id, { seq }] of history.flush()) endpoint.tell(id, writeAck(seq));
    if (seconds % PRUNE_SECONDS === 0) history.prune(now());
    const known = await tokens();
    for (const id of hub.spokes.keys()) {
      if (known.has(id)) continue;
      endpoint.cut(id);
      hub.forget(id);
    }
    await leave();
  };
  await leave();
  let seconds = 0, keeping = Promise.resolve();
  const second = everySecond(() => {
    audience.send(hub.event(now()));
    if (++seconds % FLUSH_SECONDS !== 0) return;
    keeping = keep(seconds).catch((error) =>
      log.error(`error: cannot keep statistics: ${error.message}`)
    );
  }, OFFSET_MS);
  return {
    port: endpoint.port,
    listeners: () => audience.size,
    async close() {
      second.stop();
      await endpoint.close();
      await keeping;
      answers[Symbol.dispose]();
      history[Symbol.dispose]();
      await Deno.remove(files.hub).catch(() => {});
      lock[Symbol.dispose]();
    },
  };
}
