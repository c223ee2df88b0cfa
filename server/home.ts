/** The home page: rendered here, so that it is whole without script; the built elements keep it current. */
import { directionOf } from "../formats/messages.ts";
import { escapeHtml } from "../formats/names.ts";
import { homeBody } from "./home/page.ts";
import { collectHome } from "./home/model.ts";
import { acceptsGzip, directoryFormat, isTextBrowser, languageOf, namesHtml } from "./negotiate.ts";
import { sendText } from "./send.ts";
import type { Store } from "./store.ts";
import type { Web } from "./web.ts";

/**
 * True for who reads pages, in lynx too: `text/html` is named, and no other format is asked for. Programs
 * that walk links name nothing and get the listing.
 */
export function wantsHome(request: Request, query: string): boolean {
  const format = directoryFormat(request.headers, query);
  if (format === "ui") return true;
  if (format !== "html" || new URLSearchParams(query).has("format")) return false;
  return namesHtml(request.headers.get("accept") ?? undefined) || isTextBrowser(request.headers);
}

/** Answers with the home page. */
export class Home {
  constructor(private store: Store, private web: Web, private now: () => number) {}

  /** Its own address leads to `/`, unless a repository stands there. */
  own(request: Request): Promise<Response | undefined> | Response {
    if (this.store.config.repos.some((repo) => repo.path === "/")) return this.answer(request);
    return new Response(null, {
      status: 307,
      headers: { "location": "/", "cache-control": "no-cache" },
    });
  }

  /** The page; `undefined` where it was not built. */
  async answer(request: Request): Promise<Response | undefined> {
    const shell = await this.web.text("home.html");
    if (shell === undefined) return undefined;
    const { site } = this.store.config;
    const language = languageOf(request, site.languages);
    const values: Record<string, string> = {
      language,
      direction: directionOf(language),
      title: escapeHtml(site.title ?? site.name),
      body: await homeBody(await collectHome(this.store, language, this.now())),
    };
    const text = shell.replace(/\{\{ ?(\w+) ?\}\}/g, (whole, name) => values[name] ?? whole);
    return await sendText(request, text, {
      ...this.web.pageFields,
      "content-language": language,
      ...(acceptsGzip(request.headers) ? { "content-encoding": "gzip" } : {}),
    });
  }
}
