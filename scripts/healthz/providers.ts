/** The provider that mirror.toml names, with its secret. */
import { join } from "@std/path/posix";
import { Failure } from "../lib/failure.ts";
import { exists, readText } from "../lib/files.ts";
import type { Healthz } from "../lib/healthz.ts";
import { cloudflare } from "./cloudflare.ts";
import { hook } from "./hook.ts";
import { powerdns } from "./powerdns.ts";
import type { Provider } from "./records.ts";
import { rfc2136 } from "./rfc2136.ts";

/** The name of systemd's credential (systemd.exec(5), LoadCredential=). */
export const CREDENTIAL = "healthz-secret";

/** Without a `[healthz.dns]` table it only watches: what it would write is remembered. */
const watcher: Provider = {
  read: () => Promise.resolve(undefined),
  write: () => Promise.resolve(),
};

/** The provider. One whose secret is missing fails at every use, so that it is told as an alarm. */
export async function provider(config: Healthz): Promise<Provider> {
  try {
    return await make(config);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { read: () => Promise.reject(error), write: () => Promise.reject(error) };
  }
}

async function make({ dns, name, node }: Healthz): Promise<Provider> {
  if (!dns) return watcher;
  if (dns.provider === "hook") return hook(dns, { name, node });
  const file = dns.secret_file ?? await credential();
  if (dns.provider === "rfc2136") {
    if (file) await secret(file);
    return rfc2136(dns, name, file);
  }
  const token = await secret(file);
  return dns.provider === "cloudflare" ? cloudflare(dns, name, token) : powerdns(dns, name, token);
}

async function credential(): Promise<string | undefined> {
  const folder = Deno.env.get("CREDENTIALS_DIRECTORY");
  const path = folder && join(folder, CREDENTIAL);
  return path && await exists(path) ? path : undefined;
}

async function secret(file: string | undefined): Promise<string> {
  const text = file && (await readText(file).catch((error) => {
    throw new Failure(`Cannot read the secret ${file}: ${error.message}`);
  }))?.trim();
  if (text) return text;
  throw new Failure(
    file ? `There is no secret in ${file}.` : "healthz.dns needs a secret, and there is none.",
    `Name a file with secret_file, or give systemd the credential ${CREDENTIAL}.`,
  );
}
