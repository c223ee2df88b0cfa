/** Answers with a file or with bytes: validators, conditions and ranges in one place, for all of them. */
import { gzipSync } from "node:zlib";
import { PROBLEMS } from "../formats/problem.ts";
import { precondition, rangeStillValid, type Validator, validatorOf } from "./conditional.ts";
import { problemResponse } from "./errors.ts";
import { parseRanges, type Range } from "./ranges.ts";

/** A body up to this size is read in one go, and sent without a stream. */
const SMALL = 131_072;

/** Read at once: with 500 slow clients that is 64 MiB. Each read is a hop to another thread. */
const CHUNK = 131_072;

/** A body in order: bytes as they are, and ranges of the file. */
type Piece = Uint8Array | Range;

/**
 * A stream over pieces of a file. It reads only when it is asked (no queue), so a slow client costs one
 * chunk; and whatever ends it, the end, an error or a client that went away, closes the file.
 */
function stream(file: Deno.FsFile, pieces: Piece[]): ReadableStream<Uint8Array> {
  let next = 0, at = -1, open = true;
  const close = () => {
    if (open) file.close();
    open = false;
  };
  return new ReadableStream({
    async pull(controller) {
      try {
        const piece = pieces[next];
        if (piece instanceof Uint8Array) {
          next++;
          return controller.enqueue(piece);
        }
        if (piece === undefined) {
          close();
          return controller.close();
        }
        if (at < 0) at = await file.seek(piece.start, Deno.SeekMode.Start);
        const buffer = new Uint8Array(Math.min(CHUNK, piece.end - at));
        const n = await file.read(buffer);
        // The connection is cut, so that the client sees that this is not all.
        if (n === null) throw new Error("a file became shorter while it was sent");
        at += n;
        if (at === piece.end) [next, at] = [next + 1, -1];
        if (open) controller.enqueue(n === CHUNK ? buffer : buffer.subarray(0, n));
      } catch (error) {
        const gone = !open;
        close();
        if (!gone) throw error;
      }
    },
    cancel: close,
  }, { highWaterMark: 0 });
}

/**
 * What Deno can send by itself, with no JavaScript in between: a file from some place to its end, as every
 * download and every resumed one. It closes the file, and cuts the connection if there is less than the
 * length that was promised.
 */
function toEnd(file: Deno.FsFile, [piece, ...more]: Piece[], size: number) {
  if (more.length || piece instanceof Uint8Array || piece.end !== size) return undefined;
  file.seekSync(piece.start, Deno.SeekMode.Start);
  return file.readable;
}

/** Pieces and length of a `multipart/byteranges` body (RFC 9110, 14.6). */
function multipart(ranges: Range[], size: number, type: string, boundary: string) {
  const encoder = new TextEncoder();
  const pieces = ranges.flatMap((range) => [
    encoder.encode(
      `\r\n--${boundary}\r\nContent-Type: ${type}\r\n` +
        `Content-Range: bytes ${range.start}-${range.end - 1}/${size}\r\n\r\n`,
    ),
    range,
  ]);
  pieces.push(encoder.encode(`\r\n--${boundary}--\r\n`));
  const length = (p: Piece) => p instanceof Uint8Array ? p.length : p.end - p.start;
  return { pieces, bytes: pieces.reduce((sum, p) => sum + length(p), 0) };
}

/** 304, 412 or nothing: what the client's conditions make of what we have. */
function unlessWanted(
  request: Request,
  current: Validator,
  headers: Headers,
): Response | undefined {
  const status = precondition(request.headers, current);
  if (status === 412) {
    return problemResponse(request, PROBLEMS.changed);
  }
  if (status !== 304) return undefined;
  headers.delete("content-type");
  headers.delete("content-encoding");
  headers.delete("accept-ranges");
  return new Response(null, { status, headers });
}

/**
 * Sends an open file, which it closes. An open file that is replaced by rename in the meantime is sent
 * to its end: it is its own version, whole.
 */
