/**
 * Looking at a tree: GNU find walks it and its output is read as a stream of bytes. It is faster than
 * anything in this process, runs on another core, and is the only way to names that are not UTF-8, which
 * Deno can neither list nor open.
 */
import { fromBytes, fromText } from "../../formats/names.ts";

/** What a directory and all below it hold. */
export interface Totals {
  bytes: number;
  /** The newest file below; where there is none, the directory's own time. */
  mtime: number;
  files: number;
  dirs: number;
}

/** A directory while it is walked. */
export interface Folder {
  /** Raw path from the root of the walk: `""` or `a/b`. */
  path: string;
  parent?: Folder;
  /** Its own modification time. */
  mtime: number;
  /** What find printed about what is in it, without its directories. */
  records: Uint8Array[];
  hasLinks: boolean;
  hash: Hash;
}

/** What a walk tells. Every directory is opened before and closed after all that is in it. */
export interface Visitor {
  open(folder: Folder): void;
  close(folder: Folder): void;
  /** Something that is neither file, link nor directory. */
  odd(path: string, type: string): void;
  /** A promise if it can't take more for now. */
  pause?(): Promise<void> | undefined;
}

/** One file or link as find printed it. */
export interface Record {
  name: string;
  bytes: number;
  mtime: number;
  /** Raw target of a link. */
  target?: string;
}

/**
 * A hash of the bytes that find prints about a directory: where it stays the same, nothing in there has
 * changed. Two lanes of FNV-1a with different factors; it only has to notice change, not malice.
 */
export class Hash {
  private a = 0x811c9dc5;
  private b = 0x9747b28c;

  add(bytes: Uint8Array, from: number, to: number) {
    let { a, b } = this;
    for (let i = from; i < to; i++) {
      a = Math.imul(a ^ bytes[i], 0x01000193);
      b = Math.imul((b + bytes[i]) | 0, 0x9e3779b1);
    }
    this.a = a;
    this.b = b;
  }

  /** 53 bits of it, never 0. */
  get value(): number {
    const b = (this.b ^ (this.b >>> 15)) & 0x1fffff;
    return (this.a >>> 0) * 0x200000 + b || 1;
  }
}

const TAB = 9, SLASH = 47;
const FILE = 102, LINK = 108, DIRECTORY = 100;
/** Where rsync keeps what it has not finished: the only name that is never listed. */
const UNFINISHED = ".~tmp~";
/** The first and last second that a listing can print with four digits of year. */
const FIRST = -62_167_219_200, LAST = 253_402_300_799;

/** `type depth TAB size TAB mtime TAB name / target NUL`; no name has a slash or NUL in it. */
const FORMAT = "%y%d\\t%s\\t%T@\\t%f/%l\\0";

function parseNumber(bytes: Uint8Array, from: number): number {
  const negative = bytes[from] === 45;
  let i = negative ? from + 1 : from, n = 0;
  for (let c = bytes[i]; c >= 48 && c <= 57; c = bytes[++i]) n = n * 10 + c - 48;
  if (!negative) return n;
  // Whole seconds are rounded down, as stat(1) does: -1.5 is in second -2.
  const fraction = bytes[i] === 46 && !/^0*$/.test(fromBytes(bytes.subarray(i + 1, i + 10)));
  return fraction ? -n - 1 : -n;
}

/** The next `byte` from a place, as an index. */
function after(bytes: Uint8Array, byte: number, from: number): number {
  while (bytes[from] !== byte) from++;
  return from + 1;
}

const clamp = (second: number) => Math.min(LAST, Math.max(FIRST, second));

const parseTime = (bytes: Uint8Array, from: number) => clamp(parseNumber(bytes, from));

/** The second that a file's time lies in, as find prints it and listings show it. */
export const toSecond = (time: Date | null) => clamp(Math.floor((time?.getTime() ?? 0) / 1000));

const decoder = new TextDecoder();

/** All of it as a string if it is ASCII, as nearly everything is: names are then slices of it. */
function ascii(bytes: Uint8Array): string | undefined {
  const text = decoder.decode(bytes);
  return /[^\0-\x7f]/.test(text) ? undefined : text;
}

