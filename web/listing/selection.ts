/** Which entries are selected: a bit each, so that all of 300,000 can be. */
export class Selection {
  size = 0;
  #bits = new Uint8Array(0);

  has(i: number): boolean {
    return this.#bits[i] === 1;
  }

  set(i: number, on: boolean): void {
    if (i >= this.#bits.length) {
      const longer = new Uint8Array(Math.max(1024, i * 2));
      longer.set(this.#bits);
      this.#bits = longer;
    }
    this.size += Number(on) - this.#bits[i];
    this.#bits[i] = Number(on);
  }

  clear(): void {
    this.#bits.fill(0);
    this.size = 0;
  }

  /** The selected entries, in the order of the listing; `most` at most. */
  list(most = Infinity): number[] {
    const found: number[] = [];
    for (let i = 0; i < this.#bits.length && found.length < most; i++) {
      if (this.#bits[i]) found.push(i);
    }
    return found;
  }
}
