/** A hub under test, and spokes that say what the test wants. */
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import { Log } from "../../scripts/lib/cli.ts";
import type { Config } from "../../scripts/lib/config.ts";
import { SPOKES, statcatFiles } from "../../scripts/lib/statcat.ts";
import { type RunningHub, startHub } from "../../scripts/statcat/run_hub.ts";
import type { Row, Sample } from "../../scripts/statcat/sample.ts";
import { addToken } from "../../scripts/statcat/tokens.ts";

/** A hub in this process on a free port; what it says is kept. */
export interface TestHub extends AsyncDisposable {
  hub: RunningHub;
  said: string[];
  /** `http://…` without a slash at the end. */
  url: string;
  /** Makes a token. */
  token(name: string): Promise<string>;
}

/** Starts a hub for a configuration. */
export async function startTestHub(config: Config): Promise<TestHub> {
  const said: string[] = [];
  const log = new Log(1, (text) => void said.push(text), false, false);
  const hub = await startHub(config, log, { port: 0 });
  return {
    hub,
    said,
    url: `http://127.0.0.1:${hub.port}`,
    token: (name) => addToken(statcatFiles(config.data).tokens, name),
    [Symbol.asyncDispose]: () => hub.close(),
  };
}

/** A spoke's connection, open; how it ends is told by `closed`. */
export interface TestSpoke {
  ws: WebSocket;
  closed: Promise<number>;
  /** Says a sample of the second that has just ended. */
  say(rows: Row[], more?: Partial<Sample>): void;
}

/** Connects as a spoke. Rejects where the hub does not let it in. */
export async function connectSpoke(url: string, token: string): Promise<TestSpoke> {
  const ws = new WebSocket(url.replace("http", "ws") + SPOKES, {
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
  });
  const closed = new Promise<number>((resolve) => ws.on("close", resolve));
  await new Promise<void>((resolve, reject) => {
    ws.on("open", () => resolve());
    ws.on("error", reject);
  });
  let seq = 0;
  const session = crypto.randomUUID(), spoke = token.slice(0, token.lastIndexOf("."));
  return {
    ws,
    closed,
    say(rows, more = {}) {
      const now = Date.now() / 1000;
      const sample = { seq: ++seq, time: Math.floor(now) - 1, ms: 1000, ...more };
      const samples = [[sample.seq, sample.time, sample.ms, rows]];
      ws.send(JSON.stringify({ v: 1, spoke, session, clock: now, samples }));
    },
  };
}
