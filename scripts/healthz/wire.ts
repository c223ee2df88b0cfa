/** How checks reach a node. The real one is for Deno; a Worker has its own, and a test passes a fake. */
import http from "node:http";
import https from "node:https";

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
  /** Whether a reference point answers: a connection to an address, any answer from a URL. */
  reach(reference: string, signal: AbortSignal): Promise<boolean>;
}

/** An address and port. */
export interface Place {
  address: string;
  port: number;
}

export const AGENT = "mirrorkit-healthz/1 (mirror health check)";
const TALK_BYTES = 4096;

/** The real one. */
export const denoWire: Wire = {
  get: (ask, signal) =>
    new Promise((resolve, reject) => {
      const { scheme, address, port, name, path, headers } = ask;
      const isDefault = port === (scheme === "https" ? 443 : 80);
      const request = (scheme === "https" ? https : http).request({
        host: address,
        family: address.includes(":") ? 6 : 4,
        port,
        path,
        servername: name,
        headers: {
          host: isDefault ? name : `${name}:${port}`,
          "user-agent": AGENT,
          connection: "close",
          ...headers,
        },
        agent: false,
        signal,
      }, (response) => {
        const chunks: Uint8Array[] = [];
        let bytes = 0;
        const finish = (isCut: boolean) => {
          const socket = response.socket as unknown as {
            getPeerCertificate?(): { valid_to?: string };
          };
          const end = Date.parse(socket?.getPeerCertificate?.()?.valid_to ?? "");
          resolve({
            status: response.statusCode!,
            location: response.headers.location,
            body: joined(chunks, Math.min(bytes, ask.maxBytes)),
            isCut,
            certificateEnd: Number.isNaN(end) ? undefined : end / 1000,
          });
          request.destroy();
        };
        response.on("data", (chunk: Uint8Array) => {
          chunks.push(chunk);
          bytes += chunk.length;
          if (bytes > ask.maxBytes) finish(true);
        });
        response.on("end", () => finish(false));
        response.on("error", reject);
        response.on("aborted", () => reject(new Error("the connection ended early")));
      });
      request.on("error", reject);
      request.end();
    }),

  async talk({ address, port }, send, until, signal) {
    const connection = await Deno.connect({ hostname: address, port, signal });
    const close = () => {
      try {
        connection.close();
      } catch { /* closed already */ }
    };
    signal.addEventListener("abort", close);
    try {
      if (send) await connection.write(new TextEncoder().encode(send));
      const buffer = new Uint8Array(TALK_BYTES);
      let at = 0, text = "";
      while (at < TALK_BYTES && !until.test(text)) {
        const n = await connection.read(buffer.subarray(at));
        if (n === null) break;
        at += n;
        text = new TextDecoder().decode(buffer.subarray(0, at));
      }
      return text;
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener("abort", close);
      close();
    }
  },

  async reach(reference, signal) {
    try {
      if (/^https?:/.test(reference)) {
        const response = await fetch(reference, { signal, redirect: "manual", method: "HEAD" });
        await response.body?.cancel();
        return true;
      }
      const [, hostname, port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(reference)!;
      (await Deno.connect({ hostname, port: Number(port), signal })).close();
      return true;
    } catch {
      return false;
    }
  },
};

/** Some chunks as one, cut at `bytes`. */
export function joined(chunks: Uint8Array[], bytes: number): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(0, bytes - at);
    all.set(part, at);
    at += part.length;
  }
  return all;
}
