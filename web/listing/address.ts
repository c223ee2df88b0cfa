/** The page's state in its URL: `?sort=-size&filter=linux+firmware#name`. */
import type { Sort, SortKey } from "./order.ts";

/** What the URL says of a listing. */
export interface Address {
  sort: Sort;
  filter: string;
}

const NAMES: Record<SortKey, string> = { name: "name", bytes: "size", mtime: "time" };

export const BY_NAME: Sort = { key: "name", descending: false };

export function readAddress(search: string): Address {
  const query = new URLSearchParams(search), sort = query.get("sort") ?? "";
  const key = (Object.keys(NAMES) as SortKey[]).find((k) => NAMES[k] === sort.replace(/^-/, ""));
  return {
    sort: key ? { key, descending: sort.startsWith("-") } : BY_NAME,
    filter: query.get("filter") ?? "",
  };
}

/** The query of a state, empty for the state that a listing has by itself. */
export function writeAddress({ sort, filter }: Address): string {
  const query = new URLSearchParams();
  if (sort.key !== "name" || sort.descending) {
    query.set("sort", (sort.descending ? "-" : "") + NAMES[sort.key]);
  }
  if (filter) query.set("filter", filter);
  return query.size ? "?" + query : "";
}

/** The name that a fragment means. */
export function readFragment(hash: string): string {
  try {
    return decodeURIComponent(hash.slice(1));
  } catch {
    return hash.slice(1);
  }
}