/** The files and links in what a walk kept of a directory. */
export function readRecords(parts: Uint8Array[]): Record[] {
  const records: Record[] = [];
  for (const part of parts) {
    const text = ascii(part);
    const string = (from: number, to: number) =>
      text === undefined ? fromBytes(part.subarray(from, to)) : text.slice(from, to);
    for (let at = 0; at < part.length;) {
      const type = part[at];
      const size = after(part, TAB, at), time = after(part, TAB, size);
      const name = after(part, TAB, time), target = after(part, SLASH, name);
      const end = part.indexOf(0, target);
      const record: Record = {
        name: string(name, target - 1),
        bytes: parseNumber(part, size),
        mtime: parseTime(part, time),
      };
      if (type === LINK) record.target = string(target, end);
      records.push(record);
      at = end + 1;
    }
  }
  return records;
}

/** What the files in what a walk kept of a directory come to; the time is -Infinity where there is none. */
export function sumRecords(parts: Uint8Array[]): Omit<Totals, "dirs"> {
  const sum = { bytes: 0, mtime: -Infinity, files: 0 };
  for (const part of parts) {
    for (let at = 0, end = part.indexOf(0); end >= 0; at = end + 1, end = part.indexOf(0, at)) {
      if (part[at] !== FILE) continue;
      const size = after(part, TAB, at);
      sum.bytes += parseNumber(part, size);
      sum.mtime = Math.max(sum.mtime, parseTime(part, after(part, TAB, size)));
      sum.files++;
    }
  }
  return sum;
}

/** Turns the bytes that find prints into calls of a visitor. */
export class Reader {
  private rest = new Uint8Array();
  private stack: Folder[] = [];
  /** Depth of a directory that is skipped with all below it. */
  private skipped = Infinity;

  /** `start` is the path of the directory that the walk starts in. */
  constructor(private readonly visitor: Visitor, private readonly start = "") {}

  feed(chunk: Uint8Array) {
    const bytes = this.rest.length === 0 ? chunk : join(this.rest, chunk);
    let at = 0;
    // Records of one directory that follow each other are taken as one piece.
    let owner: Folder | undefined, from = 0;
    const take = (to: number) => {
      if (owner && from < to) {
        owner.hash.add(bytes, from, to);
        owner.records.push(bytes.subarray(from, to));
      }
      owner = undefined;
    };
    for (let end = bytes.indexOf(0); end >= 0; at = end + 1, end = bytes.indexOf(0, at)) {
      const type = bytes[at], depth = parseNumber(bytes, at + 1);
      if (depth > this.skipped) continue;
      this.skipped = Infinity;
      if (type !== DIRECTORY && owner && depth === this.stack.length) {
        if (type === FILE) continue;
        if (type === LINK) {
          owner.hasLinks = true;
          continue;
        }
      }
      take(at);
      this.closeTo(depth);
      const parent = this.stack[depth - 1];
      if (type === DIRECTORY) this.enter(bytes, at, end, depth, parent);
      else if (type === FILE || type === LINK) {
        owner = parent;
        from = at;
        if (type === LINK) parent.hasLinks = true;
      } else {
        const name = after(bytes, TAB, after(bytes, TAB, after(bytes, TAB, at)));
        const odd = fromBytes(bytes.subarray(name, bytes.indexOf(SLASH, name)));
        this.visitor.odd(below(parent, odd), String.fromCharCode(type));
      }
    }
    take(at);
    this.rest = bytes.slice(at);
  }

  private enter(bytes: Uint8Array, at: number, end: number, depth: number, parent?: Folder) {
    const time = after(bytes, TAB, after(bytes, TAB, at)), start = after(bytes, TAB, time);
    const name = fromBytes(bytes.subarray(start, end - 1));
    if (name === UNFINISHED) {
      this.skipped = depth;
      return;
    }
    parent?.hash.add(bytes, at, end);
    const folder: Folder = {
      path: parent ? below(parent, name) : this.start,
      parent,
      mtime: parseTime(bytes, time),
      records: [],
      hasLinks: false,
      hash: new Hash(),
    };
    this.stack.push(folder);
    this.visitor.open(folder);
  }

  private closeTo(depth: number) {
    while (this.stack.length > depth) this.visitor.close(this.stack.pop()!);
  }

  /** Closes what is open: nothing more will come. */
  end() {
    this.closeTo(0);
  }
}

const below = (folder: Folder, name: string) => folder.path ? `${folder.path}/${name}` : name;

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

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
