/**
 * Where links lead, worked out from what a walk saw: step by step as the kernel does it (path_resolution
 * (7)), but never out of the repository.
 */

import { below, parentOf } from "./paths.ts";

/** As many links as Linux follows before it says ELOOP. */
const MAX_LINKS = 40;

/** What stands under a raw name in a directory: a directory, a link (its raw target), or something else, or nothing. */
export type Look = (dir: string, name: string) => "dir" | { target: string } | undefined;

/** Where a link leads. */
export interface Destination {
  /** To the directory `dir`, or to what is called `name` in there if that is a file; broken otherwise. */
  kind: "dir" | "file" | "broken";
  dir: string;
  name: string;
  /**
   * All paths on which that depends. One that is the beginning of a later one is left out: it can't
   * vanish without it.
   */
  lookups: string[];
}

/** Follows the link with this target in the directory `dir`. */
export function follow(dir: string, target: string, look: Look): Destination {
  const lookups: string[] = [];
  const end = (kind: Destination["kind"], dir: string, name = ""): Destination => ({
    kind,
    dir,
    name,
    lookups: lookups.filter((a, i) => !lookups.some((b, j) => j > i && b.startsWith(a + "/"))),
  });
  let at = dir, links = 0, names = target.split("/");
  if (target.startsWith("/")) return end("broken", "");
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if (name === "" || name === ".") continue;
    if (name === "..") {
      if (at === "") return end("broken", "");
      at = parentOf(at);
      continue;
    }
    const path = below(at, name);
    lookups.push(path);
    const seen = look(at, name);
    if (seen === "dir") at = path;
    else if (seen) {
      if (++links >= MAX_LINKS || seen.target.startsWith("/")) return end("broken", "");
      names = [...seen.target.split("/"), ...names.slice(i + 1)];
      i = -1;
    } else return i === names.length - 1 ? end("file", at, name) : end("broken", "");
  }
  return end("dir", at);
}

/** {@linkcode follow} for many links to the same few directories: the way to each is looked up once. */
export function follower(look: Look): (dir: string, target: string) => Destination {
  const ways = new Map<string, Map<string, Destination>>();
  const wayTo = (dir: string, to: string): Destination => {
    const known = ways.get(dir) ?? new Map<string, Destination>();
    ways.set(dir, known);
    let way = known.get(to);
    if (!way) {
      way = follow(dir, to, look);
      // Those that are the beginning of every path there are left out.
      way.lookups = way.lookups.filter((lookup) => !`${way!.dir}/`.startsWith(lookup + "/"));
      known.set(to, way);
    }
    return way;
  };
  return (dir, target) => {
    const slash = target.lastIndexOf("/"), name = target.slice(slash + 1);
    if (slash < 1 || name === "" || name === "." || name === "..") return follow(dir, target, look);
    const way = wayTo(dir, target.slice(0, slash));
    if (way.kind !== "dir" || look(way.dir, name) !== undefined) return follow(dir, target, look);
    return { kind: "file", dir: way.dir, name, lookups: [...way.lookups, below(way.dir, name)] };
  };
}
