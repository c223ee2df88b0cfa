/** What is said exactly of a row where somebody asks: its time, its size. */
import type { Row } from "./listing_view.ts";
import { formatNumber } from "./units.ts";

/** The time of a row for a tooltip: UTC, and as the reader's clock says. */
export function bothTimes(row: Row): string {
  if (!row.exact) return "";
  const local = new Date(row.mtime * 1000);
  const two = (n: number) => String(n).padStart(2, "0");
  const offset = -local.getTimezoneOffset(), size = Math.abs(offset);
  const zone = `UTC${offset < 0 ? "−" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  const day = `${local.getFullYear()}-${two(local.getMonth() + 1)}-${two(local.getDate())}`;
  const time = `${two(local.getHours())}:${two(local.getMinutes())}:${two(local.getSeconds())}`;
  return `${row.exact.replace("T", " ").replace("Z", " UTC")}\n${day} ${time} ${zone}`;
}

/** The exact size for a tooltip. */
export const exactSize = (row: Row): string => row.size ? `${formatNumber(row.bytes)} B` : "";
