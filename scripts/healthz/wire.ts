/** How checks reach a node from a machine. */
import http from "node:http";
import https from "node:https";
import { joined } from "./body.ts";
import { AGENT, type Wire } from "./wire_types.ts";

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

  async open({ address, port }, signal) {
    (await Deno.connect({ hostname: address, port, signal })).close();
  },
};
