/**
 * Looking at a tree: GNU find walks it and its output is read as a stream of bytes. It is faster than
 * anything in this process, runs on another core, and is the only way to names that are not UTF-8, which
 * Deno can neither list nor open.
 */
import { fromText } from "../../formats/names.ts";
import { Reader, type Visitor } from "./reader.ts";

/** `type depth TAB size TAB mtime TAB name / target NUL`; no name has a slash or NUL in it. */
const FORMAT = "%y%d\\t%s\\t%T@\\t%f/%l\\0";

/** What find complained about. */
export interface Complaints {
  /** Directories that may not be read, as find names them. */
  denied: string[];
  /** Anything else, such as an error of the disk: the walk is not whole. */
  other: string[];
}

/**
 * Walks the tree at `root`, or the part at `start` of it (a text). The directories `closed`, relative to it (`archlinux/`), are visited but not
 * entered. The visitor is made while find is
 * at work already. What vanishes meanwhile is left out; that is no complaint.
 */
export async function walk(
  root: string,
  closed: string[],
  makeVisitor: () => Visitor,
  start = "",
): Promise<Complaints> {
  const prune = closed.flatMap((path) => ["-path", `./${path.replace(/\/$/, "")}`, "-prune", ","]);
  const child = new Deno.Command("find", {
    args: [start ? `./${start}` : ".", ...prune, "-printf", FORMAT],
    cwd: root,
    env: { LC_ALL: "C" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = readErrors(child.stderr);
  try {
    const visitor = makeVisitor(), reader = new Reader(visitor, fromText(start));
    for await (const chunk of chunksOf(child.stdout)) {
      reader.feed(chunk);
      await visitor.pause?.();
    }
    reader.end();
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  } finally {
    await child.status;
  }
  const { signal } = await child.status;
  const complaints = await errors;
  if (signal) complaints.other.push(`find was ended by ${signal}`);
  return complaints;
}

/**
 * The chunks of a stream, each in a buffer of its own size. Reading without a buffer takes a new one of
 * 64 KiB for each 4 KiB that find writes, which costs 100 MB until the garbage is collected.
 */
async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader({ mode: "byob" });
  let buffer = new ArrayBuffer(65536);
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(buffer));
    if (done || !value) return;
    yield value.slice();
    buffer = value.buffer;
  }
}

async function readErrors(stream: ReadableStream<Uint8Array>): Promise<Complaints> {
  const complaints: Complaints = { denied: [], other: [] };
  const text = await new Response(stream).text();
  for (const line of text.split("\n").slice(0, -1)) {
    const [, path, why] = /^\S*find: '?(.*?)'?: ([^:]*)$/.exec(line) ?? ["", "", line];
    if (why === "No such file or directory") continue;
    if (why === "Permission denied") complaints.denied.push(path.replace(/^\.\//, ""));
    else complaints.other.push(line);
  }
  return complaints;
}
