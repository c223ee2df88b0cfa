/** rsync as data: the command lines we run, and what its output and exit codes mean. See rsync(1). */
import { fromText } from "../../formats/names.ts";
import { formatBytes, formatDuration } from "../../formats/units.ts";
import { NO_PROGRAM, type Program, type RunOptions, type RunResult } from "../lib/run.ts";

/** What every call of one sync has in common. */
export interface Source {
  /** `rsync://…/`, `rsync-ssl://…/` or a directory, with `/` at its end. */
  upstream: string;
  exclude: string[];
  /** Folders of ours that the upstream lacks and that stay. */
  protect: string[];
  ioTimeoutSeconds: number;
  bwlimit?: string;
  passwordFile?: string;
  /** Scratch folder for files in transfer, on the file system of the tree. */
  tempDir: string;
}

/**
 * Links that lead out of the tree never arrive (`--safe-links`), neither do devices, pipes and set-id
 * bits; what arrives can be read by every server. Times of directories are left alone: they would
 * change with each rename, and listings show the newest file below instead.
 */
const FLAGS = [
  "-lptH",
  "--safe-links",
  "--omit-dir-times",
  "--chmod=a-st,a+r,u+w,go-w,Da+x",
  "--partial-dir=.~tmp~",
  "--exclude=.~tmp~",
];

/** Separates name and link target in a line; upstream can't know it, so it can't forge one. */
export function newToken(): string {
  return `@${crypto.randomUUID()}@`;
}

/** An rsync call from `source` to the directory `to`, printing one line an item (see {@linkcode readItem}). */
export function rsync(source: Source, to: string, token: string, ...extra: string[]): Program {
  const tls = source.upstream.startsWith("rsync-ssl://");
  const daemon = tls || source.upstream.startsWith("rsync://");
  return {
    command: tls ? "rsync-ssl" : "rsync",
    args: [
      ...FLAGS,
      `--out-format=%i %l %n${token}%L`,
      "--outbuf=L",
      "--info=symsafe1",
      `--temp-dir=${source.tempDir}`,
      ...(daemon
        // To a local directory there is neither a connection nor a message of the day.
        ? [`--timeout=${source.ioTimeoutSeconds}`, "--no-motd", ...(tls ? [] : ["--contimeout=60"])]
        : []),
      ...(source.bwlimit ? [`--bwlimit=${source.bwlimit}`] : []),
      ...(source.passwordFile && daemon ? [`--password-file=${source.passwordFile}`] : []),
      ...extra,
      ...source.protect.map((path) => `--filter=P ${path}`),
      ...source.exclude.map((pattern) => `--exclude=${pattern}`),
      "--",
      source.upstream.replace(/^rsync-ssl:/, "rsync:"),
      to,
    ],
  };
}

/** How such a call is watched: what comes over a line may stop coming. */
export function patience(source: Source): Pick<RunOptions, "stalledAfterSeconds"> {
  return source.upstream.startsWith("/") ? {} : { stalledAfterSeconds: source.ioTimeoutSeconds };
}

/** One line of `--itemize-changes`. Paths are raw (formats/names.ts), a directory's without slash. */
export interface Item {
  kind: "file" | "dir" | "link" | "delete";
  path: string;
  dir: boolean;
  bytes: number;
  /** It did not exist here, or as another type. */
  created: boolean;
  /** Its content (or a link's target) differs, not only its time or mode. */
  content: boolean;
  /** The other name of a hard link, when that is how it comes. */
  hardLinkOf?: string;
}

