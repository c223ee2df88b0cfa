/** The web page as `deno task build` left it in web/dist: the shell, and assets named by their content. */
import { acceptsGzip } from "./negotiate.ts";
import { sendFile, sendText } from "./send.ts";
import { contentType } from "./types.ts";

/**
 * Scripts and styles are ours alone, and names become text, never markup: Trusted Types let nothing but
 * Lit's own templates, which are written in the source, become HTML.
 * Files of a mirror stand on the same origin, but none is served with a script's type: see types.ts.
 */
const PAGE_POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; " +
  "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html";

/** Serves a build. A file is opened anew each time, so a new build needs no restart. */
export class Web {
  constructor(private directory: string, private now: () => number) {}

  /** Header fields of a page of ours. */
  readonly pageFields = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-cache",
    "vary": "Accept, User-Agent, Accept-Encoding, Accept-Language",
    "content-security-policy": PAGE_POLICY,
    "referrer-policy": "same-origin",
  };

  /**
   * The page of a directory: the shell, the same for all of them, filled with what is known of this one already.
   * `undefined` where the page was not built.
   */
  async page(request: Request, fill: (shell: string) => string): Promise<Response | undefined> {
    const shell = await this.text("index.html");
    if (shell === undefined) return undefined;
    return await sendText(request, fill(shell), {
      ...this.pageFields,
      ...(acceptsGzip(request.headers) ? { "content-encoding": "gzip" } : {}),
    });
  }

  /** A text of the build, `undefined` where there is none. */
  async text(name: string): Promise<string | undefined> {
    const file = await this.open(name);
    return file && await new Response(file.readable).text();
  }

  /** An asset by its name, which holds a hash of its content. */
  async asset(request: Request, name: string): Promise<Response | undefined> {
    if (!/^[\w-]+\.(?:js|css|svg)$/.test(name)) return undefined;
    const type = name.endsWith(".js") ? "text/javascript; charset=utf-8" : contentType(name);
    return await this.send(request, `assets/${name}`, {
      "content-type": type,
      "cache-control": "public, max-age=31536000, immutable",
      "vary": "Accept-Encoding",
    });
  }

  /** The script of pages that outlive a build, under a name that stays. */
  early(request: Request): Promise<Response | undefined> {
    return this.send(request, "early.js", {
      "content-type": "text/javascript; charset=utf-8",
      "cache-control": "no-cache",
      "vary": "Accept-Encoding",
    });
  }

  private async send(request: Request, name: string, fields: Record<string, string>) {
    const zipped = acceptsGzip(request.headers) ? await this.open(`${name}.gz`) : undefined;
    if (zipped) {
      return sendFile(request, zipped, { ...fields, "content-encoding": "gzip" }, this.now());
    }
    const file = await this.open(name);
    return file && sendFile(request, file, fields, this.now());
  }

  private async open(name: string): Promise<Deno.FsFile | undefined> {
    try {
      return await Deno.open(`${this.directory}/${name}`, { read: true });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }
}
