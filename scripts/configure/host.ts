/** What the machine at hand has: the nginx that will read the configuration, and the certificates. */
import { exists } from "../lib/files.ts";
import type { Run } from "../lib/run.ts";

/** An nginx. */
export interface Nginx {
  /** As in `1.22.1`, as numbers. */
  version: number[];
  http3: boolean;
  /** The stream module: built in, a file to load, or not there. */
  stream: "built-in" | "missing" | `/${string}`;
}

/** Debian 12's, where there is none to ask. */
export const UNKNOWN_NGINX: Nginx = { version: [1, 22, 1], http3: false, stream: "missing" };

/** An nginx by what `nginx -V` says, but for whether a module's file is there. */
export function readNginx(text: string): Nginx {
  const version = /nginx\/(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number) ??
    UNKNOWN_NGINX.version;
  const modules = /--modules-path=(\S+)/.exec(text)?.[1] ?? "/usr/lib/nginx/modules";
  const stream = /--with-stream(?=\s|$)/.test(text)
    ? "built-in"
    : /--with-stream=dynamic/.test(text)
    ? `${modules}/ngx_stream_module.so` as `/${string}`
    : "missing";
  return { version, http3: /--with-http_v3_module/.test(text), stream };
}

/** The nginx of this machine, or `undefined`. */
export async function findNginx(run: Run): Promise<Nginx | undefined> {
  const { code, stderr } = await run({ command: "nginx", args: ["-V"] });
  if (code !== 0) return undefined;
  const nginx = readNginx(stderr);
  const missing = nginx.stream.startsWith("/") && !await exists(nginx.stream);
  return missing ? { ...nginx, stream: "missing" } : nginx;
}

/** True if `version` is at least `least`. */
export function isAtLeast(version: number[], ...least: number[]): boolean {
  for (const [i, n] of least.entries()) {
    if ((version[i] ?? 0) !== n) return (version[i] ?? 0) > n;
  }
  return true;
}
