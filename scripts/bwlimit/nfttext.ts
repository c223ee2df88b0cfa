/** Pieces of text as nft(8) reads them. Pure. */

/** The name of our table. No other is ever touched. */
export const TABLE = "inet mirrorkit";

/** A time as nft reads it, in parts: of one unit it takes no more than eight digits. */
export function nftTime(seconds: number): string {
  let left = Math.max(1, Math.round(seconds * 1000)), text = "";
  for (
    const [unit, ms] of [["d", 86_400_000], ["h", 3_600_000], ["m", 60_000], ["s", 1000], [
      "ms",
      1,
    ]] as const
  ) {
    const count = Math.floor(left / ms);
    if (count) text += count + unit;
    left -= count * ms;
  }
  return text;
}

/** Values as an anonymous set. */
export const anyOf = (values: (number | string)[]) => `{ ${values.join(", ")} }`;

/** `elements = …`, or nothing where there are none. */
export const elements = (all: string[]) => all.length ? ` elements = { ${all.join(", ")} };` : "";

/** A rate. The kernel's bucket holds one second of it and the burst: two packets that it has merged. */
export const rateText = (rate: number) =>
  `${Math.max(1, Math.round(rate))} bytes/second burst 131072 bytes`;
