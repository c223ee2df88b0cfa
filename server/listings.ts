/** Directories: the indexer's listings, and those above the repositories, which come from mirror.toml. */
import {
  compareEntries,
  type Listing,
  type ListingHead,
  parseListing,
  renderJson,
} from "../formats/listing.ts";
import { renderHtml } from "../formats/listing_html.ts";
import { renderText } from "../formats/listing_text.ts";
import type { Repo } from "../scripts/lib/config.ts";
import { problemResponse } from "./errors.ts";
import { firstPage, ROWS } from "./first.ts";
import { acceptsGzip, directoryFormat, type Format, languageOf } from "./negotiate.ts";
import { sendFile, sendText } from "./send.ts";
import type { Place, Store } from "./store.ts";
import type { Web } from "./web.ts";

/** The plain page runs nothing and loads nothing; its few lines of style stand in it. */
const PLAIN_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'";

/** Header fields of a listing. All formats vary alike: they are answers of one URL. */
function fields(format: Exclude<Format, "ui">): Record<string, string> {
  const type = { json: "application/json", html: "text/html", text: "text/plain" }[format];
  return {
    "content-type": format === "json" ? type : `${type}; charset=utf-8`,
    "cache-control": "no-cache",
    "vary": "Accept, User-Agent, Accept-Encoding",
    ...(format === "html" ? { "content-security-policy": PLAIN_POLICY } : {}),
  };
}

const badFormat = (request: Request) =>
  problemResponse(request, {
    status: 400,
    message: "There is no such format.",
    hint: "Write ?format=json, ?format=html or ?format=text.",
  });

const unlisted = (request: Request) =>
  problemResponse(request, {
    status: 503,
    kind: "unlisted",
    message: "The listing of this directory is not written yet; its files can be fetched.",
    hint: "Try again in a minute. Operators: the task `index` writes listings.",
    headers: { "retry-after": "60" },
  });

/** What answers for directories. */
export class Listings {
  constructor(private store: Store, private web: Web, private now: () => number) {}

  /**
   * A directory of a repository. A URL that leads through a link gets the listing of the real directory,
   * as other servers do: relative links in it stay right, for the link leads to the same children.
   */
  async directory(request: Request, repo: Repo, place: Place, query: string): Promise<Response> {
    const format = directoryFormat(request.headers, query);
    if (!format) return badFormat(request);
    const open = async (name: string) => {
      const file = await this.store.openListing(repo, place.path, name);
      return typeof file === "string" ? undefined : file;
    };
    if (format === "text") {
      const file = await open("index.json");
      if (!file) return unlisted(request);
      const listing = parseListing(await new Response(file.readable).text());
      if (!listing) return unlisted(request);
      return sendText(request, renderText(listing), fields("text"));
    }
    if (format === "ui") {
      // A page whose rows cannot come helps less than the reason.
      using file = await open("index.json");
      if (!file) return unlisted(request);
      const page = await this.page(request, await beginning(file, ROWS + 1));
      if (page) return page;
    }
    const kind = format === "json" ? "json" : "html", head = fields(kind);
    const zipped = acceptsGzip(request.headers) ? await open(`index.${kind}.gz`) : undefined;
    if (zipped) {
      return sendFile(request, zipped, { ...head, "content-encoding": "gzip" }, this.now());
    }
    const file = await open(`index.${kind}`);
    return file ? sendFile(request, file, head, this.now()) : unlisted(request);
  }

  private page(request: Request, listing: Listing | undefined): Promise<Response | undefined> {
    const { name, languages } = this.store.config.site;
    const language = languageOf(request, languages);
    return this.web.page(
      request,
      (shell) => firstPage(shell, name, language, request, listing),
    );
  }

  /** True for a directory above the repositories, in which no indexer writes. */
  isAbove(path: string): boolean {
    return path.endsWith("/") && this.store.config.repos.some((r) => r.path.startsWith(path)) &&
      this.store.repoAt(path) === undefined;
  }

  /** A directory above the repositories: `/`, and `/pub/` where a repository has `path = "/pub/x/"`. */
  async above(request: Request, path: string, query: string): Promise<Response> {
    const format = directoryFormat(request.headers, query);
    if (!format) return badFormat(request);
    const listing = await this.listAbove(path);
    const page = format === "ui" ? await this.page(request, listing) : undefined;
    if (page) return page;
    const render = { json: renderJson, html: renderHtml, text: renderText };
    const kind = format === "ui" ? "html" : format;
    return sendText(request, render[kind](listing), fields(kind));
  }

  private async listAbove(path: string): Promise<Listing> {
    const below = this.store.config.repos.filter((r) => r.path.startsWith(path));
    const heads = await Promise.all(below.map(async (repo) => ({
      name: repo.path.slice(path.length).replace(/\/.*/, "/"),
      direct: repo.path.slice(path.length).indexOf("/") === repo.path.length - path.length - 1,
      head: await this.head(repo),
    })));
    const total = { bytes: 0, mtime: 0, files: 0, dirs: 0 };
    const entries = new Map<string, typeof total & { name: string }>();
    for (const { name, direct, head } of heads) {
      const entry = entries.get(name) ?? { name, bytes: 0, mtime: 0, files: 0, dirs: 0 };
      add(entry, head, direct ? 0 : 1);
      entries.set(name, entry);
    }
    for (const entry of entries.values()) add(total, entry, 1);
    return { v: 1, path, ...total, entries: [...entries.values()].sort(compareEntries) };
  }

  /** The totals of a repository, from the first line of its listing; none until it is served. */
  private async head(repo: Repo): Promise<Totals> {
    const { mtime } = await Deno.stat(this.store.files(repo).static).catch(() => ({ mtime: null }));
    const none = { bytes: 0, mtime: Math.floor(Number(mtime) / 1000), files: 0, dirs: 0 };
    const ready = await this.store.ready(repo);
    const file = ready && await this.store.openListing(repo, repo.path.slice(0, -1), "index.json");
    if (!file || typeof file === "string") return none;
    using _file = file;
    return await beginning(file, 0) ?? none;
  }
}

/** What the first bytes of a written listing say: its totals, and so many of its first entries at most. */
async function beginning(file: Deno.FsFile, entries: number): Promise<Listing | undefined> {
  const buffer = new Uint8Array(32_768);
  const text = new TextDecoder().decode(buffer.subarray(0, await file.read(buffer) ?? 0));
  // An entry a line: what follows the last whole one is left out.
  const lines = text.slice(0, text.lastIndexOf("\n")).split("\n", entries + 1).join("\n");
  return parseListing(lines.replace(/\n\]\}$|,$/, "") + "]}");
}

type Totals = Pick<ListingHead, "bytes" | "mtime" | "files" | "dirs">;

function add(to: Totals, what: Totals, dirs: number) {
  to.bytes += what.bytes;
  to.files += what.files;
  to.dirs += what.dirs + dirs;
  to.mtime = Math.max(to.mtime, what.mtime);
}
