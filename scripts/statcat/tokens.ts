/**
 * Who may speak to the hub: one token a spoke, `NAME.SECRET`. The secret is 256 random bits, so a plain
 * SHA-256 of it is as hard to turn round as the secret is to guess; a slow hash is for passwords. Only the
 * hash is kept.
 */
import { Buffer } from "node:buffer";
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { isSpokeName, MAX_SPOKES } from "../../formats/stats.ts";
import { Failure, UsageError } from "../lib/cli.ts";
import { readText, writeWhole } from "../lib/files.ts";
import { waitForLock } from "../lib/lock.ts";

/** Hashes by the names of spokes. */
export type Tokens = Map<string, string>;

const hashOf = (secret: string) => createHash("sha256").update(secret).digest("hex");

/** The tokens of a file; none where there is none. Throws {@linkcode Failure} where it is damaged. */
export async function loadTokens(file: string): Promise<Tokens> {
  const text = await readText(file);
  if (text === undefined) return new Map();
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
    const good = ([name, hash]: [string, unknown]) =>
      isSpokeName(name) && typeof hash === "string" && /^[0-9a-f]{64}$/.test(hash);
    if (entries.every(good)) return new Map(entries as [string, string][]);
  } catch { /* said below */ }
  throw new Failure(
    `Cannot read ${file}: it is not what "statcat token add" writes.`,
    "Move it away, and add the spokes' tokens anew.",
  );
}

/** Changes the tokens of a file; nobody else does meanwhile. The file is the owner's alone. */
async function change(file: string, edit: (tokens: Tokens) => void): Promise<void> {
  using _lock = await waitForLock(`${file}.lock`);
  const tokens = await loadTokens(file);
  edit(tokens);
  await writeWhole(file, JSON.stringify(Object.fromEntries([...tokens].sort()), null, 1) + "\n");
}

/** Makes a token for a spoke, in the place of the one it may have; it can be read this once. */
export async function addToken(file: string, name: string): Promise<string> {
  if (!isSpokeName(name)) {
    throw new UsageError(
      `A spoke cannot be called ${JSON.stringify(name)}.`,
      "Allowed are lower-case letters, digits, hyphens and dots, at most 64.",
    );
  }
  const secret = randomBytes(32).toString("base64url");
  await change(file, (tokens) => {
    if (tokens.size >= MAX_SPOKES && !tokens.has(name)) {
      throw new Failure(`There are ${MAX_SPOKES} tokens already.`, "Remove one that is not used.");
    }
    tokens.set(name, hashOf(secret));
  });
  return `${name}.${secret}`;
}

/** Takes a spoke's token away; false if it had none. */
export async function removeToken(file: string, name: string): Promise<boolean> {
  let found = false;
  await change(file, (tokens) => found = tokens.delete(name));
  return found;
}

/** Whose token this is, or `undefined`. It takes the same time for a wrong secret as for an unknown name. */
export function spokeOf(tokens: Tokens, token: string): string | undefined {
  const dot = token.lastIndexOf(".");
  if (dot < 1 || token.length > 200) return undefined;
  const name = token.slice(0, dot), known = tokens.get(name);
  const expected = Buffer.from(known ?? "0".repeat(64), "hex");
  const given = createHash("sha256").update(token.slice(dot + 1)).digest();
  return timingSafeEqual(given, expected) && known !== undefined ? name : undefined;
}
