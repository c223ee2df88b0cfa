/** `--verify`: the proof that what is served now is complete. */
import { count } from "../../formats/units.ts";
import { Failure } from "../lib/cli.ts";
import { type Config, pathsOfOthers, type Repo } from "../lib/config.ts";
import { exists } from "../lib/files.ts";
import { currentTree } from "./gate.ts";
import type { World } from "./session.ts";
import { profileOf } from "./source.ts";
import { describeGaps, findDatabases, type Gap, verify } from "./verify.ts";

/** What a proof found, as `--json` prints it. */
export interface Proof {
  repo: string;
  complete: boolean;
  databases: number;
  files: number;
  gaps: Gap[];
}

/** A proof that did not hold. */
export class Incomplete extends Failure {
  constructor(readonly proof: Proof) {
    super(
      `${proof.repo}: ${count(proof.gaps.length, "gap")}: ${describeGaps(proof.gaps)}`,
      `Fetch what is missing: deno task sync ${proof.repo} --force`,
    );
  }
}

/** Checks every database of a repository against its tree. Throws {@linkcode Incomplete} where one has a gap. */
export async function proveRepo(
  config: Config,
  repo: Repo,
  { run, log, signal }: World,
): Promise<Proof> {
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
  const { databases: read, files, gaps } = proof;
  const found = { repo: repo.name, complete: gaps.length === 0, databases: read, files, gaps };
  if (gaps.length > 0) throw new Incomplete(found);
  log.info(
    proof.databases === 0
      ? `${repo.name}: profile ${repo.profile} has no databases to prove it by`
      : `${repo.name}: complete: ${count(proof.databases, "database")} name ${
        count(proof.files, "file")
      }, all there`,
  );
  return found;
}
