/**
 * The gate: until the initial sync of a repository is complete, no server offers it; then all do, without
 * a restart. HTTP looks for the ready file. The rsync daemon reads its configuration anew for every
 * connection, and a module stands in it from then on. FTP has its folder from then on, or where that was
 * there before minds its mode (scripts/syncrepo/gate.ts).
 */
import { join } from "@std/path/posix";
import { type Config, pathsOfOthers, type Repo } from "./config.ts";
import { exists, readText, writeWhole } from "./files.ts";
import { repoFiles } from "./storage.ts";

/** The folder that rsyncd.conf includes. */
export const modulesDir = (data: string) => join(data, "state", "rsyncd.d");

const moduleFile = (config: Config, repo: Repo) =>
  join(modulesDir(config.data), `${repo.name}.conf`);

/** A repository as a module of the rsync daemon. Others that lie inside it have modules of their own. */
export function moduleText(config: Config, repo: Repo): string {
  const others = pathsOfOthers(config, repo).map((path) => `/${path}`);
  return `[${repo.rsync_module ?? repo.name}]\n` +
    `comment = ${repo.comment ?? `${repo.name} of ${config.site.name}`}\n` +
    `path = ${repoFiles(config.data, repo).static}\n` +
    (others.length ? `exclude = .~tmp~/ ${others.join(" ")}\n` : "");
}

/** Lets the rsync daemon offer a repository. */
export async function offerModule(config: Config, repo: Repo): Promise<void> {
  const file = moduleFile(config, repo), text = moduleText(config, repo);
  if (await readText(file) !== text) await writeWhole(file, text);
}

/** Has the rsync daemon offer it no more. */
export async function withdrawModule(config: Config, repo: Repo): Promise<void> {
  const file = moduleFile(config, repo);
  if (await exists(file)) await Deno.remove(file);
}

/** Brings the modules in line with mirror.toml: one for each repository that is ready, no other. */
export async function alignModules(config: Config): Promise<void> {
  const dir = modulesDir(config.data);
  await Deno.mkdir(dir, { recursive: true });
  // Whoever runs this, root for example: syncrepo's user writes here later.
  const { uid, gid } = await Deno.stat(join(dir, ".."));
  await Deno.chown(dir, uid, gid).catch(() => {});
  const known = new Set(config.repos.map((repo) => `${repo.name}.conf`));
  for await (const { name } of Deno.readDir(dir)) {
    if (name.endsWith(".conf") && !known.has(name)) await Deno.remove(join(dir, name));
  }
  for (const repo of config.repos) {
    const ready = await exists(repoFiles(config.data, repo).ready);
    await (ready ? offerModule : withdrawModule)(config, repo);
  }
}
