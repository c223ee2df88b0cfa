/** Real daemons for tests: on free loopback ports, with everything in a temporary folder, ended by process. */
import { join } from "@std/path/posix";
import { findNginx, UNKNOWN_NGINX } from "../../scripts/configure/host.ts";
import { renderAll } from "../../scripts/configure/render.ts";
import type { Site } from "../../scripts/configure/values.ts";
import { freePort } from "../../scripts/demo/rsyncd.ts";
import type { Config } from "../../scripts/lib/config.ts";
import { run, tied } from "../../scripts/lib/run.ts";

/** A daemon at work. */
export interface Daemon extends AsyncDisposable {
  pid: number;
  kill(signal: Deno.Signal): void;
}

/** Starts a program that stays, and waits until `ready`. */
export async function startDaemon(
  command: string,
  args: string[],
  ready: () => Promise<boolean>,
): Promise<Daemon> {
  const program = tied({ command, args });
  const child = new Deno.Command(program.command, {
    args: program.args,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const said = new Response(child.stderr).text();
  let ended = false;
  void child.status.then(() => ended = true);
  const stop = async () => {
    if (!ended) child.kill("SIGTERM");
    await child.status;
    await said;
  };
  for (let tries = 0; tries < 200 && !ended; tries++) {
    if (await ready()) {
      return {
        pid: child.pid,
        kill: (signal) => child.kill(signal),
        [Symbol.asyncDispose]: stop,
      };
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  await stop();
  throw new Error(`${command} did not start: ${await said}`);
}

/** True if somebody listens on a port of this machine. */
export async function listens(port: number, hostname = "127.0.0.1"): Promise<boolean> {
  try {
    (await Deno.connect({ hostname, port })).close();
    return true;
  } catch {
    return false;
  }
}

/** Writes the configuration of all servers for a node to `dir`/etc, and the folders they need. */
export async function writeServers(config: Config, dir: string, web: string): Promise<Site> {
  const nginx = await findNginx(run) ?? UNKNOWN_NGINX;
  const certified = config.server.nginx.certificate !== undefined;
  const site = { out: join(dir, "etc"), web, prefix: dir, nginx, certified };
  const folders = ["run/vsftpd/empty", "var/log/nginx", "var/lib/nginx", "etc/error", "etc/home"];
  for (const folder of folders) await Deno.mkdir(join(dir, folder), { recursive: true });
  for (const [name, text] of await renderAll(config, site)) {
    await Deno.mkdir(join(site.out, name, ".."), { recursive: true });
    await Deno.writeTextFile(join(site.out, name), text);
  }
  return site;
}

/** Starts nginx with what {@linkcode writeServers} wrote. */
export function startNginx(site: Site, config: Config): Promise<Daemon> {
  const args = ["-e", "stderr", "-c", `${site.out}/nginx.conf`, "-g", "daemon off;"];
  return startDaemon("nginx", args, () => listens(config.server.nginx.port));
}

/** Starts the rsync daemon with what {@linkcode writeServers} wrote. */
export function startRsyncd(site: Site, config: Config): Promise<Daemon> {
  const { port, addresses: [address] } = config.server.rsync;
  const args = ["--daemon", "--no-detach", `--config=${site.out}/rsyncd.conf`];
  return startDaemon("rsync", args, () => listens(port, address));
}

/** Starts vsftpd with what {@linkcode writeServers} wrote; it has to be root. */
export function startVsftpd(site: Site, config: Config): Promise<Daemon> {
  const { port, addresses: [address] } = config.server.ftp;
  return startDaemon("vsftpd", [`${site.out}/vsftpd.conf`], () => listens(port, address));
}

/** Addresses, ports and folders of this test alone, for all servers. */
export function forTest(config: Config, dir: string): Config & { server: { socket: string } } {
  const own: Config = structuredClone(config), { server } = own;
  for (const one of [server.nginx, server.rsync, server.ftp]) one.addresses = ["127.0.0.1"];
  for (const one of [server.nginx, server.rsync, server.ftp]) one.port = freePort();
  server.rsync.tls_port = freePort();
  server.nginx.tls_port = freePort();
  const socket = join(dir, "server.sock");
  own.statcat.port = freePort();
  own.statcat.logs = {
    nginx: join(dir, "var/log/nginx/mirror.log"),
    rsync: join(dir, "var/log/mirrorkit-rsync.log"),
    ftp: join(dir, "var/log/vsftpd.log"),
  };
  server.nginx.acme = join(dir, "acme");
  const from = Math.min(freePort(), 65_000);
  server.ftp.passive_ports = [from, from + 500];
  return { ...own, server: { ...server, socket } };
}
