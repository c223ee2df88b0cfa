/** What healthz keeps below `$DATA/state/healthz/`. */
import { join } from "@std/path/posix";
import { readText, writeWhole } from "../lib/files.ts";
import { healthzFolder, nodesFile } from "../lib/storage.ts";
import { type History, newHistory, readHistory } from "./history.ts";
import type { NodesState } from "../../formats/nodes.ts";

/** The paths. */
export function healthzFiles(data: string) {
  const place = (name: string) => join(healthzFolder(data), name);
  return {
    history: place("history.json"),
    /** A state that could not be read, kept for a person to look at. */
    damaged: place("history.json.damaged"),
    drained: place("drained.json"),
    lock: place("lock"),
    /** Held as long as `healthz run` is: two would count every probe twice. */
    runLock: place("run.lock"),
    nodes: nodesFile(data),
  };
}

/**
 * The history with the drained nodes in it. One that is damaged is set aside, and a new one begins: what
 * stands in DNS is read from there.
 */
export async function loadHistory(
  data: string,
  warn: (text: string) => void,
): Promise<History> {
  const files = healthzFiles(data);
  const text = await readText(files.history);
  let history = text === undefined ? newHistory() : readHistory(text);
  if (!history) {
    await Deno.rename(files.history, files.damaged);
    warn(`The state was damaged and begins anew; it is kept as ${files.damaged}`);
    history = newHistory();
  }
  return { ...history, drained: await loadDrained(data) };
}

/** Names of nodes that the operator took out. */
export async function loadDrained(data: string): Promise<string[]> {
  try {
    const list: unknown = JSON.parse(await readText(healthzFiles(data).drained) ?? "[]");
    return Array.isArray(list) ? list.filter((n) => typeof n === "string") : [];
  } catch (error) {
    // Nobody knows any more who was drained; a node that serves may be used.
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

/** Writes down who is drained. */
export async function saveDrained(data: string, nodes: string[]): Promise<void> {
  await writeWhole(healthzFiles(data).drained, JSON.stringify(nodes.sort()) + "\n");
}

/** Writes the history and what the public may see of it. */
export async function saveHistory(data: string, history: History, nodes: NodesState) {
  const files = healthzFiles(data);
  await writeWhole(files.history, JSON.stringify(history) + "\n");
  await writeWhole(files.nodes, JSON.stringify(nodes) + "\n");
}
