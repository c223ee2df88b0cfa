/** From the configuration to what rsync and the steps are told. Pure. */
import { type Config, pathsOfOthers, type Repo } from "../lib/config.ts";
import { profiles } from "../profiles/mod.ts";
import type { Profile } from "../profiles/profile.ts";
import type { Source } from "./rsync.ts";

/** The profile of a repository, with the marker that its configuration names. */
export function profileOf(repo: Repo): Profile {
  const profile: Profile = profiles[repo.profile];
  if (!repo.check) return profile;
  const name = /^https?:/.test(repo.check)
    ? new URL(repo.check).pathname.split("/").pop() || "index"
    : repo.check;
  if (profile.check?.split("/").pop() === name) return profile;
  return { ...profile, check: name, markers: [...profile.markers.filter((m) => m !== name), name] };
}

/** An upstream as rsync is told of it; `tempDir` is where rsync puts what is not whole. */
export function sourceOf(
  config: Config,
  repo: Repo,
  profile: Profile,
  upstream: string,
  tempDir: string,
): Source {
  const others = pathsOfOthers(config, repo);
  const parents = others.flatMap((path) => {
    const segments = path.split("/").slice(0, -2);
    return segments.map((_, i) => "/" + segments.slice(0, i + 1).join("/") + "/");
  });
  return {
    upstream,
    exclude: [
      ...profile.markers.map((m) => "/" + m),
      ...(profile.trace ? [`/${profile.trace}/${config.site.name}`] : []),
      ...profile.exclude,
      ...repo.exclude,
      ...others.map((path) => "/" + path),
    ],
    protect: [...new Set(parents)],
    ioTimeoutSeconds: Math.ceil(repo.io_timeout),
    bwlimit: repo.bwlimit,
    passwordFile: repo.password_file,
    tempDir,
  };
}

/** An upstream for people and files: without user and password. */
export const withoutUser = (upstream: string) => upstream.replace(/^([a-z-]+:\/\/)[^@/]*@/, "$1");
