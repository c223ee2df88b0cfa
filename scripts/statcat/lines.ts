/**
 * The lines of the servers' logs, in the formats that `configure` writes (server/nginx/nginx.conf,
 * server/rsyncd/transfer.sh) and vsftpd's own. A reader gives what was fetched and drops the rest, client
 * addresses first of all; `undefined` for what is no such line. Clients choose URLs and agents, so lines
 * are read from both ends, and a quote can only be ours: nginx writes a client's as \x22.
 */
import { toText } from "../../formats/names.ts";
import type { Count } from "../../formats/traffic.ts";

/** What a line says. */
export interface Fetch {
  protocol: Count["protocol"];
  status: string;
  bytes: number;
  /** Epoch seconds. */
  time: number;
  /** URL path, decoded; of rsync the name of the module. */
  path: string;
  /** It was one file, from its beginning. */
  file: boolean;
}

/** Time, protocol, method, target, status, bytes, duration, range, agent, and maybe the address. */
const NGINX = /^(\S+) \S* (\S+) (.*) ([1-5])\d\d (\d+) [\d.]+ "([^"]*)" "[^"]*"(?: \S+)?$/;
const ESCAPED = /\\x([0-9A-Fa-f]{2})|%([0-9A-Fa-f]{2})/g;

/** A target as nginx logs it, as a path: without query, decoded, or as it is where it is not UTF-8. */
function pathOf(target: string): string {
  const [path] = target.split("?", 1);
  const raw = path.replace(ESCAPED, (_, a, b) => String.fromCharCode(parseInt(a ?? b, 16)));
  return (toText(raw) ?? path).replace(/\/{2,}/g, "/");
}

/** A line of nginx's log. */
export function readNginxLine(line: string): Fetch | undefined {
  const match = NGINX.exec(line);
  if (!match) return undefined;
  const [, when, method, target, kind, bytes, range] = match, time = Date.parse(when) / 1000;
  if (!Number.isFinite(time)) return undefined;
  const begins = range === "-" || range === "" || /^bytes=0-/.test(range);
  return {
    protocol: "http",
    status: `${kind}xx`,
    bytes: Number(bytes),
    time,
    path: pathOf(target),
    file: method === "GET" && kind === "2" && begins && !target.split("?", 1)[0].endsWith("/"),
  };
}

/** Time, module, rsync's exit code, bytes. */
const RSYNC = /^(\d{1,11}) (\S+) (-?\d{1,5}) (\d{1,17})$/;

/** A line of the rsync daemon's transfers. */
export function readRsyncLine(line: string): Fetch | undefined {
  const match = RSYNC.exec(line);
  if (!match) return undefined;
  const [, time, path, code, bytes] = match;
  const status = code === "0" ? "ok" : "failed";
  return { protocol: "rsync", status, bytes: Number(bytes), time: Number(time), path, file: false };
}

/** `Sat Nov 22 03:00:00 2026 [pid 2] [ftp] OK DOWNLOAD: Client "192.0.2.1", "/arch/a", 5 bytes, 1.2Kbyte/sec` */
const FTP =
  /^(\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}) \[pid \d+\] \[ftp\] (OK|FAIL) DOWNLOAD: Client "[^"]*", "(.*)", (?:(\d+) bytes, )?[\d.]+Kbyte\/sec$/;

/** A line of vsftpd's log; it says of downloads alone what was fetched. */
export function readFtpLine(line: string): Fetch | undefined | "other" {
  const match = FTP.exec(line);
  if (!match) return /^\w{3} \w{3} .{16} \[pid \d+\]/.test(line) ? "other" : undefined;
  const [, when, result, path, bytes] = match, time = Date.parse(`${when} GMT`) / 1000;
  if (!Number.isFinite(time)) return undefined;
  const ok = result === "OK";
  return {
    protocol: "ftp",
    status: ok ? "ok" : "failed",
    bytes: Number(bytes ?? 0),
    time,
    path,
    file: ok,
  };
}
