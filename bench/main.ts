/**
 * Runs benches: `deno task bench [--quick] [part…]`. A part is a file in this folder that exports
 * `main(args): Promise<number>`; without names all run. `--quick` is passed on to them.
 */
import { fromFileUrl } from "@std/path/posix";

const HELPERS = ["main", "trees", "measure"];

const known = [...Deno.readDirSync(fromFileUrl(new URL(".", import.meta.url)))]
  .filter(({ name, isFile }) => isFile && name.endsWith(".ts"))
  .map(({ name }) => name.slice(0, -3)).filter((name) => !HELPERS.includes(name)).sort();

/** Runs the parts that are named; gives the first exit code that is not 0. */
export async function main(args: string[]): Promise<number> {
  const names = args.filter((arg) => !arg.startsWith("-"));
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined || args.includes("--help")) {
    console.error(`Usage: bench [--quick] [part…]\nParts: ${known.join(", ")}`);
    return unknown === undefined ? 0 : 2;
  }
  let worst = 0;
  for (const name of names.length ? names : known) {
    console.log(`# ${name}`);
    const part: { main(args: string[]): Promise<number> } = await import(`./${name}.ts`);
    worst ||= await part.main(args.filter((arg) => arg.startsWith("-")));
  }
  return worst;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
