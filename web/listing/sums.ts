/** SHA-256 sums of selected rows, from the files of the same directory that tell them. */
import { type FileEntry, hrefOf, isDir } from "../../formats/listing.ts";
import { hashName, isSums, readSums } from "./checksums.ts";
import { fetchStart } from "./file-start.ts";
import { filterWord } from "./filter.ts";
import type { Kept } from "./kept.ts";
import type { Selection } from "./selection.ts";

/** Read of one file; of so many files. */
const MOST_BYTES = 4_194_304, MOST_FILES = 200;

export class Sums {
  #files: FileEntry[];
  #read = new Map<string, Promise<Map<string, string>>>();

  constructor(private kept: Kept, private path: string = location.pathname) {
    const rows = [
      ...filterWord(kept, undefined, "sha256"),
      ...filterWord(kept, undefined, "checksum"),
    ];
    this.#files = rows.map((i) => kept.entry(i)).filter((e) => !isDir(e) && isSums(e.name));
  }

  /** True if there are sums to be had. */
  get known(): boolean {
    return this.#files.length > 0 || hashName(this.path + "0".repeat(64)) !== undefined;
  }

  /** `HASH  name` for each selected file whose sum is known, as `sha256sum -c` reads it. */
  async lines(selection: Selection): Promise<string[]> {
    const names = selection.list().map((i) => this.kept.entry(i).name);
    const wanted = new Set(names),
      several = this.#files.filter(({ name }) => {
        const own = name.replace(/\.sha256(?:sum)?$/i, "");
        return own === name || wanted.has(own);
      });
    const all = await Promise.all(several.slice(0, MOST_FILES).map((file) => this.#sums(file)));
    return names.flatMap((name) => {
      const sum = hashName(this.path + name) ?? all.find((sums) => sums.has(name))?.get(name);
      return sum ? [`${sum}  ${name}`] : [];
    });
  }

  #sums(file: FileEntry): Promise<Map<string, string>> {
    let sums = this.#read.get(file.name);
    if (!sums) {
      sums = fetchStart(hrefOf(file), AbortSignal.timeout(30_000), MOST_BYTES)
        .then((bytes) => readSums(new TextDecoder().decode(bytes), file.name), () => new Map());
      this.#read.set(file.name, sums);
    }
    return sums;
  }
}
