/** One look at the kernel's sets. */
import { type Id, type Scope } from "./address.ts";
import { emptyReading, type Reading } from "./model.ts";
import type { Element } from "./nft.ts";
import { type Bytes, none } from "./rolling.ts";

/** Lists the elements of a set. */
export type List = (set: string) => Promise<Element[]>;

const idFor = (scope: Scope, { val }: Element): Id => `${scope.id} ${val as string}`;

/** Bytes of a protocol that nft names or numbers. */
function add(bytes: Bytes, protocol: string | number, more: number) {
  const name = String(protocol);
  bytes[name === "tcp" || name === "6" ? 0 : name === "udp" || name === "17" ? 1 : 2] += more;
}

/** Bytes by protocol in the elements of `total`. */
export function totalOf(elements: Element[]): Bytes {
  const bytes = none();
  for (const { val, counter } of elements) add(bytes, val as string, counter?.bytes ?? 0);
  return bytes;
}

/**
 * Reads all that the engine wants to know. `own` comes before `count`: what passes in between makes the
 * difference of both, from which quotas are computed, too large, and so a quota too small for one look.
 */
export async function readAll(list: List, scopes: Scope[]): Promise<Reading> {
  const reading = emptyReading();
  for (const scope of scopes) {
    const elements = (set: string) => list(`${set}_${scope.id}`);
    for (const e of await elements("own")) reading.own.set(idFor(scope, e), e.counter?.bytes ?? 0);
    for (const e of await elements("free")) reading.free.add(idFor(scope, e));
    for (const e of await elements("count")) {
      const [key, protocol] = (e.val as { concat: string[] }).concat;
      const id: Id = `${scope.id} ${key}`;
      const bytes = reading.count.get(id) ?? none();
      add(bytes, protocol, e.counter?.bytes ?? 0);
      reading.count.set(id, bytes);
      reading.protocols.set(id, [...reading.protocols.get(id) ?? [], String(protocol)]);
    }
    for (const e of await elements("slow")) reading.slow.add(idFor(scope, e));
    for (const step of ["ban", "block"] as const) {
      for (const e of await elements(step)) reading[step].set(idFor(scope, e), e.expires ?? 0);
    }
  }
  return reading;
}
