/** Measures how rows are set, by one that nobody sees: `.sizer` of the page's own HTML. */
import type { Metrics } from "./heights.ts";

/** Without a style sheet, lines are about so tall. */
const LINE_PX = 20;

/** How tall rows are, and how many characters fit on a line of a name. */
export function measureRows(ruler: HTMLElement): Metrics {
  const { minHeight, lineHeight } = getComputedStyle(ruler);
  const [hundred, arrow] = [...ruler.children].map((e) => e.getBoundingClientRect().width);
  return {
    base: parseFloat(minHeight) || 0,
    line: parseFloat(lineHeight) || LINE_PX,
    columns: Math.max(8, Math.floor(ruler.clientWidth / (hundred / 100))),
    narrow: arrow < 1.01 * hundred / 100,
  };
}
