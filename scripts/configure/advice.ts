/** What an operator has to do beside: packages, ports, and the commands that start the servers. Pure. */
import { SOCKET } from "../lib/servers.ts";
import type { Config } from "../lib/config.ts";
import type { Site } from "./values.ts";

/** The rules of a file such as /etc/hosts.allow. */
const rulesOf = (text: string) =>
  text.split("\n").filter((line) => /^[^#\s]/.test(line)).join("\n");

/** Whom FTP lets in, where /etc/hosts.allow does not begin with `hosts`, the lines that say it. */
export function ftpAdvice(site: Site, hosts: string | undefined, there = ""): string[] {
  if (hosts === undefined || rulesOf(there).startsWith(rulesOf(hosts))) return [];
  return [
    `FTP minds allow and deny once the lines of ${site.out}/vsftpd.hosts stand at the top of /etc/hosts.allow,`,
    "       which they do not yet.",
  ];
}

/** Lines to print. */
export function advice(config: Config, site: Site, nginxFound: boolean): string[] {
  const { nginx, rsync, ftp } = config.server, { out, certified } = site;
  const tls = certified && nginx.tls_port > 0;
  const front = certified && rsync.tls !== "off";
  const packages = ["nginx", "rsync", "vsftpd"];
  if (front && rsync.tls === "nginx") packages.push("libnginx-mod-stream");
  if (front && rsync.tls === "stunnel") packages.push("stunnel4");
  const tcp = [
    ...(nginx.port ? [nginx.port] : []),
    ...(tls ? [nginx.tls_port] : []),
    rsync.port,
    ...(front ? [rsync.tls_port] : []),
    ftp.port,
    ftp.passive_ports.join("-"),
  ];
  const lines = [
    `Install (Debian's names): ${packages.join(" ")}`,
    `Open: TCP ${tcp.join(", ")}${tls && site.nginx.http3 ? `; UDP ${nginx.tls_port}` : ""}`,
    `Start: nginx -c ${out}/nginx.conf`,
    `       rsync --daemon --no-detach --config=${out}/rsyncd.conf` +
    (rsync.rate ? ` --bwlimit=${Math.max(1, Math.round(rsync.rate / 1024))}` : ""),
    // Debian makes that folder when it starts its own vsftpd, and /run is empty after each boot.
    `       mkdir -p ${site.prefix}/run/vsftpd/empty && vsftpd ${out}/vsftpd.conf`,
  ];
  if (front && rsync.tls === "stunnel") lines.push(`       stunnel ${out}/stunnel.conf`);
  const live = config.statcat.hub ? ", statcat hub, statcat spoke" : "";
  lines.push(
    `       deno task start (syncs, listings, /status.json, /healthz${live}) or the units`,
  );
  lines.push(`Keep logs small: cp ${out}/logrotate.conf /etc/logrotate.d/mirrorkit`);
  if (!config.server.socket) {
    lines.push(`Set in mirror.toml, below [server]: socket = "${SOCKET}"`);
    lines.push("       (the embedded server then listens for nginx there, not at a port)");
  }
  if (!nginxFound) {
    lines.push("There is no nginx here: nginx.conf is for Debian 12's and was not tried.");
  } else if (front && rsync.tls === "nginx" && site.nginx.stream === "missing") {
    lines.push(
      "This nginx has no stream module, so there is no rsync over TLS: install it " +
        '(libnginx-mod-stream) or set server.rsync.tls = "stunnel", and run this again.',
    );
  }
  if (nginxFound && tls && !site.nginx.http3) {
    lines.push(`No HTTP/3: this nginx ${site.nginx.version.join(".")} was built without it.`);
  }
  if (!certified && nginx.tls_port > 0) {
    lines.push(
      nginx.certificate
        ? `There is no ${nginx.certificate} yet, so there is no TLS yet. With nginx running: ` +
          `certbot certonly --webroot -w ${nginx.acme} -d ${config.site.name}; then run this again.`
        : "No TLS: server.nginx.certificate and certificate_key are not set.",
    );
  }
  return lines;
}
