/** `--verify`: the proof that what is served now is complete. */
import { count } from "../../formats/units.ts";
import { Failure } from "../lib/cli.ts";
import { type Config, pathsOfOthers, type Repo } from "../lib/config.ts";
import { exists } from "../lib/files.ts";
import { currentTree } from "./gate.ts";
import type { World } from "./session.ts";
import { profileOf } from "./source.ts";
import { describeGaps, findDatabases, verify } from "./verify.ts";

/** Checks every database of a repository against its tree. Throws {@linkcode Failure} where one has a gap. */
export async function proveRepo(
  config: Config,
  repo: Repo,
  { run, log, signal }: World,
): Promise<unknown> {
  const profile = profileOf(repo);
  const tree = await currentTree(config, repo);
  if (!await exists(tree)) {
    throw new Failure(
      `${repo.name}: there is no ${tree} yet.`,
      `Sync it first: deno task sync ${repo.name}`,
    );
  }
  const databases = await findDatabases(tree, profile, run, pathsOfOthers(config, repo));
  const overlay = { tree, stagedIn: tree, staged: new Set<string>() };
  const proof = await verify({ overlay, databases, profile, run, signal });
  signal.throwIfAborted();
  if (proof.gaps.length > 0) {
    throw new Failure(
      `${repo.name}: ${count(proof.gaps.length, "gap")}: ${describeGaps(proof.gaps)}`,
      `Fetch what is missing: deno task sync ${repo.name} --force`,
    );
  }
  log.info(
    proof.databases === 0
      ? `${repo.name}: profile ${repo.profile} has no databases to prove it by`
      : `${repo.name}: complete: ${count(proof.databases, "database")} name ${
        count(proof.files, "file")
      }, all there`,
  );
  return { repo: repo.name, databases: proof.databases, files: proof.files, gaps: [] };
}
