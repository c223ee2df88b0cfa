/** What was counted in a rolling window. Pure: time is an argument, in epoch seconds. */

/** Bytes by protocol. */
export type Bytes = [tcp: number, udp: number, other: number];

export const PROTOCOLS = ["tcp", "udp", "other"] as const;

export const none = (): Bytes => [0, 0, 0];
export const sum = ([tcp, udp, other]: Readonly<Bytes>): number => tcp + udp + other;
export const plus = (a: Readonly<Bytes>, b: Readonly<Bytes>): Bytes => [
  a[0] + b[0],
  a[1] + b[1],
  a[2] + b[2],
];

/** A window is kept in so many parts: bytes leave it in steps of that size, never too early. */
const PARTS = 60;

/** One window: its parts, oldest first, as `[number of the part, bytes]`. */
export class Rolling {
  constructor(readonly seconds: number, readonly parts: [number, Bytes][] = []) {}

  private part(now: number): number {
    return Math.floor(now / this.seconds * PARTS);
  }

  add(bytes: Readonly<Bytes>, now: number): void {
    const part = this.part(now), last = this.parts.at(-1);
    if (last && last[0] >= part) last[1] = plus(last[1], bytes);
    else this.parts.push([part, plus(none(), bytes)]);
  }

  /** Lets go of what has left the window. */
  expire(now: number): void {
    const oldest = this.part(now) - PARTS;
    let gone = 0;
    // A part is out once all of it is older than the window.
    while (gone < this.parts.length && this.parts[gone][0] < oldest) gone++;
    if (gone) this.parts.splice(0, gone);
  }

  total(): Bytes {
    return this.parts.reduce<Bytes>((all, [, bytes]) => plus(all, bytes), none());
  }

  /** When enough will have left for no more than `bytes` to remain. */
  fallsTo(bytes: number, now: number): number {
    let left = sum(this.total());
    for (const [part, counted] of this.parts) {
      if (left <= bytes) return now;
      left -= sum(counted);
      const out = (part + 1) / PARTS * this.seconds + this.seconds;
      if (left <= bytes) return Math.max(now, out);
    }
    return now;
  }
}
