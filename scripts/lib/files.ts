/** Files that are published whole: written beside and renamed, so that a reader sees the old or the new. */
import { dirname } from "@std/path/posix";

/** The text of a file, or `undefined` where there is none. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** True if something stands at `path`, a dangling link included. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}

/**
 * Writes a file beside its place, syncs it to the disk and renames it there: a crash or a full disk
 * leaves the old one. Makes the folder where it is missing. `mode` is for
 * what is not everybody's business.
 */
export async function writeWhole(
  path: string,
  content: string | Uint8Array,
  mode?: number,
): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  const beside = `${path}.${Deno.pid}.new`;
  try {
    using file = await Deno.open(beside, { write: true, create: true, truncate: true, mode });
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.syncData();
    await Deno.rename(beside, path);
  } catch (error) {
    await Deno.remove(beside).catch(() => {});
    throw error;
  }
}