/** rsync prints control and high bytes as `\#ooo`, and a backslash that could be mistaken so, too. */
const unescape = (name: string) =>
  fromText(name).replace(/\\#([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));

/** An item from a line of output, or `undefined` where it is something else (progress, a warning). */
export function readItem(line: string, token: string): Item | undefined {
  const at = line.indexOf(token);
  const match = at < 0
    ? null
    : /^(\*deleting|[<>ch.*][fdLDS]\S{9}) +(\d+) (.+)$/s.exec(line.slice(0, at));
  if (!match) return undefined;
  const [, flags, bytes, rawName] = match;
  const dir = rawName.endsWith("/");
  const path = unescape(rawName).replace(/^\.\/(?=.)/, "").replace(/\/$/, "");
  if (flags.startsWith("*")) {
    return { kind: "delete", path, dir, bytes: 0, created: false, content: true };
  }
  const leader = line.slice(at + token.length).startsWith(" => ")
    ? { hardLinkOf: unescape(line.slice(at + token.length + 4)) }
    : {};
  return {
    kind: flags[1] === "d" ? "dir" : flags[1] === "L" ? "link" : "file",
    path,
    dir,
    bytes: Number(bytes),
    created: flags[2] === "+",
    content: flags[2] === "+" || flags[0] !== ".",
    ...leader,
  };
}

/** Totals of `--stats`. */
export interface Stats {
  files: number;
  regular: number;
  links: number;
  bytes: number;
}

/** Reads the totals out of the lines of `--stats`, one after the other. */
export function readStats(line: string, stats: Stats) {
  const number = (text?: string) => Number((text ?? "0").replaceAll(",", ""));
  const files = /^Number of files: ([\d,]+)/.exec(line);
  if (files) {
    stats.files = number(files[1]);
    stats.regular = number(/reg: ([\d,]+)/.exec(line)?.[1]);
    stats.links = number(/link: ([\d,]+)/.exec(line)?.[1]);
  }
  const bytes = /^Total file size: ([\d,]+)/.exec(line);
  if (bytes) stats.bytes = number(bytes[1]);
}

/** A line of `--info=progress2`. */
export interface Progress {
  bytes: number;
  files: number;
  bytesPerSecond: number;
}

const RATE: Record<string, number> = { B: 1, kB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };

/** Progress from a line, or `undefined`. Within a file rsync leaves the count out: then `files` is -1. */
export function readProgress(line: string): Progress | undefined {
  const match = /^\s*([\d,]+)\s+\d+%\s+([\d.]+)(B|kB|MB|GB)\/s\s+[\d:?]+(?:\s+\(xfr#(\d+),.*)?/
    .exec(line);
  if (!match) return undefined;
  return {
    bytes: Number(match[1].replaceAll(",", "")),
    files: match[4] ? Number(match[4]) : -1,
    bytesPerSecond: Number(match[2]) * RATE[match[3]],
  };
}

/** `packages: 12/345 files, 1.2 GiB of 5.6 GiB, 12 MiB/s, 6 min 3 s left`. */
export function describeProgress(
  what: string,
  done: Progress,
  total: { bytes: number; files: number },
): string {
  const left = done.bytesPerSecond > 0
    ? `, ${formatDuration(Math.max(0, total.bytes - done.bytes) / done.bytesPerSecond)} left`
    : "";
  return `${what}: ${done.files.toLocaleString("en-US")}/${
    total.files.toLocaleString("en-US")
  } files, ` +
    `${formatBytes(done.bytes)} of ${formatBytes(total.bytes)}, ` +
    `${formatBytes(done.bytesPerSecond)}/s${left}`;
}

/** What an exit code means (rsync(1), EXIT VALUES), and whether another try may help. */
const EXITS: Record<number, [meaning: string, retry: boolean]> = {
  1: ["rsync did not accept its arguments", false],
  2: ["the upstream speaks another protocol version", false],
  5: ["the upstream refused: no such module, no access, or too many connections", true],
  10: ["the connection failed", true],
  11: ["reading or writing a file failed; the disk may be full", true],
  12: ["the connection broke", true],
  20: ["rsync was stopped", true],
  23: ["some files could not be transferred", true],
  24: ["files vanished at the upstream during the transfer", true],
  30: ["no data came for the time allowed", true],
  35: ["the upstream did not answer in time", true],
  [NO_PROGRAM]: ["rsync is not installed: install it with deno task setup --for mirror", false],
};

/** How an rsync ended, in words, with the line of stderr that says more. */
export function explainExit(
  { code, signal, stderr, stalled }: RunResult,
): { message: string; retry: boolean } {
  if (stalled) return { message: `${EXITS[30][0]}; rsync was ended`, retry: true };
  const [meaning, retry] = signal
    ? [`rsync was ended by ${signal}`, true]
    : EXITS[code] ?? [`rsync failed`, true];
  const lines = stderr.split("\n").filter((l) => l.trim() !== "");
  const detail =
    lines.find((l) => /@ERROR|No space left|failed|refused|denied|timed? ?out/i.test(l)) ??
      lines[0];
  return { message: `${meaning} (rsync exit ${code}${detail ? `: ${detail.trim()}` : ""})`, retry };
}
