/** Sizes, durations and times as people read them. */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Bytes in binary units: `812 B`, `1.6 KiB`, `12 MiB`. Three digits at most, so a column stays narrow. */
export function formatBytes(bytes: number): string {
  let unit = 0, value = bytes;
  // 1023.5 would be printed as 1024: it belongs to the next unit.
  while (value >= 1023.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

const RATE_UNITS = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"];

/** Bytes a second as links are measured: `0 bit/s`, `812 kbit/s`, `1.6 Gbit/s`, in steps of a thousand. */
export function formatBitRate(bytesPerSecond: number): string {
  let unit = 0, value = bytesPerSecond * 8;
  while (value >= 999.5 && unit < RATE_UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${RATE_UNITS[unit]}`;
}

/** Bytes from `"10 GiB"`, `"512KiB"`, `"1.5 MB"` or `"4096"`. Throws `RangeError` on anything else. */
export function parseBytes(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(?:([kmgtp])(i)?)?b?\s*$/i.exec(text);
  if (!match) {
    throw new RangeError(
      `Cannot read size ${JSON.stringify(text)}: write a number and a unit such as "10 GiB"`,
    );
  }
  const power = match[2] ? "kmgtp".indexOf(match[2].toLowerCase()) + 1 : 0;
  return Math.round(Number(match[1]) * (match[3] || !match[2] ? 1024 : 1000) ** power);
}

/** Seconds as `42 s`, `3 min 20 s`, `5 h 12 min`, `3 d 4 h`. */
export function formatDuration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  const pair = (big: number, bigUnit: string, small: number, smallUnit: string) =>
    small ? `${big} ${bigUnit} ${small} ${smallUnit}` : `${big} ${bigUnit}`;
  if (s < 3600) return pair(Math.floor(s / 60), "min", s % 60, "s");
  if (s < 86400) return pair(Math.floor(s / 3600), "h", Math.floor(s % 3600 / 60), "min");
  return pair(Math.floor(s / 86400), "d", Math.floor(s % 86400 / 3600), "h");
}

const DURATION_UNITS: Record<string, number> = { s: 1, min: 60, m: 60, h: 3600, d: 86400 };

/** Seconds from `"90 s"`, `"30 min"`, `"6h"`, `"2 d"`. Throws `RangeError` on anything else. */
export function parseDuration(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(s|min|m|h|d)\s*$/.exec(text);
  if (!match) {
    throw new RangeError(
      `Cannot read duration ${
        JSON.stringify(text)
      }: write a number and s, min, h or d, as in "6 h"`,
    );
  }
  return Number(match[1]) * DURATION_UNITS[match[2]];
}

/** `2026-11-21 23:59` in UTC, for listings. */
export function formatMinute(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().slice(0, 16).replace("T", " ");
}

/** ISO 8601 in UTC without fractions: `2026-11-21T23:59:00Z`. */
export function formatTime(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().slice(0, 19) + "Z";
}

/** A whole number with commas: `1,234`. `toLocaleString` does it too, but takes 20 ms to get ready. */
export function formatNumber(n: number): string {
  return String(n).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** A count with its noun: `1 file`, `2 files`, `1,234 files`. */
export function count(n: number, noun: string): string {
  return `${formatNumber(n)} ${noun}${n === 1 ? "" : "s"}`;
}
