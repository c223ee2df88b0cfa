/** A mirror's storage in a temporary folder, for the tests of the indexer. */
import { dirname, join } from "@std/path/posix";
import { Log } from "../../scripts/lib/cli.ts";
import { repoFiles } from "../../scripts/lib/storage.ts";
import { index, type Outcome } from "../../scripts/indexer/run.ts";
import { type Listing, parseListing } from "../../formats/listing.ts";

/** One repository and its storage. */
export class Mirror implements Disposable {
  readonly data = Deno.makeTempDirSync({ prefix: "mirrorkit-" });
  readonly files;

  constructor(readonly path = "/r/", readonly others: string[] = [], readonly name = "r") {
    this.files = repoFiles(this.data, { name, path });
    Deno.mkdirSync(this.files.static, { recursive: true });
  }

  /** Where a path of the repository stands. */
  at(path: string): string {
    return join(this.files.static, path);
  }

  /** Writes a file of a size, with a time. */
  file(path: string, bytes = 1, mtime = 1_700_000_000) {
    Deno.mkdirSync(dirname(this.at(path)), { recursive: true });
    Deno.writeFileSync(this.at(path), new Uint8Array(bytes));
    Deno.utimeSync(this.at(path), mtime, mtime);
  }

  link(path: string, target: string) {
    Deno.mkdirSync(dirname(this.at(path)), { recursive: true });
    Deno.symlinkSync(target, this.at(path));
  }

  remove(path: string) {
    Deno.removeSync(this.at(path), { recursive: true });
  }

  /** Runs a shell command in the repository, for what Deno cannot do. */
  shell(command: string) {
    const { success, stderr } = new Deno.Command("bash", {
      args: ["-ec", command],
      cwd: this.files.static,
    }).outputSync();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  }

  index(how?: "full" | "check"): Promise<Outcome> {
    const { path, others, files, name } = this;
    return index({ repo: { name, path }, files, others, how, log: new Log(0) });
  }

  /** A listing, which must be there and whole. */
  listing(path = ""): Listing {
    const text = Deno.readTextFileSync(join(this.files.indexes, path, "index.json"));
    const listing = parseListing(text);
    if (!listing) throw new Error(`${path} is damaged: ${text}`);
    return listing;
  }

  /** Every file below the listings, with inode and time, to see what was touched. */
  published(): Record<string, string> {
    const found: Record<string, string> = {};
    const look = (dir: string) => {
      for (const { name, isDirectory } of Deno.readDirSync(join(this.files.indexes, dir))) {
        const path = join(dir, name), info = Deno.lstatSync(join(this.files.indexes, path));
        if (isDirectory) look(path);
        else found[path] = `${info.ino} ${info.mtime?.getTime()}`;
      }
    };
    look("");
    return found;
  }

  [Symbol.dispose]() {
    Deno.removeSync(this.data, { recursive: true });
  }
}
