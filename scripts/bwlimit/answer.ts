/** Answers refused clients, to whom the kernel leads their new connections: 429 and why (RFC 6585, 4). */
import { Failure, type Log } from "../lib/cli.ts";
import type { Config } from "../lib/config.ts";
import { exists } from "../lib/files.ts";
import { formatFor, type Host, type Refusal, refusalPage, retryAfter, TYPES } from "./page.ts";

/** Why an address is refused; `undefined` where it is not. */
export type Refused = (address: string) => Promise<Refusal | undefined>;

/** The answer to one request. */
export async function answer(
  request: Request,
  address: string,
  { refused, host, now }: { refused: Refused; host: Host; now: () => number },
): Promise<Response> {
  const refusal = await refused(address);
  const headers = {
    "cache-control": "no-store",
    "vary": "Accept",
    // The next request has to meet the kernel again: it may be let in.
    "connection": "close",
    "x-content-type-options": "nosniff",
  };
  if (!refusal) {
    const text = "404 Not found\n\nThis port answers those who are refused. You are not.\n";
    return new Response(text, { status: 404, headers: { ...headers, "content-type": TYPES.text } });
  }
  const format = formatFor(request.headers.get("accept") ?? "");
  return new Response(
    request.method === "HEAD" ? null : refusalPage(refusal, host, now(), format),
    {
      status: 429,
      headers: {
        ...headers,
        "content-type": TYPES[format],
        "retry-after": String(retryAfter(refusal, now())),
        ...(format === "html"
          ? { "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'" }
          : {}),
      },
    },
  );
}

/** A certificate may be renewed; it is looked at so often. */
const CERTIFICATE_SECONDS = 60;

/** The listeners for HTTP and, where there is a certificate, for HTTPS. */
export class AnswerServer implements AsyncDisposable {
  private readonly http: Deno.HttpServer;
  private https?: Deno.HttpServer;
  private certificate = "";
  private warned = false;
  private timer?: ReturnType<typeof setInterval>;

  private constructor(
    private readonly config: Config,
    private readonly log: Log,
    private readonly handle: (
      request: Request,
      info: Deno.ServeHandlerInfo<Deno.NetAddr>,
    ) => Promise<Response>,
  ) {
    this.http = listen(config.bwlimit!.answer.port, handle);
  }

  static async start(
    config: Config,
    log: Log,
    refused: Refused,
    answered: () => void,
  ): Promise<AnswerServer> {
    const { site, bwlimit } = config;
    const host = { name: site.name, contact: bwlimit!.contact ?? site.contact };
    const server = new AnswerServer(config, log, (request, info) => {
      answered();
      const { hostname } = info.remoteAddr;
      return answer(request, hostname, { refused, host, now: () => Date.now() / 1000 });
    });
    await server.renew();
    server.timer = setInterval(() => void server.renew(), CERTIFICATE_SECONDS * 1000);
    return server;
  }

  /** Answers on HTTPS with the site's certificate, and with the new one once it has been renewed. */
  private async renew(): Promise<void> {
    try {
      const pair = await readCertificate(this.config);
      if (!pair || pair.cert + pair.key === this.certificate) return;
      await this.https?.shutdown();
      this.https = listen(this.config.bwlimit!.answer.tls_port, this.handle, pair);
      this.certificate = pair.cert + pair.key;
    } catch (error) {
      if (this.warned) return;
      this.warned = true;
      this.log.warn(
        `warning: HTTPS is not answered, refused clients are reset there: ${
          (error as Error).message
        }\n` +
          "  hint: let this user read server.nginx.certificate_key; with systemd: LoadCredential=, see the unit",
      );
    }
  }

  async [Symbol.asyncDispose]() {
    clearInterval(this.timer);
    await Promise.all([this.http.shutdown(), this.https?.shutdown()]);
  }
}

/** The site's certificate and its key; `undefined` where there is none. */
async function readCertificate(
  { server: { nginx } }: Config,
): Promise<{ cert: string; key: string } | undefined> {
  const { certificate, certificate_key } = nginx;
  if (!certificate || !certificate_key) return undefined;
  // systemd.exec(5), LoadCredential=: the key of another user, for this service alone.
  const credentials = Deno.env.get("CREDENTIALS_DIRECTORY");
  const found = credentials && await exists(`${credentials}/certificate_key`);
  const read = (path: string, name: string) =>
    Deno.readTextFile(found ? `${credentials}/${name}` : path);
  return {
    cert: await read(certificate, "certificate"),
    key: await read(certificate_key, "certificate_key"),
  };
}

type Handler = (request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>) => Promise<Response>;

/** Listens on all addresses: the kernel leads to that of the interface where a client came in. */
function listen(
  port: number,
  handle: Handler,
  tls: { cert?: string; key?: string } = {},
): Deno.HttpServer {
  const at = (hostname: string) =>
    Deno.serve(
      { port, hostname, ...tls as { cert: string; key: string }, onListen: () => {} },
      handle,
    );
  try {
    return at("::");
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new Failure(
        `Cannot listen on port ${port} for the answer to refused clients: it is in use.`,
        "Set port and tls_port in [bwlimit.answer] to ports that are free.",
      );
    }
    // A machine without IPv6.
    return at("0.0.0.0");
  }
}
