/**
 * Sorted lines that are looked up by what stands before their first space. They stay the bytes that a file
 * holds: nothing is decoded before it is asked for, and what does not change is copied. ASCII only, as
 * percent-encoded paths are, so that bytes sort as text does.
 */
export class Table {
  private edits = new Map<string, string | undefined>();

  /** The lines must be sorted and each end in a newline. A key has no character below `!`, so keys sort as lines do. */
  constructor(private readonly bytes: Uint8Array) {}

  /** A table of these lines, in any order. */
  static of(lines: string[]): Table {
    return new Table(encoder.encode(lines.sort().map((line) => line + "\n").join("")));
  }

  /** Where the first line begins that is not before `text`. */
  private seek(text: string): number {
    const { bytes } = this, sought = encoder.encode(text);
    let low = 0, high = bytes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const from = middle > low ? bytes.lastIndexOf(NEWLINE, middle - 1) + 1 : low;
      if (isBefore(bytes, from, sought)) low = this.after(from);
      else high = from;
    }
    return low;
  }

  /** Where the next line begins. */
  private after(from: number): number {
    return this.bytes.indexOf(NEWLINE, from) + 1;
  }

  /** The original line that begins there, or `""` at the end. */
  private line(from: number): string {
    return from < this.bytes.length
      ? decoder.decode(this.bytes.subarray(from, this.after(from) - 1))
      : "";
  }

  /** The original line of a key, if there is one, and where it begins or would. */
  private find(key: string): { from: number; line?: string } {
    const from = this.seek(key), line = this.line(from);
    return line === key || line.startsWith(key + " ") ? { from, line } : { from };
  }

  /** The original lines that begin with `prefix`. */
  startingWith(prefix: string): string[] {
    const found: string[] = [];
    for (let from = this.seek(prefix);; from = this.after(from)) {
      const line = this.line(from);
      if (line === "" || !line.startsWith(prefix)) return found;
      found.push(line);
    }
  }

  /** The line of a key as it is now. A table that has several of a key has only whole lines as keys. */
  get(key: string): string | undefined {
    return this.edits.has(key) ? this.edits.get(key) : this.find(key).line;
  }

  /** Changes, adds, or with `undefined` removes the line of a key. */
  set(key: string, line: string | undefined) {
    this.edits.set(key, line);
  }

  get edited(): boolean {
    return this.edits.size > 0;
  }

  /** How many lines there are now. */
  get size(): number {
    let n = 0;
    for (let from = 0; from < this.bytes.length; from = this.after(from)) n++;
    for (const [key, line] of this.edits) {
      n += (line === undefined ? 0 : 1) - (this.find(key).line === undefined ? 0 : 1);
    }
    return n;
  }

  /** All lines as they are now, sorted, as pieces of what a file should hold. */
  pieces(): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    let at = 0;
    for (const [key, line] of [...this.edits].sort(([a], [b]) => a < b ? -1 : 1)) {
      const { from, line: old } = this.find(key);
      pieces.push(this.bytes.subarray(at, from));
      if (line !== undefined) pieces.push(encoder.encode(line + "\n"));
      at = old === undefined ? from : this.after(from);
    }
    return [...pieces, this.bytes.subarray(at)];
  }

  /** All lines as they are now, sorted. */
  all(): string[] {
    return this.pieces().map((piece) => decoder.decode(piece)).join("").split("\n").slice(0, -1);
  }
}

const encoder = new TextEncoder(), decoder = new TextDecoder();
const NEWLINE = 10;

/** True if the line that begins at `from` sorts before a text. (A newline sorts before all that a text has.) */
function isBefore(bytes: Uint8Array, from: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) {
    if (bytes[from + i] !== text[i]) return bytes[from + i] < text[i];
  }
  return false;
}
