/** mirror.toml: read, checked, with defaults filled in. Every message names file, key, value and what is allowed. */
import { parse as parseToml } from "@std/toml";
import { dirname, resolve } from "@std/path/posix";
import { closestString } from "@std/text/closest-string";
import * as v from "valibot";
import { type Arguments, UsageError } from "./cli.ts";
import { readText } from "./files.ts";
import { type Healthz, healthzProblems, healthzTable } from "./healthz.ts";
import { type Bwlimit, bwlimit } from "./limits.ts";
import { duration, like, text, whole } from "./schema.ts";
import { rsyncModule, type Servers, servers } from "./servers.ts";
import { type Site, siteTable } from "./site.ts";
import { type Statcat, statcat } from "./statcat.ts";

/** The profiles there are; `scripts/profiles/` says what each demands. */
export const PROFILES = ["arch", "debian", "ubuntu", "alpine", "fedora", "el", "generic"] as const;
export type ProfileName = typeof PROFILES[number];

const UPSTREAM =
  "allowed is rsync://HOST/MODULE/, rsync-ssl://HOST/MODULE/ or an absolute directory";
const upstream = v.pipe(
  v.string(UPSTREAM),
  v.regex(/^(?:rsync(?:-ssl)?:\/\/[^/\s]+\/[^/\s]+|\/)/, UPSTREAM),
  // deno-lint-ignore no-control-regex
  v.regex(/^[^\u0000-\u0020\u007f]+$/, UPSTREAM + ", without white space"),
  v.transform((url) => url.replace(/\/*$/, "/")),
);

const CHECK =
  "allowed is a URL (http or https) of the upstream's marker file, or its path below the upstream";
const check = v.pipe(
  v.string(CHECK),
  v.regex(/^(?:https?:\/\/\S+|(?![a-z]+:\/\/)[^\s/]\S*)$/, CHECK),
  v.check((s) => !s.split("/").includes(".."), CHECK),
);

const NAME = "allowed are lower-case letters, digits and hyphens, first a letter or digit";
const PATH = 'allowed is "/" or a path such as "/archlinux/", without "." and ".." segments';
const path = v.pipe(
  v.string(PATH),
  v.regex(/^\/(?:(?!\.\.?\/)[A-Za-z0-9._+~-]+\/)*$/, PATH),
);

const SCHEDULE =
  'allowed is a cron pattern of five fields such as "17 * * * *"; ~ as the minute picks a stable one';
const schedule = v.pipe(
  v.string(SCHEDULE),
  v.regex(/^(?:~|[\d*,\/-]+)(?:\s+[\dA-Za-z*,\/?#L-]+){4}$/, SCHEDULE),
);

const repo = v.strictObject({
  name: v.pipe(v.string(NAME), v.regex(/^[a-z0-9][a-z0-9-]*$/, NAME)),
  path: v.optional(path),
  profile: v.picklist(PROFILES, `allowed are ${PROFILES.join(", ")}`),
  upstream: v.pipe(
    v.array(upstream, "allowed is a list of upstreams"),
    v.minLength(1, "allowed is at least one upstream"),
  ),
  check: v.optional(check),
  schedule: v.optional(schedule),
  exclude: v.optional(
    v.array(text("an rsync exclude pattern"), "allowed is a list of rsync exclude patterns"),
    [],
  ),
  max_delete: v.optional(
    v.strictObject({
      percent: v.optional(whole("a share in percent", 0, 100), 15),
      files: v.optional(whole("a number of files", 0, 1e9), 20_000),
    }, "allowed is a table such as { percent = 15, files = 20000 }"),
    {},
  ),
  stale_after: v.optional(duration, "24 h"),
  time_limit: v.optional(duration, "6 h"),
  io_timeout: v.optional(duration, "600 s"),
  retries: v.optional(whole("a number of further rounds through the upstreams", 0, 100), 4),
  retry_delay: v.optional(duration, "30 s"),
  bwlimit: v.optional(
    like('what rsync --bwlimit takes, such as "50m"', /^\d+(?:\.\d+)?[kmgtKMGT]?(?:i?[bB])?$/),
  ),
  password_file: v.optional(text("the path of a file with the upstream's password")),
  verify: v.optional(
    v.picklist(["strict", "warn", "off"], "allowed are strict, warn, off"),
    "strict",
  ),
  ...rsyncModule,
});

const schema = v.strictObject({
  site: siteTable,
  data: v.optional(text("the path of the storage")),
  server: v.optional(
    v.strictObject({
      hostname: v.optional(
        text('an address to listen on, such as "127.0.0.1" or "::"'),
        "127.0.0.1",
      ),
      port: v.optional(whole("a port", 0, 65535), 8080),
      ...servers,
    }, "allowed is a table with hostname and port"),
    {},
  ),
  statcat: v.optional(statcat, {}),
  healthz: v.optional(healthzTable),
  bwlimit,
  repo: v.pipe(
    v.array(repo, "allowed is a list of [[repo]] tables"),
    v.minLength(1, "allowed is at least one [[repo]]"),
  ),
});

/** A machine that only looks after others needs no repository. */
const checkerSchema = v.strictObject({
  ...schema.entries,
  repo: v.optional(v.array(repo, "allowed is a list of [[repo]] tables"), []),
});

/** One repository, defaults filled in. Durations in seconds. */
export interface Repo extends v.InferOutput<typeof repo> {
  /** Where it is served, with `/` at both ends. */
  path: string;
}

/** A node. */
export interface Config {
  /** The file it came from. */
  file: string;
  /** Storage, absolute. */
  data: string;
  site: Site;
  server: Servers & { hostname: string; port: number };
  statcat: Omit<Statcat, "name"> & { name: string };
  /** The nodes of the mirror's name, where this machine looks after them. */
  healthz?: Healthz;
  /** What one client may take; nothing is limited where it is missing. */
  bwlimit?: Bwlimit;
  repos: Repo[];
}

/** A configuration from its text. Throws {@linkcode UsageError} that lists all that is wrong. */
export function readConfig(toml: string, file: string, data?: string): Config {
  let raw: unknown;
  try {
    raw = parseToml(toml);
  } catch (error) {
    throw new UsageError(`Cannot read ${file}: ${(error as Error).message}`, "It must be TOML.");
  }
  const isChecker = typeof raw === "object" && raw !== null && "healthz" in raw;
  const result = v.safeParse(isChecker ? checkerSchema : schema, raw);
  if (!result.success) {
    throw new UsageError(
      result.issues.map((issue) => `${file}: ${explainIssue(issue)}`).join("\n       "),
      "mirror.toml.example shows every key.",
    );
  }
  const { site, server, statcat, healthz, bwlimit, repo: repos } = result.output;
  const config: Config = {
    file,
    data: resolve(
      data ?? (result.output.data ? resolve(dirname(file), result.output.data) : "data"),
    ),
    site,
    server,
    statcat: {
      ...statcat,
      name: statcat.name ?? site.name.toLowerCase().slice(0, 64),
      send_to: statcat.send_to.map((hub) => ({
        ...hub,
        token_file: resolve(dirname(file), hub.token_file),
      })),
    },
    bwlimit,
    repos: repos.map((r) => ({
      ...r,
      path: r.path ?? `/${r.name}/`,
      password_file: r.password_file && resolve(dirname(file), r.password_file),
    })),
  };
  checkOverlaps(config);
  if (healthz) config.healthz = completeHealthz(healthz, config);
  return config;
}

/** The table of healthz with what it leaves open taken from the rest. */
function completeHealthz(table: v.InferOutput<typeof healthzTable>, config: Config): Healthz {
  const { file, site, repos } = config;
  const repo = repos.at(0);
  const lastsync = table.lastsync ?? (repo && `${repo.path}lastsync`);
  if (lastsync === undefined) {
    throw new UsageError(
      `${file}: key healthz.lastsync is missing; there is no [[repo]] to take it from.`,
    );
  }
  const healthz: Healthz = {
    ...table,
    lastsync,
    name: table.name ?? site.name.toLowerCase(),
    listing: table.listing ?? repo?.path,
    rsync_module: table.rsync_module ?? repo?.rsync_module ?? repo?.name,
  };
  const inFile = (path?: string) => path && resolve(dirname(file), path);
  healthz.notify.webhook_file = inFile(healthz.notify.webhook_file);
  if (healthz.dns) healthz.dns.secret_file = inFile(healthz.dns.secret_file);
  const problems = healthzProblems(healthz);
  if (problems.length === 0) return healthz;
  throw new UsageError(
    problems.map((problem) => `${file}: ${problem}`).join("\n       "),
    "mirror.toml.example shows every key.",
  );
}

function explainIssue(issue: v.BaseIssue<unknown>): string {
  const key = v.getDotPath(issue)?.replace(/\.(\d+)(?=\.|$)/g, "[$1]") ?? "";
  if (issue.type === "strict_object" && issue.expected === "never") {
    return `unknown key ${key}`;
  }
  if (issue.input === undefined) {
    const allowed = issue.message.startsWith("allowed") ? `; ${issue.message}` : "";
    return `key ${key} is missing${allowed}`;
  }
  return `${key} = ${JSON.stringify(issue.input)} is not allowed; ${issue.message}`;
}

/** URLs of the server's own, which a repository there could never answer. */
const RESERVED = [
  "healthz",
  "status.json",
  "nodes.json",
  "metrics",
  "sse",
  "stats.json",
  ".mirrorkit",
  ".well-known",
];

function checkOverlaps({ file, repos }: Config) {
  for (const { name, path } of repos) {
    if (!RESERVED.includes(path.split("/")[1])) continue;
    throw new UsageError(
      `${file}: repo path = "${path}" of ${name} is not allowed; the server's own are ` +
        RESERVED.map((r) => `/${r}`).join(", ") + ".",
    );
  }
  for (const [i, a] of repos.entries()) {
    for (const b of repos.slice(0, i)) {
      if (a.name === b.name) {
        throw new UsageError(`${file}: repo name = "${a.name}" stands twice; allowed is once.`);
      }
      const overlap = a.path === b.path ||
        a.path !== "/" && b.path !== "/" &&
          (a.path.startsWith(b.path) || b.path.startsWith(a.path));
      if (overlap) {
        throw new UsageError(
          `${file}: repo path = "${a.path}" of ${a.name} overlaps "${b.path}" of ${b.name}; ` +
            `allowed are paths beside each other, and one repository at "/".`,
        );
      }
    }
  }
}

/** Reads the configuration that the arguments or the environment name. */
export async function loadConfig(args: Pick<Arguments, "values">): Promise<Config> {
  const file = resolve(args.values.config ?? Deno.env.get("MIRROR_CONFIG") ?? "mirror.toml");
  let toml: string | undefined;
  try {
    toml = await readText(file);
  } catch (error) {
    throw new UsageError(`Cannot read ${file}: ${(error as Error).message}`);
  }
  if (toml === undefined) {
    throw new UsageError(
      `No configuration at ${file}.`,
      "Copy mirror.toml.example to mirror.toml and fill in the upstream, or name a file with --config.",
    );
  }
  return readConfig(toml, file, args.values.data ?? Deno.env.get("MIRROR_DATA"));
}

/** The repositories that operands name, or all. Throws {@linkcode UsageError} that suggests the nearest name. */
export function pickRepos(config: Config, names: string[]): Repo[] {
  if (names.length === 0) return config.repos;
  const known = config.repos.map((r) => r.name);
  return [...new Set(names)].map((name) => {
    const repo = config.repos.find((r) => r.name === name);
    if (repo) return repo;
    throw new UsageError(
      `No repository ${JSON.stringify(name)} in ${config.file}. Did you mean ${
        closestString(name, known)
      }?`,
      `There are: ${known.join(", ")}`,
    );
  });
}

/**
 * The paths, relative to `repo`, that belong to other repositories: with a repository at `/` the others
 * lie inside it and are left out of all it does. Each as `archlinux/`.
 */
export function pathsOfOthers(config: Pick<Config, "repos">, repo: Repo): string[] {
  if (repo.path !== "/") return [];
  return config.repos.filter((r) => r !== repo && r.name !== repo.name).map((r) => r.path.slice(1));
}

/** The repository that serves a decoded URL path: the longest path wins. */
export function repoAt<R extends { path: string }>(repos: R[], urlPath: string): R | undefined {
  return repos.filter((r) => urlPath.startsWith(r.path) || urlPath + "/" === r.path)
    .sort((a, b) => b.path.length - a.path.length)[0];
}
