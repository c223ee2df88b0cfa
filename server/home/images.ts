/** The newest installation images of a repository, found in its listings, with what its sums say of them. */
import { CLIENTS, type ImagePlace, newestImages, sumOf } from "../../formats/clients.ts";
import { type Entry, hrefOf, isDir, parseListing } from "../../formats/listing.ts";
import { compareNames, fromText, toHref } from "../../formats/names.ts";
import type { Repo } from "../../scripts/lib/config.ts";
import type { Store } from "../store.ts";

/** An image as the home page shows it. */
export interface Image {
  name: string;
  href: string;
  bytes: number;
  mtime: number;
  /** What the distribution's own list says; `undefined` where none names it. */
  sha256?: string;
}

/** A listing or a list of sums that is longer is none of the kind that is looked for. */
const MAX_BYTES = 1 << 20;

/** The text of an open file, unless it is too long. */
async function textOf(file: Deno.FsFile | string): Promise<string | undefined> {
  if (typeof file === "string") return undefined;
  using opened = file;
  if (opened.statSync().size > MAX_BYTES) return undefined;
  return await new Response(opened.readable).text();
}

/** Folders and sums of one repository. */
class Tree {
  constructor(private store: Store, private repo: Repo) {}

  private locate(path: string) {
    const place = this.store.locate(this.repo, this.repo.path + path);
    return typeof place === "string" ? undefined : place;
  }

  /** What stands in a folder; nothing where it is not there or not listed yet. */
  async entries(folder: string): Promise<Entry[]> {
    const place = this.locate(folder);
    if (!place?.info.isDirectory) return [];
    const text = await textOf(this.store.openListing(this.repo, place.path, "index.json"));
    return (text === undefined ? undefined : parseListing(text))?.entries ?? [];
  }

  async read(path: string): Promise<string | undefined> {
    const place = this.locate(path);
    return place?.info.isFile ? await textOf(this.store.open(place)) : undefined;
  }

  /** The folder that a pattern names: each `*` is the highest number for which the rest is there. */
  async resolve(pattern: string): Promise<string | undefined> {
    const star = pattern.indexOf("*");
    if (star < 0) return this.locate(pattern)?.info.isDirectory ? pattern : undefined;
    const above = pattern.slice(0, star), rest = pattern.slice(star + 1);
    const numbers = (await this.entries(above)).map((e) => e.name.replace(/\/$/, ""))
      .filter((name) => /^\d[\d.]*$/.test(name)).sort(compareNames).reverse();
    for (const number of numbers) {
      const found = await this.resolve(above + number + rest);
      if (found !== undefined) return found;
    }
  }
}

async function imagesIn(tree: Tree, repo: Repo, place: ImagePlace): Promise<Image[]> {
  const folder = await tree.resolve(place.folder);
  if (folder === undefined) return [];
  const entries = (await tree.entries(folder)).filter((e) => !isDir(e));
  const { sums } = place;
  return await Promise.all(
    newestImages(entries, place.match).map(async (entry) => {
      const list = typeof sums === "string"
        ? sums.replace("{name}", entry.name)
        : entries.find((e) => sums.test(e.name))?.name;
      const text = list === undefined ? undefined : await tree.read(`${folder}/${list}`);
      return {
        name: entry.name,
        href: toHref(fromText(`${repo.path}${folder}/`)) + hrefOf(entry),
        bytes: entry.bytes,
        mtime: entry.mtime,
        sha256: text === undefined ? undefined : sumOf(entry.name, text),
      };
    }),
  );
}

/** The newest images of a repository. */
export async function findImages(store: Store, repo: Repo): Promise<Image[]> {
  const tree = new Tree(store, repo);
  const places = CLIENTS[repo.profile]?.images ?? [];
  return (await Promise.all(places.map((place) => imagesIn(tree, repo, place)))).flat();
}

/** The name of the release that a repository's clients should write. */
export async function suiteOf(store: Store, repo: Repo): Promise<string> {
  const suite = CLIENTS[repo.profile]?.suite;
  if (!suite) return "";
  if (!suite.link) return suite.otherwise;
  const slash = suite.link.lastIndexOf("/"), name = suite.link.slice(slash + 1);
  const entries = await new Tree(store, repo).entries(suite.link.slice(0, slash));
  const link = entries.find((e) => e.name === name || e.name === `${name}/`);
  return link && "target" in link && /^[\w.-]+$/.test(link.target) ? link.target : suite.otherwise;
}
