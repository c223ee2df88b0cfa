/**
 * Sorted lines that are looked up by what stands before their first space. A few changes to many lines
 * cost little: nothing is parsed before it is asked for.
 */
export class Table {
  private edits = new Map<string, string | undefined>();

  /** The lines must be sorted by code unit. A key has no character below `!`, so keys sort as lines do. */
  constructor(private readonly lines: string[]) {}

  /** The first line that is not before `text`. */
  private seek(text: string): number {
    let low = 0, high = this.lines.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.lines[middle] < text) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The original lines that begin with `prefix`. */
  startingWith(prefix: string): string[] {
    const found: string[] = [];
    for (let i = this.seek(prefix); this.lines[i]?.startsWith(prefix); i++) {
      found.push(this.lines[i]);
    }
    return found;
  }

  /** The line of a key as it is now. A table that has several of a key has only whole lines as keys. */
  get(key: string): string | undefined {
    if (this.edits.has(key)) return this.edits.get(key);
    const line = this.lines[this.seek(key)];
    return line === key || line?.startsWith(key + " ") ? line : undefined;
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
    return this.edited ? this.all().length : this.lines.length;
  }

  /** All lines as they are now, sorted. */
  all(): string[] {
    if (!this.edited) return this.lines;
    const drop = new Set<number>();
    for (const key of this.edits.keys()) {
      const i = this.seek(key), line = this.lines[i];
      if (line === key || line?.startsWith(key + " ")) drop.add(i);
    }
    const kept = this.lines.filter((_, i) => !drop.has(i));
    const added = [...this.edits.values()].filter((line) => line !== undefined).sort();
    return merge(kept, added);
  }
}

function merge(a: string[], b: string[]): string[] {
  const merged: string[] = [];
  let j = 0;
  for (const line of a) {
    while (j < b.length && b[j] < line) merged.push(b[j++]);
    merged.push(line);
  }
  while (j < b.length) merged.push(b[j++]);
  return merged;
}
