/** Fetches a directory's listing while the pointer rests on its link: a click then finds it there. */
import type { Entry } from "../../formats/listing.ts";
import { hrefOf, isDir } from "../../formats/listing.ts";

/** A pointer that only passes by means nothing. */
const DWELL_MS = 80;

/** Entries below a directory, at most: a large listing is not fetched on a guess. */
const MOST = 5000;

/** The URL to prefetch for an entry, or undefined where it is no small directory. */
export function prefetchUrl(entry: Entry): string | undefined {
  const small = isDir(entry) && entry.files + entry.dirs <= MOST;
  return small ? `${hrefOf(entry)}?format=json` : undefined;
}

/** Prefetches what the pointer rests on, each URL once. */
export class Prefetch {
  #done = new Set<string>();
  #timer?: ReturnType<typeof setTimeout>;

  /** The pointer is on an entry now, or on none. */
  over(entry: Entry | undefined): void {
    clearTimeout(this.#timer);
    const url = entry && prefetchUrl(entry);
    const saving = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData;
    if (!url || saving || this.#done.has(url)) return;
    this.#timer = setTimeout(() => {
      this.#done.add(url);
      const link = document.createElement("link");
      Object.assign(link, { rel: "prefetch", as: "fetch", crossOrigin: "anonymous", href: url });
      document.head.append(link);
    }, DWELL_MS);
  }
}
