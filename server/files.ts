/** Everything that is not one of the server's own URLs: repositories, and the directories above them. */
import { PROBLEMS } from "../formats/problem.ts";
import { fromText, toHref, toText } from "../formats/names.ts";
import type { Repo } from "../scripts/lib/config.ts";
import { NOT_FOUND, type Problem, problemResponse } from "./errors.ts";
import { type Home, wantsHome } from "./home.ts";
import type { Listings } from "./listings.ts";
import { isTemporary, resolveTarget, type Target } from "./path.ts";
import { sendFile } from "./send.ts";
import type { Store } from "./store.ts";
import { cacheControl, contentType, INERT, isActive } from "./types.ts";

const NOT_UTF8: Problem = {
  status: 404,
  message: "This name is not UTF-8; the embedded server cannot open such names.",
  hint: "nginx, rsync and FTP serve them.",
};
const RESTLESS: Problem = {
  status: 503,
  message: "This file is being replaced over and over.",
  hint: "Try again.",
  headers: { "retry-after": "1" },
};
/** Finds what a URL names, and sends it. */
export class Files {
  constructor(
    private store: Store,
    private listings: Listings,
    private home: Home,
    private now: () => number,
  ) {}

  async answer(request: Request): Promise<Response> {
    const target = resolveTarget(request.url);
    if (target === 400) return problemResponse(request, PROBLEMS.badUrl);
    if (target === 414) return problemResponse(request, PROBLEMS.longUrl);
    const repo = this.store.repoAt(target.raw);
    if (!repo) return await this.outside(request, target);
    if (!this.store.ready(repo)) return notReady(request, repo);
    if (isTemporary(target.raw)) return problemResponse(request, NOT_FOUND);
    const path = toText(target.raw);
    if (path === undefined) return problemResponse(request, NOT_UTF8);
    return await this.inside(request, repo, path, target.query);
  }

  /** Above the repositories there is only what mirror.toml says. */
  private async outside(request: Request, { raw, query }: Target): Promise<Response> {
    const home = raw === "/" && wantsHome(request, query);
    const page = home ? await this.home.answer(request) : undefined;
    if (page) return page;
    if (this.listings.isAbove(raw)) return await this.listings.above(request, raw, query);
    return this.listings.isAbove(raw + "/")
      ? toSlash(raw, query)
      : problemResponse(request, NOT_FOUND);
  }

  private async inside(
    request: Request,
    repo: Repo,
    path: string,
    query: string,
  ): Promise<Response> {
    // A file may be replaced between looking and opening: then the new one is looked at.
    for (let tries = 0; tries < 10; tries++) {
      const place = this.store.locate(repo, path);
      if (place === "missing") return problemResponse(request, this.lost(repo, path));
      if (place === "forbidden") return problemResponse(request, PROBLEMS.forbidden);
      if (place.info.isDirectory) {
        return path.endsWith("/")
          ? await this.listings.directory(request, repo, place, query)
          : toSlash(fromText(path), query);
      }
      if (!place.info.isFile || path.endsWith("/")) {
        return problemResponse(request, this.lost(repo, path));
      }
      const file = this.store.open(place);
      if (file === "forbidden") return problemResponse(request, PROBLEMS.forbidden);
      if (file !== "missing") return sendFile(request, file, fileFields(path), this.now());
    }
    return problemResponse(request, RESTLESS);
  }

  /** Nothing is there; but the folders above it are, down to one of them. */
  private lost(repo: Repo, path: string): Problem {
    let up = repo.path;
    for (const name of path.slice(up.length).split("/").slice(0, -1)) {
      const place = this.store.locate(repo, up + name);
      if (typeof place === "string" || !place.info.isDirectory) break;
      up += name + "/";
    }
    return { ...NOT_FOUND, up: toHref(fromText(up)) };
  }
}

/** Header fields of a file by its name. */
function fileFields(path: string): Record<string, string> {
  const type = contentType(path);
  return {
    "content-type": type,
    "cache-control": cacheControl(path),
    ...(isActive(type) ? { "content-security-policy": INERT } : {}),
  };
}

/** To the directory's own URL. The path is canonical, so it cannot start with `//` and name a host. */
function toSlash(raw: string, query: string): Response {
  return new Response(null, {
    status: 308,
    headers: { "location": `${toHref(raw)}/${query}`, "cache-control": "no-cache" },
  });
}

/** The gate: until the initial sync has completed, nothing of a repository is served. */
function notReady(request: Request, repo: Repo): Response {
  return problemResponse(request, {
    status: 503,
    kind: "gate",
    message: `The initial sync of ${repo.name} has not completed yet; it is served once it has.`,
    hint: "Try again later. /status.json says how it stands.",
    headers: { "retry-after": "300" },
  });
}
