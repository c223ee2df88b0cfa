/** What a check gets and gives. */
import type { CheckResult } from "../../formats/nodes.ts";
import type { CheckName, Endpoint, Healthz } from "../lib/healthz.ts";
import type { Wire } from "./wire_types.ts";

/** What a check found; the rest of the verdict needs all nodes (judge.ts). */
export interface Found extends CheckResult {
  check: CheckName;
  lastSync?: number;
  /** A piece of a package: which, and the hash of its bytes. */
  sample?: { path: string; hash: string };
}

/** A node's answer that is not what it should be. */
export class Unfit extends Error {}

/** One check with all it needs. */
export interface Job {
  endpoint: Endpoint;
  config: Healthz;
  wire: Wire;
  now: number;
  signal: AbortSignal;
}

/** A good end, in words; a bad one is thrown. */
export type Outcome = Omit<Partial<Found>, "ok"> & { reason: string };

/** Where a node answers; its own table goes before the common one. */
export const portOf = ({ endpoint, config }: Job, name: "http" | "https" | "rsync" | "ftp") =>
  (endpoint.node.ports ?? config.ports)[name];
