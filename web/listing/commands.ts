/** Lines to paste into a terminal, for the rows that are selected. */
import { toDisplay } from "../../formats/names.ts";

/** What a line is made for. */
export interface Wanted {
  /** Absolute and percent-encoded. */
  url: string;
  /** The name on disk, without a slash. */
  name: string;
  dir: boolean;
}

/** A word for POSIX shells, quoted where it has to be. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** True for a name that breaks a pasted line or turns it around, or that is no UTF-8. */
const isUntypable = (name: string) => toDisplay(name) !== name || name.includes("\ufffd");

/**
 * curl(1) for the files. It saves under the URL's last part as it stands, so a name that is escaped there
 * is given with `-o`. It fetches no directories.
 */
export function curlLine(wanted: Wanted[]): string {
  const files = wanted.filter(({ dir }) => !dir);
  if (files.length === 0) return "";
  const parts = files.map(({ url, name }) =>
    url.endsWith("/" + name) || isUntypable(name)
      ? `-O ${quote(url)}`
      : `-o ${quote(name.startsWith("-") ? "./" + name : name)} ${quote(url)}`
  );
  return ["curl -fL --globoff", ...parts].join(files.length > 1 ? " \\\n  " : " ");
}

/** wget(1): it goes on with what is there in part, and walks directories. */
export function wgetLine(wanted: Wanted[]): string {
  const of = (dir: boolean) => wanted.filter((w) => w.dir === dir).map(({ url }) => quote(url));
  const line = (start: string, urls: string[]) =>
    urls.length ? [start, ...urls].join(urls.length > 1 ? " \\\n  " : " ") : "";
  return [
    line("wget -c", of(false)),
    line("wget -c -r -np -nH -R 'index.html*'", of(true)),
  ].filter(Boolean).join("\n");
}

/** The URLs, one a line. */
export const urlLines = (wanted: Wanted[]): string => wanted.map(({ url }) => url).join("\n");
