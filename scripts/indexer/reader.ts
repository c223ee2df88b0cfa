/** From the bytes that find prints to directories that are opened and closed. */
import { concat } from "@std/bytes/concat";
import { fromBytes } from "../../formats/names.ts";
import { below } from "./paths.ts";
import { after, DIRECTORY, FILE, LINK, parseNumber, parseTime, SLASH, TAB } from "./records.ts";

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

/** Where rsync keeps what it has not finished: the only name that is never listed. */
const UNFINISHED = ".~tmp~";

/** Turns the bytes that find prints into calls of a visitor. */
export class Reader {
  private rest = new Uint8Array();
  private stack: Folder[] = [];
  /** Depth of a directory that is skipped with all below it. */
  private skipped = Infinity;

  /** `start` is the path of the directory that the walk starts in. */
  constructor(private readonly visitor: Visitor, private readonly start = "") {}

  feed(chunk: Uint8Array) {
    const bytes = this.rest.length === 0 ? chunk : concat([this.rest, chunk]);
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
        this.visitor.odd(below(parent.path, odd), String.fromCharCode(type));
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
      path: parent ? below(parent.path, name) : this.start,
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
