/** How long ago something was, in words. */
import type { Key, Translate } from "../../formats/messages.ts";

const STEPS: [seconds: number, Key][] = [
  [365.25 * 86400, "ago.years"],
  [30.44 * 86400, "ago.months"],
  [86400, "ago.days"],
  [3600, "ago.hours"],
  [60, "ago.minutes"],
];

/** `3 days ago`; a time that is still to come is one of a clock that is wrong, and just now. */
export function agoOf(seconds: number, t: Translate): string {
  const step = STEPS.find(([size]) => seconds >= size);
  return step ? t(step[1], { n: Math.floor(seconds / step[0]) }) : t("ago.now");
}
