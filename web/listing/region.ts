/** Parts of the page's own HTML that are rendered anew by script. */
import { render, type RenderOptions, type TemplateResult } from "lit";

const taken = new WeakSet<HTMLElement>();

/** True as long as an element holds what it came with. */
export const isAsItCame = (element: HTMLElement): boolean =>
  !taken.has(element) && element.firstElementChild !== null;

/** Renders what an element holds; what it came with goes with the first time. */
export function fill(element: HTMLElement, content: TemplateResult, options?: RenderOptions): void {
  if (!taken.has(element)) element.replaceChildren();
  taken.add(element);
  render(content, element, options);
}
