/** What stands in a repository now, path by path: for the change list way, which looks at nothing else. */
import { fromText, toHref, toText } from "../../formats/names.ts";
import type { Look } from "./links.ts";
import { below, nameOf } from "./paths.ts";
import { isGone } from "./read.ts";
import { type Record, toSecond } from "./records.ts";
import type { Subject } from "./scan.ts";

/** Says that the change list way can't be gone: `scan` instead, or `full` where the listings are damaged. */
export class Detour extends Error {
  constructor(readonly instead: "scan" | "full", why: string) {
    super(why);
  }
}

/** A directory, a file or link, or nothing that is listed. */
export type There = "dir" | Record | undefined;

/** Looks at each path once. Paths are raw. */
export class Looker {
  private seen = new Map<string, There>();

  /** `problem` is told of what is there but is neither file, link nor directory. */
  constructor(
    private readonly subject: Subject,
    private readonly problem: (text: string) => void,
  ) {}

  /** What stands at a path now. */
  at(path: string): There {
    if (path === "") return "dir";
    if (!this.seen.has(path)) this.seen.set(path, this.lookNow(path));
    return this.seen.get(path);
  }

  private lookNow(path: string): There {
    const text = toText(path);
    if (text === undefined) throw new Detour("scan", "a name that is not UTF-8");
    const full = `${this.subject.static}/${text}`;
    try {
      const info = Deno.lstatSync(full);
      if (info.isDirectory) return "dir";
      const record = { name: nameOf(path), bytes: info.size, mtime: toSecond(info.mtime) };
      if (info.isFile) return record;
      if (!info.isSymlink) {
        this.problem(`${toHref(path)}: not listed: it is neither file, link nor directory`);
        return undefined;
      }
      const target = Deno.readLinkSync(full);
      if (target.includes("\ufffd")) throw new Detour("scan", "a target that is not UTF-8");
      return { ...record, target: fromText(target) };
    } catch (error) {
      if (isGone(error)) return undefined;
      if (error instanceof Deno.errors.PermissionDenied) throw new Detour("scan", "not readable");
      throw error;
    }
  }

  /** What stands under a name in a directory, as links are followed: other repositories and scratch space are not there. */
  readonly step: Look = (dir, name) => {
    const path = below(dir, name);
    if (name === ".~tmp~") return undefined;
    if (this.subject.closed.has(path)) return this.at(path) === "dir" ? "dir" : undefined;
    if (this.inOthers(path)) return undefined;
    const seen = this.at(path);
    return seen === "dir"
      ? "dir"
      : seen?.target !== undefined
      ? { target: seen.target }
      : undefined;
  };

  /** True for another repository's directory and what is below it. */
  inOthers(path: string): boolean {
    for (const other of this.subject.closed) {
      if (path === other || path.startsWith(other + "/")) return true;
    }
    return false;
  }
}
