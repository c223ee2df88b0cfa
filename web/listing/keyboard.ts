/** What a key does on the page of a directory. */
import type { ListingPage } from "./listing-page.ts";
import type { SelectionBar } from "./selection-bar.ts";
import { type Command, commandOf } from "./shortcuts.ts";

/** Takes a key that was pressed anywhere on the page, if it is one of ours. */
export function pressKey(page: ListingPage, event: KeyboardEvent): void {
  const { list, open, selection } = page, path = event.composedPath() as HTMLElement[];
  if (event.defaultPrevented || open.help || open.peek !== undefined) return;
  const [target] = path, within = path.includes(list);
  const writing = target.matches?.("input:not([type=checkbox]), textarea, select") ?? false;
  const command = commandOf(event, {
    writing,
    atRows: within || selection.size > 0,
    selected: selection.size > 0,
    marked: String(getSelection()) !== "",
    beyond: list.count > list.querySelectorAll("[data-entry]").length,
  });
  const used = command ? run(page, command, target) : pass(page, event, target, writing, within);
  if (used) event.preventDefault();
}

/** Keys that are no command are for the rows, unless they are for what has the focus. */
function pass(
  { list, field }: ListingPage,
  event: KeyboardEvent,
  target: HTMLElement,
  writing: boolean,
  within: boolean,
): boolean {
  if (target === field && (event.key === "ArrowDown" || event.key === "Enter")) {
    list.activate(0);
    return true;
  }
  const own = !within && target.matches?.("a, button, summary, [tabindex]");
  if (writing || own && (event.key === " " || event.key.length === 1)) return false;
  return list.press(event);
}

/** True if the command did something. */
function run(page: ListingPage, command: Command, target: HTMLElement): boolean {
  if (command === "escape") return escape(page, target);
  if (command === "help") page.open = { help: true };
  else if (command === "all") page.selectAll();
  else if (command === "copy") {
    page.querySelector<SelectionBar>("selection-bar")?.copyUrls?.();
  } else if (command === "parent") {
    if (location.pathname === "/") return false;
    location.href = new URL("../", location.href).href;
  } else {
    page.open = { hint: command === "find" };
    page.updateComplete.then(() => {
      page.field?.focus();
      page.field?.select();
    });
  }
  return true;
}

function escape(page: ListingPage, target: HTMLElement): boolean {
  if (page.address.filter) page.filter("");
  else if (page.selection.size > 0) page.deselect();
  else if (target !== page.field) return false;
  if (target === page.field) page.list.activate(0);
  return true;
}
