/** A node in a temporary directory, with a few files of every kind, for the tests of the server. */
import { dirname, join } from "@std/path/posix";
import { type DirEntry, type Entry, entryName, renderJson } from "../../formats/listing.ts";
import { renderHtml } from "../../formats/listing_html.ts";
import { newStatus, type RepoStatus } from "../../formats/status.ts";
import { fromText } from "../../formats/names.ts";
import { type Config, readConfig } from "../../scripts/lib/config.ts";
import { type AppOptions, createApp } from "../../server/app.ts";

/** A fixed time for the clock of the app: 2026-11-21 12:00 UTC. */
export const NOW = 1_795_262_400;
/** Modification time of every file. */
export const MTIME = 1_795_000_000;

export interface TestNode extends AsyncDisposable {
  config: Config;
  data: string;
  /** Writes a file below static/ with {@linkcode MTIME}. */
  write(path: string, content: string | Uint8Array): Promise<void>;
  /** Writes listings of a directory with what stands in it. */
  list(directory: string): Promise<void>;
  /** Writes a file below indexes/ with {@linkcode MTIME}. */
  listing(path: string, content: string | Uint8Array): Promise<void>;
  ready(repo: string): Promise<void>;
  /** Writes a file below state/. */
  state(path: string, content: string): Promise<void>;
  status(repo: string, status: Partial<RepoStatus>): Promise<void>;
  get(path: string, headers?: Record<string, string>, method?: string): Promise<Response>;
}

/** The configuration of repositories that are given as `name = path`. */
const plainToml = (repos: Record<string, string>) =>
  `[site]\nname = "mirror.example.org"\n` +
  Object.entries(repos).map(([name, path]) =>
    `[[repo]]\nname = "${name}"\npath = "${path}"\nprofile = "generic"\nupstream = ["/srv/x/"]\n`
  ).join("");

/** A node with repositories `name = path`, or with those of a whole configuration. */
export async function makeNode(
  given: Record<string, string> | string,
  options: Partial<AppOptions> = {},
): Promise<TestNode> {
  const data = await Deno.makeTempDir({ prefix: "mirrorkit-server-" });
  const toml = typeof given === "string" ? given : plainToml(given);
  const config = readConfig(toml, "mirror.toml", data);
  const repos = Object.fromEntries(config.repos.map((repo) => [repo.name, repo.path]));
  const app = createApp({ config, now: () => NOW, web: join(data, "web"), ...options });
  const put = async (path: string, content: string | Uint8Array) => {
    await Deno.mkdir(dirname(path), { recursive: true });
    await (typeof content === "string"
      ? Deno.writeTextFile(path, content)
      : Deno.writeFile(path, content));
    await Deno.utime(path, MTIME, MTIME);
  };
  const state = (name: string) => join(data, "state", name);
  for (const path of Object.values(repos)) {
    await Deno.mkdir(join(data, "static", path), { recursive: true });
  }
  return {
    config,
    data,
    write: (path, content) => put(join(data, "static", path), content),
    listing: (path, content) => put(join(data, "indexes", path), content),
    async list(directory) {
      const entries: Entry[] = [];
      for await (const entry of Deno.readDir(join(data, "static", directory))) {
        const named = entryName(fromText(entry.name), entry.isDirectory);
        const base = { ...named, bytes: 5, mtime: MTIME };
        entries.push(entry.isDirectory ? { ...base, files: 1, dirs: 0 } as DirEntry : base);
      }
      const head = { v: 1 as const, bytes: 5, mtime: MTIME, files: 1, dirs: 0 };
      const listing = { ...head, path: directory, entries };
      await put(join(data, "indexes", directory, "index.json"), renderJson(listing));
      await put(join(data, "indexes", directory, "index.html"), renderHtml(listing));
    },
    state: (path, content) => put(state(path), content),
    ready: (repo) => put(state(`${repo}.ready`), ""),
    status: (repo, status) =>
      put(
        state(`${repo}.json`),
        JSON.stringify({ ...newStatus(repo, repos[repo], "generic"), ...status }),
      ),
    get: async (path, headers = {}, method = "GET") => await app.request(path, { headers, method }),
    async [Symbol.asyncDispose]() {
      await Deno.remove(data, { recursive: true });
    },
  };
}
