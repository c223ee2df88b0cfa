/** `statcat show` and `statcat export`: read the history, or follow the hub. */
import { DatabaseSync } from "node:sqlite";
import { readHubState } from "../../formats/hub.ts";
import { type LiveEvent, readLiveEvent, type Span, SPANS } from "../../formats/stats.ts";
import { Failure, UsageError } from "../lib/cli.ts";
import type { Config } from "../lib/config.ts";
import { exists, readText } from "../lib/files.ts";
import { hubUrl, statcatFiles } from "../lib/statcat.ts";
import { type Period, periodsOf, seriesOf } from "./periods.ts";
import { CSV_HEAD, csvLine, EXPORT_STEP, showInterface, showLive } from "./show.ts";

const NO_HISTORY = "Nothing was kept yet";

/** Opens the history of a node for reading; the hub may be at work meanwhile. */
async function openHistory(config: Config): Promise<DatabaseSync> {
  const { history } = statcatFiles(config.data);
  if (!await exists(history)) {
    throw new Failure(`${NO_HISTORY}: there is no ${history}.`, "Run: statcat hub");
  }
  return new DatabaseSync(history, { readOnly: true });
}

/** What `statcat show` knows of an interface. */
interface Shown {
  spoke: string;
  interface: string;
  days: Period[];
  months: Period[];
}

function interfacesOf(db: DatabaseSync, now: number): Shown[] {
  const shown = new Map<string, Shown>();
  const put = (kind: "days" | "months", period: Period) => {
    const { spoke, interface: name } = period, key = `${spoke} ${name}`;
    const one = shown.get(key) ?? { spoke, interface: name, days: [], months: [] };
    shown.set(key, one);
    one[kind].push(period);
  };
  const today = now - now % 86_400;
  for (const period of periodsOf(db, "month", 0)) put("months", period);
  for (const period of periodsOf(db, "day", today - 6 * 86_400)) put("days", period);
  for (const one of shown.values()) one.months = one.months.slice(-12);
  return [...shown.values()];
}

/** Prints the last hour, days and months of every interface. */
export async function show(config: Config, json: boolean, now = Date.now() / 1000): Promise<void> {
  const db = await openHistory(config);
  try {
    const all = interfacesOf(db, now);
    if (json) return console.log(JSON.stringify(all));
    if (all.length === 0) throw new Failure(`${NO_HISTORY}.`, "Run a spoke: statcat spoke");
    const texts = all.map((one) => {
      const series = seriesOf(db, "hour", now, one.spoke);
      const own = series.find((s) => s.interface === one.interface);
      return showInterface(own, one.days, one.months);
    });
    console.log(texts.join("\n").trimEnd());
  } finally {
    db.close();
  }
}

/** Live events of this node's hub until it ends or the signal aborts. */
async function* follow(config: Config, signal: AbortSignal): AsyncGenerator<LiveEvent> {
  const state = readHubState(await readText(statcatFiles(config.data).hub) ?? "");
  if (!state) throw new Failure("This node's hub does not run.", "Run: statcat hub");
  const response = await fetch(`${hubUrl(state)}/sse`, { signal });
  if (!response.ok) {
    throw new Failure(`The hub answers ${response.status}: ${await response.text()}`);
  }
  let rest = "";
  for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const event = line.startsWith("data: ") ? readLiveEvent(line.slice(6)) : undefined;
      if (event) yield event;
    }
  }
}

/** Shows what passes now, until it is stopped: as a screen, or as a line of JSON a second. */
export async function showNow(
  config: Config,
  json: boolean,
  stop: Promise<unknown>,
): Promise<void> {
  const left = new AbortController(), screen = Deno.stdout.isTerminal() && !json;
  void stop.then(() => left.abort());
  try {
    for await (const event of follow(config, left.signal)) {
      if (json) console.log(JSON.stringify(event));
      else console.log((screen ? "\x1b[H\x1b[2J" : "") + showLive(event).trimEnd());
    }
  } catch (error) {
    if (left.signal.aborted) return;
    if (error instanceof TypeError) throw new Failure(`The hub does not answer: ${error.message}`);
    throw error;
  }
  throw new Failure("The hub has ended.");
}

/** Writes a span of the history as CSV. */
export async function exportCsv(config: Config, span: string, write: (text: string) => void) {
  if (!Object.hasOwn(SPANS, span)) {
    throw new UsageError(
      `--span ${span} is not allowed; allowed are ${Object.keys(SPANS).join(", ")}.`,
    );
  }
  const db = await openHistory(config);
  try {
    const rows = db.prepare(
      `SELECT t.*, i.spoke, i.name FROM traffic t JOIN interface i ON i.id = t.interface
       WHERE t.step = ? ORDER BY t.time, i.spoke, i.name`,
    ).iterate(EXPORT_STEP[span as Span]);
    write(CSV_HEAD + "\n");
    for (const row of rows) write(csvLine(row) + "\n");
  } finally {
    db.close();
  }
}
