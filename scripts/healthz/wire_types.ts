/** How checks reach a node: an interface, as Deno and a Worker have different ways, and a test has a fake. */

/** A GET of one path at one address. */
export interface Ask {
  scheme: "http" | "https";
  address: string;
  port: number;
  /** The name that is asked for: `Host`, and in TLS the name that the certificate has to have. */
  name: string;
  /** A name of this node alone, for those who cannot connect to an address. */
  host?: string;
  path: string;
  headers?: Record<string, string>;
  /** The body is cut there. */
  maxBytes: number;
}

/** What came back; no redirect was followed. */
export interface Answer {
  status: number;
  location?: string;
  body: Uint8Array<ArrayBuffer>;
  /** There was more than `maxBytes`. */
  isCut: boolean;
  /** When the certificate ends, in epoch seconds. */
  certificateEnd?: number;
}

/** The ways to a node. Each gives up when the signal says so. */
export interface Wire {
  get(ask: Ask, signal: AbortSignal): Promise<Answer>;
  /** Connects, sends, and reads until `until` matches, the other side ends, or 4 KiB have come. */
  talk?(to: Place, send: string, until: RegExp, signal: AbortSignal): Promise<string>;
  /** Connects, and that is all: a reference point that answers is reached. */
  open(to: Place, signal: AbortSignal): Promise<void>;
}

/** An address and port. */
export interface Place {
  address: string;
  port: number;
}

export const AGENT = "mirrorkit-healthz/1 (mirror health check)";