export function sendFile(
  request: Request,
  file: Deno.FsFile,
  fields: Record<string, string>,
  now: number,
): Response {
  let streaming = false;
  try {
    const info = file.statSync();
    const { size } = info, current = validatorOf(info);
    // As nginx: nobody resumes a listing, least of all in the middle of its compressed form.
    const ranged = !("content-encoding" in fields);
    const headers = new Headers({
      "etag": current.etag,
      "last-modified": new Date(current.modified * 1000).toUTCString(),
      ...(ranged ? { "accept-ranges": "bytes" } : {}),
      "x-content-type-options": "nosniff",
      ...fields,
    });
    const unwanted = unlessWanted(request, current, headers);
    if (unwanted) return unwanted;
    // A Range is defined for GET alone (14.2).
    const ranges =
      ranged && request.method === "GET" && rangeStillValid(request.headers, current, now)
        ? parseRanges(request.headers.get("range"), size)
        : "whole";
    if (ranges !== "whole" && ranges.length === 0) {
      return problemResponse(request, {
        status: 416,
        message: `The file has ${size} bytes; none of them lies in the range asked for.`,
        hint: "If a download was being resumed, it is complete or of another version.",
        headers: { "content-range": `bytes */${size}`, "etag": current.etag },
      });
    }
    const { pieces, bytes } = plan(ranges, size, headers);
    headers.set("content-length", String(bytes));
    const status = ranges === "whole" ? 200 : 206;
    if (request.method === "HEAD") return new Response(null, { status, headers });
    if (bytes <= SMALL) return new Response(readAll(file, pieces, bytes), { status, headers });
    streaming = true;
    return new Response(toEnd(file, pieces, size) ?? stream(file, pieces), { status, headers });
  } finally {
    if (!streaming) file.close();
  }
}

/** Twenty digits nobody can foresee: as many as nginx takes, so that both send the same length. */
function makeBoundary(): string {
  const numbers = crypto.getRandomValues(new Uint32Array(2));
  return [...numbers].map((n) => String(n).padStart(10, "0")).join("");
}

/** All pieces as one. A file that became shorter meanwhile is an error, as in {@linkcode stream}. */
function readAll(file: Deno.FsFile, pieces: Piece[], bytes: number): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) {
      body.set(piece, at);
      at += piece.length;
      continue;
    }
    file.seekSync(piece.start, Deno.SeekMode.Start);
    for (const end = at + piece.end - piece.start; at < end;) {
      const n = file.readSync(body.subarray(at, end));
      if (n === null) throw new Error("a file became shorter while it was sent");
      at += n;
    }
  }
  return body;
}

/** What of the file is sent, with the header fields that say so. */
function plan(ranges: Range[] | "whole", size: number, headers: Headers) {
  if (ranges === "whole") {
    return { pieces: size === 0 ? [] : [{ start: 0, end: size }], bytes: size };
  }
  headers.delete("accept-ranges");
  if (ranges.length === 1) {
    const [{ start, end }] = ranges;
    headers.set("content-range", `bytes ${start}-${end - 1}/${size}`);
    return { pieces: ranges, bytes: end - start };
  }
  const boundary = makeBoundary();
  const type = headers.get("content-type") ?? "application/octet-stream";
  headers.set("content-type", `multipart/byteranges; boundary=${boundary}`);
  return multipart(ranges, size, type, boundary);
}

/**
 * Sends a body that was made for this request, with a validator from its content; compressed where
 * `fields` says so.
 */
export async function sendText(
  request: Request,
  text: string,
  fields: Record<string, string>,
): Promise<Response> {
  const plain = new TextEncoder().encode(text);
  const bytes = fields["content-encoding"] === "gzip" ? new Uint8Array(gzipSync(plain)) : plain;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const etag = `"${
    [...digest.subarray(0, 12)].map((b) => b.toString(16).padStart(2, "0")).join("")
  }"`;
  const headers = new Headers({ etag, "x-content-type-options": "nosniff", ...fields });
  const unwanted = unlessWanted(request, { etag }, headers);
  if (unwanted) return unwanted;
  headers.set("content-length", String(bytes.length));
  return new Response(request.method === "HEAD" ? null : bytes, { headers });
}
