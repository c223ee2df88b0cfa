/**
 * `state/bwlimit/status.json`: what `bwlimit run` did, for `/metrics`, `/status.json` and other checkers.
 * It names no address. Times are epoch seconds in UTC.
 */

/** What the collector of NetFlow v9 and IPFIX has seen since it was started. */
export interface CollectorStatus {
  packets: number;
  flows: number;
  /** To clients that are not on the allow-list. */
  bytes: number;
  /** By the exporters' sequence numbers: packets of NetFlow v9, flows of IPFIX. */
  lost: number;
  /** Packets that were not understood, or came from who is no exporter. */
  refused: number;
  /** Sets of data whose template had not come yet. */
  untold: number;
}

/** Bytes to clients by protocol. */
export interface ByProtocol {
  tcp: number;
  udp: number;
  other: number;
}

export interface BwlimitStatus {
  v: 1;
  time: number;
  /** `report` refuses nobody, it only says what it would do. */
  mode: "enforce" | "report";
  /** Seconds between two looks, and how long the last one took. */
  pollSeconds: number;
  lookSeconds: number;
  /** Clients and networks that are counted one by one, slowed down, refused with an answer and without. */
  watched: number;
  slowed: number;
  banned: number;
  blocked: number;
  /** Networks and addresses that are never touched. */
  allowed: number;
  /** What was done since the first start, by what it was. */
  actions: { [did: string]: number };
  bytes: ByProtocol;
  /** How many destinations the kernel counts, when that was last looked at, and how many it can. */
  destinations: { counted: number | null; most: number };
  /** Bytes that were not counted because that was too few. */
  uncounted: number;
  collector: CollectorStatus | null;
  /** Share by which the two sources differ; `null` where there is but one, or too little to compare. */
  difference: number | null;
  /** Answers given to refused clients. */
  answers: number;
  /** What an operator should look at, in words. */
  alarms: string[];
}

const isCount = (value: unknown) =>
  typeof value === "number" && Number.isFinite(value) && value >= 0;

const COUNTS: (keyof BwlimitStatus)[] = [
  "time",
  "pollSeconds",
  "lookSeconds",
  "watched",
  "slowed",
  "banned",
  "blocked",
  "allowed",
  "uncounted",
  "answers",
];

/** A status from its JSON text; `undefined` where it is damaged or of another version. */
export function readBwlimitStatus(text: string): BwlimitStatus | undefined {
  try {
    const s = JSON.parse(text) as BwlimitStatus;
    const good = s.v === 1 && (s.mode === "enforce" || s.mode === "report") &&
      COUNTS.every((key) => isCount(s[key])) &&
      [s.bytes.tcp, s.bytes.udp, s.bytes.other, s.destinations.most].every(isCount) &&
      Object.values(s.actions).every(isCount) &&
      (s.collector === null || Object.values(s.collector).every(isCount)) &&
      (s.difference === null || Number.isFinite(s.difference)) &&
      Array.isArray(s.alarms) && s.alarms.every((a) => typeof a === "string");
    return good ? s : undefined;
  } catch {
    return undefined;
  }
}
