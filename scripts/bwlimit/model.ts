/** What is known of clients, what the kernel says of them, and what it is told. */
import type { Id } from "./address.ts";
import type { Bytes, Rolling } from "./rolling.ts";

/** One look at the kernel. Times are the seconds that remain. */
export interface Reading {
  count: Map<Id, Bytes>;
  /** nft's names of the protocols that an id was counted under. */
  protocols: Map<Id, string[]>;
  /** Bytes since the client has quotas of its own. */
  own: Map<Id, number>;
  free: Set<Id>;
  slow: Set<Id>;
  ban: Map<Id, number>;
  block: Map<Id, number>;
}

/** `ban`: refused with an answer, `block`: refused without. */
export type Step = "ban" | "block";
export type Source = "kernel" | "ipfix" | "operator";

/** What the kernel is to be told. */
export type Action =
  /** Give it quotas of its own, or another threshold to those it has. */
  | { do: "quota"; id: Id; hard: number; soft?: number; fresh: boolean }
  | { do: "free"; id: Id }
  | { do: "slow" | "unslow"; id: Id; seconds: number }
  | { do: Step; id: Id; seconds: number }
  | { do: "unban"; id: Id }
  | { do: "forget"; id: Id; protocols: string[] };

/** What was done; in report mode `throttled` to `blocked` are only said. */
export type Did =
  | "throttled"
  | "banned"
  | "blocked"
  | "unthrottled"
  | "ended"
  | "unbanned"
  | "allowed"
  | "disallowed";

/** A line of the audit log. */
export interface Record {
  at: number;
  did: Did;
  id: Id;
  why: string;
  by: Source;
  until?: number;
}

/** A ban as it is kept. */
export interface Ban {
  step: Step;
  since: number;
  until: number;
  why: string;
  by: Source;
  /** What had been counted when it began. */
  bytes: Bytes;
}

/** What is known of one client or network. */
export interface Client {
  total: Bytes;
  seen: Bytes;
  windows: Rolling[];
  /** Total bytes before its own quotas began to count; `null` while it has none. */
  base: number | null;
  /** Its quotas' thresholds, as the kernel was told. */
  hard: number;
  soft: number;
  slowSince?: number;
  ban?: Ban;
}

/** How often somebody was banned, kept under a name that tells nobody who it is. */
export interface Level {
  level: number;
  /** When the last ban ended. */
  since: number;
}

/** What had been counted of somebody in an older table: the time of it, and until when that table would know it. */
export interface Debt {
  bytes: number;
  at: number;
  until: number;
}
export type Debts = Map<Id, Debt>;

/** What is kept over a restart. */
export interface Memory {
  clients: Map<Id, Client>;
  levels: Map<string, Level>;
}

/** A reading of nothing. */
export const emptyReading = (): Reading => ({
  count: new Map(),
  protocols: new Map(),
  own: new Map(),
  free: new Set(),
  slow: new Set(),
  ban: new Map(),
  block: new Map(),
});
