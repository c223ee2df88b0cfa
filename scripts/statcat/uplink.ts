/**
 * A spoke's line to one hub: what was measured is kept until the hub has stored it, for a quarter of an
 * hour at most, and sent again after a cut. It reconnects after growing pauses with full jitter, so that
 * a hub that comes back is not run over.
 */
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import { MAX_MESSAGE_BYTES, type Message, readAck, type Sample, writeMessage } from "./sample.ts";

/** Samples that are kept, one a second. */
export const KEPT = 900;
/** A hub pings every 3 s: after this long without a word it is dead. */
const DEAD_MS = 9000;
const FIRST_PAUSE_MS = 500, LONGEST_PAUSE_MS = 30_000;
/** More than this on its way to the hub: it is slow, and gets nothing more until it has caught up. */
const MAX_BUFFERED = 4 * MAX_MESSAGE_BYTES;

/** The pause before the nth attempt in a row: full jitter, as in AWS' "Exponential Backoff And Jitter". */
export function pauseMs(failures: number, random: () => number = Math.random): number {
  return random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 16));
}

/** What is needed of a WebSocket; a test has its own. */
export interface Line {
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(text: string): void;
  terminate(): void;
  on(event: string, listener: (...args: never[]) => void): unknown;
}

/** A hub to tell: where, and with which token. */
export interface Target {
  url: string;
  token: string;
}

/** What an uplink is given. */
export interface UplinkOptions {
  /** Finds the hub, before each attempt: one on this machine may have moved; `undefined` while it is not there. */
  find: () => Target | undefined;
  /** Gets what happens, for a person: connected, cut and why. */
  report: (message: string) => void;
  connect?: (target: Target) => Line;
  /** Milliseconds, monotonic. */
  clock?: () => number;
}

const OPEN = 1;

function connectTo({ url, token }: Target): Line {
  return new WebSocket(url, {
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    handshakeTimeout: DEAD_MS,
    followRedirects: false,
  });
}

/** A line to a hub that mends itself. */
export class Uplink {
  readonly #kept: Sample[] = [];
  readonly #session = crypto.randomUUID();
  readonly #options: Required<UplinkOptions>;
  #line: Line | undefined;
  #name = "";
  /** The last sample that went out on this line. */
  #sent = 0;
  #heard = 0;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(options: UplinkOptions) {
    this.#options = { connect: connectTo, clock: () => performance.now(), ...options };
    this.#connect();
  }

  /** How many samples wait for the hub to store them. */
  get waiting(): number {
    return this.#kept.length;
  }

  /** Keeps a sample and sends what there is to send. To be called once a second. */
  push(sample: Sample): void {
    this.#kept.push(sample);
    if (this.#kept.length > KEPT) this.#kept.shift();
    if (this.#line && this.#options.clock() - this.#heard > DEAD_MS) {
      this.#options.report("the hub is silent");
      this.#line.terminate();
    }
    this.#send();
  }

  #send() {
    const line = this.#line;
    if (line?.readyState !== OPEN || line.bufferedAmount > MAX_BUFFERED) return;
    const waiting = this.#kept.filter((s) => s.seq > this.#sent);
    if (waiting.length === 0) return;
    const head: Omit<Message, "samples"> = {
      spoke: this.#name,
      session: this.#session,
      clock: Date.now() / 1000,
    };
    const { text, last } = writeMessage(head, waiting);
    line.send(text);
    this.#sent = last;
  }

  #connect() {
    const { find, connect, clock, report } = this.#options;
    const target = find();
    if (!target) return this.#pause();
    const line = connect(target);
    this.#line = line;
    this.#name = target.token.slice(0, target.token.lastIndexOf("."));
    this.#sent = 0;
    this.#heard = clock();
    const alive = () => void (this.#heard = clock());
    line.on("open", () => {
      alive();
      report("connected");
      this.#send();
    });
    line.on("ping", alive);
    line.on("message", (data: unknown) => {
      alive();
      const ack = readAck(String(data));
      if (ack === undefined) return;
      this.#failures = 0;
      while (this.#kept.length && this.#kept[0].seq <= ack) this.#kept.shift();
    });
    line.on("error", (error: Error) => report(`cut: ${error.message}`));
    line.on("close", () => this.#again(line));
  }

  #again(line: Line) {
    if (this.#line !== line || this.#stopped) return;
    this.#line = undefined;
    this.#pause();
  }

  #pause() {
    this.#timer = setTimeout(() => this.#connect(), pauseMs(this.#failures++));
  }

  /** Ends the line. What the hub has not stored is lost with this process. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#line?.terminate();
  }
}
