/**
 * What a spoke tells its hub, as JSON text frames of a WebSocket:
 *
 *     {"v":1,"spoke":"seoul","session":"k3…","clock":1795262400.012,"samples":[[17,1795262399,1000,[["eth0",812,93,5,6]]]]}
 *
 * and what the hub answers once it has stored them: `{"v":1,"ack":17}`. A sample is its number, the second
 * (epoch, UTC) that it is of, the milliseconds that it took by a monotonic clock, and what passed each
 * interface. Numbers count up within a session, a random name that a spoke takes when it starts: so what
 * is sent again after a cut is stored once. `clock` is the sender's time, for a hub to see it is wrong.
 */
import * as v from "valibot";
import { isInterfaceName, isSpokeName } from "../../formats/stats.ts";

/** Name, bytes received and sent, packets received and sent. */
export type Row = [name: string, rxB: number, txB: number, rxP: number, txP: number];

/** What passed a node's interfaces within about a second. */
export interface Sample {
  seq: number;
  /** The second that it is of, epoch seconds. */
  time: number;
  /** How long it really was. */
  ms: number;
  rows: Row[];
}

/** A frame from a spoke. */
export interface Message {
  spoke: string;
  session: string;
  /** Epoch seconds, with fractions. */
  clock: number;
  samples: Sample[];
}

/** A frame from a spoke is at most this long; `ws` cuts a connection that sends more. */
export const MAX_MESSAGE_BYTES = 64 * 1024;
/** Interfaces of one spoke. */
export const MAX_INTERFACES = 16;
/** A message is filled up to here, so that it never exceeds {@linkcode MAX_MESSAGE_BYTES}. */
const FILL_BYTES = 48 * 1024;

const amount = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1e15));
const row = v.strictTuple([v.custom<string>(isInterfaceName), amount, amount, amount, amount]);
const sample = v.strictTuple([
  amount,
  amount,
  v.pipe(v.number(), v.minValue(1), v.maxValue(86_400_000)),
  v.pipe(v.array(row), v.maxLength(MAX_INTERFACES)),
]);
const message = v.strictObject({
  v: v.literal(1),
  spoke: v.custom<string>(isSpokeName),
  session: v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/)),
  clock: v.pipe(v.number(), v.minValue(0), v.maxValue(1e11)),
  samples: v.pipe(v.array(sample), v.maxLength(2000)),
});
const answer = v.strictObject({ v: v.literal(1), ack: amount });

function parsed<T>(schema: v.GenericSchema<unknown, T>, text: string): T | undefined {
  try {
    const result = v.safeParse(schema, JSON.parse(text), { abortEarly: true });
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

/** A message from a frame; `undefined` where it is not exactly what a spoke says. */
export function readMessage(text: string): Message | undefined {
  const found = parsed(message, text);
  return found && {
    ...found,
    samples: found.samples.map(([seq, time, ms, rows]) => ({ seq, time, ms, rows })),
  };
}

/** A frame with as many of the samples, in their order, as fit; and the number of the last one in it. */
export function writeMessage(
  head: Omit<Message, "samples">,
  samples: Sample[],
): { text: string; last: number } {
  let bytes = 0, last = -1;
  const parts: string[] = [];
  for (const { seq, time, ms, rows } of samples) {
    const part = JSON.stringify([seq, time, Math.max(1, Math.round(ms)), rows]);
    if (parts.length && bytes + part.length > FILL_BYTES) break;
    parts.push(part);
    bytes += part.length + 1;
    last = seq;
  }
  const start = JSON.stringify({ v: 1, ...head });
  return { text: `${start.slice(0, -1)},"samples":[${parts.join()}]}`, last };
}

/** The hub's answer: everything up to this number is stored. */
export const writeAck = (ack: number): string => JSON.stringify({ v: 1, ack });

/** The number in a hub's answer; `undefined` where it is none. */
export const readAck = (text: string): number | undefined => parsed(answer, text)?.ack;
