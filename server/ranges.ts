/** The `Range` field: RFC 9110, section 14. Where the RFC leaves a choice, nginx's is taken. */

/** Bytes from `start` up to, not including, `end`. */
export interface Range {
  start: number;
  end: number;
}

/** More ranges than that are no download but an attack: the whole file is sent (14.2 allows it). */
export const MAX_RANGES = 32;

/**
 * The ranges of a field for a file of `size` bytes; `"whole"` where the field is to be ignored, `[]`
 * where nothing can be satisfied (416). Ranges that together exceed the file overlap: ignored too.
 */
export function parseRanges(field: string | null, size: number): Range[] | "whole" {
  if (field === null || !/^bytes\s*=\s*[^\s]/i.test(field)) return "whole";
  const ranges: Range[] = [];
  const items = field.slice(field.indexOf("=") + 1).split(",", MAX_RANGES + 1);
  if (items.length > MAX_RANGES) return "whole";
  let sum = 0;
  for (const item of items) {
    if (item.trim() === "") continue;
    const match = /^\s*(\d*)\s*-\s*(\d*)\s*$/.exec(item);
    if (!match || match[1] === "" && match[2] === "") return [];
    const [, first, last] = match;
    const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
    const end = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
    // The first byte of an empty file cannot be had, but who asks for all of it may have that.
    if (start >= end && start === 0) return "whole";
    if (start >= end) continue;
    ranges.push({ start, end });
    sum += end - start;
  }
  return sum > size ? "whole" : ranges;
}
