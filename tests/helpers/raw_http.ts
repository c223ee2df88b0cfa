/** HTTP by hand: a request as exactly these bytes, and what comes back. */

/** A response. */
export interface Answer {
  status: number;
  headers: Map<string, string>;
  body: Uint8Array;
}

/** A request line with its fields as bytes; `Host` and `Connection: close` are added where they lack. */
export function requestText(
  target: string,
  headers: Record<string, string> = {},
  method = "GET",
): string {
  const all = { host: "mirror.test", connection: "close", ...headers };
  const fields = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${fields.join("")}\r\n`;
}

/** Sends bytes to a port and reads to the end. */
export async function ask(port: number, request: string): Promise<Answer> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const bytes = Uint8Array.from(request, (c) => c.charCodeAt(0));
  const chunks: Uint8Array[] = [];
  try {
    // A server may answer and close before it has read everything.
    const sending = (async () => {
      for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
    })().catch(() => {});
    const buffer = new Uint8Array(65536);
    for (let n; (n = await connection.read(buffer)) !== null;) chunks.push(buffer.slice(0, n));
    await sending;
  } catch { /* reset: what came until then counts */ }
  return readAnswer(new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer()), request);
}

const latin = (bytes: Uint8Array) => {
  let text = "";
  for (const b of bytes) text += String.fromCharCode(b);
  return text;
};

function readAnswer(bytes: Uint8Array, request: string): Answer {
  const end = latin(bytes.subarray(0, 65536)).indexOf("\r\n\r\n");
  if (end < 0) return { status: 0, headers: new Map(), body: bytes };
  const [first, ...lines] = latin(bytes.subarray(0, end)).split("\r\n");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^([^:]+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const key = name.toLowerCase();
    headers.set(key, headers.has(key) ? `${headers.get(key)} | ${value}` : value);
  }
  let body = bytes.subarray(end + 4);
  if (headers.get("transfer-encoding") === "chunked" && !request.startsWith("HEAD")) {
    body = dechunk(body);
  }
  return { status: Number(first.split(" ")[1]), headers, body };
}

function dechunk(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0;;) {
    const line = latin(bytes.subarray(at, at + 20));
    const size = parseInt(line, 16);
    at += line.indexOf("\r\n") + 2;
    if (!(size > 0)) break;
    parts.push(bytes.slice(at, at + size));
    at += size + 2;
  }
  let length = 0;
  for (const part of parts) length += part.length;
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
