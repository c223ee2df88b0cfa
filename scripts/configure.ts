#!/usr/bin/env -S deno run --allow-run=setpriv --allow-read --allow-write --allow-env
/**
 * Writes the configuration of the servers that serve the storage in production: nginx, vsftpd, the rsync
 * daemon, and TLS in front of it. The templates in server/ say what each line is for.
 *
 *     configure [--out DIR] [--diff] [--dry-run] [--force]
 */
import { dirname, fromFileUrl, join, resolve } from "@std/path/posix";
import { advice, ftpAdvice } from "./configure/advice.ts";
import { findNginx, type Nginx, UNKNOWN_NGINX } from "./configure/host.ts";
import { compare, diff, write } from "./configure/output.ts";
import { renderAll } from "./configure/render.ts";
import type { Site } from "./configure/values.ts";
import { command, type CommandSpec, EXIT, Failure, UsageError } from "./lib/cli.ts";
import { type Config, loadConfig } from "./lib/config.ts";
import { exists, readText } from "./lib/files.ts";
import { alignModules } from "./lib/gate.ts";
import { type Run, run as realRun } from "./lib/run.ts";

const SPEC: CommandSpec = {
  name: "configure",
  summary: "write the configuration of nginx, vsftpd, the rsync daemon and TLS in front of it",
  operands: "",
  options: {
    out: { value: "DIR", help: "where to write (default: etc beside mirror.toml)" },
    diff: { help: "print what would change, and write nothing" },
    "dry-run": { help: "say which files would be written, and write nothing" },
    force: { help: "replace files that were edited by hand, too; a copy is kept" },
    prefix: { value: "DIR", help: "what stands before /run and /var in them (default: nothing)" },
  },
  examples: [
    [
      "deno task configure --out /etc/mirrorkit",
      "write everything, and say what to install and open",
    ],
    ["deno task configure --out /etc/mirrorkit --diff", "what would change"],
  ],
};

const PLAIN = ["The web page is not built, so browsers get the plain listings: deno task build"];

/** The command; gives its exit code. */
export function main(args: string[], run: Run = realRun): Promise<number> {
  return command(SPEC, args, async ({ values, switches, log }) => {
    const config = await loadConfig({ values });
    const out = resolve(values.out ?? join(dirname(config.file), "etc"));
    const nginx = await findNginx(run);
    const site = await siteOf(config, out, nginx, values.prefix ?? "");
    const files = await renderAll(config, site);
    if (nginx) await tryOut(config, site, run);
    const changes = await compare(out, files);
    if (switches.has("diff")) {
      console.log((await diff(out, files, changes, run)).trimEnd());
      return EXIT.done;
    }
    const names = (kind: string) => [...changes].filter(([, c]) => c === kind).map(([n]) => n);
    const edited = names("edited"), dry = switches.has("dry-run");
    if (edited.length && !switches.has("force") && !dry) {
      throw new Failure(
        `Edited by hand in ${out}: ${edited.join(", ")}. Nothing was written.`,
        "See what would change with --diff. --force replaces them and keeps copies beside them.",
      );
    }
    const kept = dry ? [] : await write(out, files, changes);
    if (!dry) await alignModules(config);
    for (const name of [...names("new"), ...names("changed"), ...edited]) {
      log.detail(`${dry ? "would write" : "wrote"} ${join(out, name)} (${changes.get(name)})`);
    }
    const count = changes.size - names("same").length, s = count === 1 ? "" : "s";
    log.info(
      count
        ? `${out}: ${count} file${s} ${dry ? "would be " : ""}written, the rest is as it should be`
        : `${out}: all is as it should be`,
    );
    if (nginx) log.info(`nginx ${nginx.version.join(".")} takes it (nginx -t)`);
    for (const path of kept) log.warn(`The edited one is kept as ${path}`);
    const lines = [
      ...advice(config, site, nginx !== undefined),
      ...(await exists(site.web) ? [] : PLAIN),
      ...ftpAdvice(site, files.get("vsftpd.hosts"), await readText("/etc/hosts.allow")),
    ];
    for (const line of lines) log.info(line);
    if (switches.has("json")) {
      console.log(JSON.stringify({ out, files: Object.fromEntries(changes), kept, advice: lines }));
    }
    return EXIT.done;
  });
}

async function siteOf(
  config: Config,
  out: string,
  nginx: Nginx | undefined,
  prefix: string,
): Promise<Site> {
  const { certificate, certificate_key: key } = config.server.nginx;
  if ((certificate === undefined) !== (key === undefined)) {
    throw new UsageError(
      `${config.file}: server.nginx.certificate and certificate_key are needed together.`,
    );
  }
  const [certified, keyed] = await Promise.all([certificate, key].map(isThere));
  if (certified !== keyed) {
    const [there, missing] = certified ? [certificate, key] : [key, certificate];
    throw new Failure(
      `There is ${there}, but no ${missing}. Nothing was written.`,
      "Without both there is no TLS: correct server.nginx.certificate and certificate_key.",
    );
  }
  const web = fromFileUrl(new URL("../web/dist", import.meta.url));
  return { out, web, prefix, nginx: nginx ?? UNKNOWN_NGINX, certified };
}

/** True if a file of the certificate can be found. Debian's /etc/letsencrypt is root's alone. */
async function isThere(path: string | undefined): Promise<boolean> {
  try {
    return path !== undefined && await exists(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    throw new Failure(
      `Cannot look for ${path}: permission denied. Nothing was written.`,
      "Run this as a user who may read it.",
    );
  }
}

/** `nginx -t` on the same configuration, with everything it would write or bind in a temporary folder. */
async function tryOut(config: Config, site: Site, run: Run) {
  const scratch = await Deno.makeTempDir({ prefix: "mirrorkit-" });
  try {
    for (const dir of ["run", "var/log/nginx", "var/lib/nginx"]) {
      await Deno.mkdir(join(scratch, dir), { recursive: true });
    }
    const listens = (port: number) => [`unix:${scratch}/${port}.sock`];
    const nginx = { ...site.nginx, http3: false };
    const trial = { ...site, nginx, out: scratch, prefix: scratch, listens };
    const text = (await renderAll(config, trial)).get("nginx.conf")!;
    await Deno.writeTextFile(join(scratch, "nginx.conf"), text);
    const args = ["-t", "-q", "-e", "stderr", "-c", join(scratch, "nginx.conf")];
    const { code, stderr } = await run({ command: "nginx", args });
    if (code === 0) return;
    const said = stderr.trim().replaceAll(scratch, "");
    throw new Failure(
      `nginx does not take the configuration: ${said}`,
      /Permission denied/.test(said)
        ? "Run this as a user who may read the certificate's key."
        : "Line numbers are those of nginx.conf; --diff prints it. Nothing was written.",
    );
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
