/** What is measured: a storage with files and a long listing, our nginx, a bare one, the embedded server. */
import { basename, dirname, fromFileUrl, join } from "@std/path/posix";
import { renderJson } from "../../formats/listing.ts";
import { renderHtml } from "../../formats/listing_html.ts";
import { freePort } from "../../scripts/demo/rsyncd.ts";
import { findNginx, UNKNOWN_NGINX } from "../../scripts/configure/host.ts";
import { renderAll } from "../../scripts/configure/render.ts";
import { denoCommand } from "../../scripts/lib/children.ts";
import { readConfig } from "../../scripts/lib/config.ts";
import { run, tied } from "../../scripts/lib/run.ts";

/** A server at work. */
export interface Server {
  name: string;
  port: number;
  /** Seconds of CPU that it has used. */
  cpuSeconds(): number;
  rssBytes(): number;
  stop(): Promise<void>;
}

/** All of them over one storage. */
export interface Scene {
  ours: Server;
  bare: Server;
  embedded: Server;
  stop(): Promise<void>;
}

/** The kernel's unit of time in /proc/PID/stat: 100 a second on every Linux that Deno runs on. */
const TICKS = 100;
export const ROWS = 30_000;

/**
 * What mirrors are asked for, in the sizes and as deep as Arch has it: a marker, databases behind links, a
 * package, an image. A file of 1 KiB shows what a request costs.
 */
const SIZES: [string, number][] = [
  ["lastupdate", 11],
  ["core/os/x86_64/core.db.tar.gz", 133_120],
  ["extra/os/x86_64/extra.db.tar.gz", 8_388_608],
  ["1k.pkg.tar.zst", 1024],
  ["100k.pkg.tar.zst", 102_400],
  ["100m.iso", 104_857_600],
];

const children = (pid: number) =>
  Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).trim().split(" ").filter(Boolean);

export async function start(
  name: string,
  command: string,
  args: string[],
  port: number,
): Promise<Server> {
  const program = tied({ command, args });
  const child = new Deno.Command(program.command, {
    args: program.args,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  for (let i = 0;; i++) {
    const up = await Deno.connect({ hostname: "127.0.0.1", port }).then(
      (connection) => (connection.close(), true),
      () => false,
    );
    if (up) break;
    if (i === 200) throw new Error(`${name} did not start`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const pids = () => [String(child.pid), ...children(child.pid)];
  const sum = (read: (pid: string) => number) => pids().reduce((all, pid) => all + read(pid), 0);
  return {
    name,
    port,
    cpuSeconds: () =>
      sum((pid) => {
        const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/.*\) /, "").split(" ");
        return (Number(fields[11]) + Number(fields[12])) / TICKS;
      }),
    rssBytes: () =>
      sum((pid) =>
        Number(/VmRSS:\s*(\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1]) * 1024
      ),
    async stop() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

async function put(path: string, content: string | Uint8Array<ArrayBuffer>) {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeFile(
    path,
    typeof content === "string" ? new TextEncoder().encode(content) : content,
  );
}

/** Files of several sizes, and the listing of a directory with 30,000 packages. */
async function fill(data: string) {
  // The second one looks as if a sync were at work in it.
  for (const repo of ["arch", "busy"]) {
    const tree = join(data, "static", repo);
    for (const [name, size] of SIZES) {
      await put(join(tree, name), new Uint8Array(size).fill(size % 251));
      if (name.endsWith(".db.tar.gz")) {
        await Deno.symlink(basename(name), join(tree, name.replace(".tar.gz", "")));
      }
    }
    await put(join(data, `state/${repo}.ready`), "");
  }
  await Deno.mkdir(join(data, "static/busy/.~tmp~"));
  const entries = Array.from({ length: ROWS }, (_, i) => ({
    name: `package-${i * 7919 % 100_003}-${i % 9}.${i % 31}-1-x86_64.pkg.tar.zst`,
    bytes: i * 104_729 % 90_000_000,
    mtime: 1_795_000_000 - i * 61,
  }));
  const head = {
    v: 1 as const,
    path: "/arch/",
    bytes: 1e9,
    mtime: 1_795_000_000,
    files: ROWS,
    dirs: 0,
  };
  for (const [kind, render] of [["html", renderHtml], ["json", renderJson]] as const) {
    const text = render({ ...head, entries }), path = join(data, `indexes/arch/index.${kind}`);
    await put(path, text);
    const zipped = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
    await put(`${path}.gz`, await new Response(zipped).bytes());
  }
}

/** An nginx as one writes it in a minute: the same files, the same kind of log, compression on the fly. */
const bareConfig = (dir: string, port: number) =>
  `user www-data;\nworker_processes 1;\npid ${dir}/run/bare.pid;\nerror_log /dev/null crit;\n` +
  `events { worker_connections 8192; }\nhttp {\n  sendfile on;\n  tcp_nopush on;\n` +
  `  access_log ${dir}/var/log/nginx/bare.log combined buffer=64k flush=10s;\n` +
  `  types { text/html html; application/json json; }\n` +
  ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) =>
    `  ${kind}_temp_path ${dir}/var/lib/nginx/bare-${kind};\n`
  ).join("") +
  `  server {\n    listen 127.0.0.1:${port};\n    root ${dir}/data/static;\n` +
  `    location /arch/index. { root ${dir}/data/indexes; gzip on; gzip_types application/json; }\n  }\n}\n`;

/** Starts everything in `dir`, each nginx with one worker. */
export async function startScene(dir: string): Promise<Scene> {
  await Deno.chmod(dir, 0o755);
  const data = join(dir, "data"), file = join(dir, "mirror.toml");
  await fill(data);
  for (const folder of ["run", "var/log/nginx", "var/lib/nginx"]) {
    await Deno.mkdir(join(dir, folder), { recursive: true });
  }
  const port = freePort(), barePort = freePort(), denoPort = freePort();
  await Deno.writeTextFile(
    file,
    `[site]\nname = "bench"\n[server]\nport = ${denoPort}\nsocket = "${dir}/none.sock"\n` +
      `[server.nginx]\naddresses = ["127.0.0.1"]\nport = ${port}\n` +
      ["arch", "busy"].map((name) =>
        `[[repo]]\nname = "${name}"\nprofile = "generic"\nupstream = ["/srv/x/"]\n`
      ).join(""),
  );
  const config = readConfig(await Deno.readTextFile(file), file, data);
  const web = fromFileUrl(new URL("../../web/dist", import.meta.url));
  const nginx = await findNginx(run) ?? UNKNOWN_NGINX, out = join(dir, "etc");
  for (
    const [name, text] of await renderAll(config, {
      out,
      web,
      prefix: dir,
      nginx,
      certified: false,
    })
  ) {
    await put(join(out, name), text.replace("worker_processes auto;", "worker_processes 1;"));
  }
  await put(join(dir, "bare.conf"), bareConfig(dir, barePort));
  const args = (conf: string) => ["-e", "/dev/null", "-c", conf, "-g", "daemon off;"];
  const ours = await start("nginx, ours", "nginx", args(join(out, "nginx.conf")), port);
  const bare = await start("nginx, bare", "nginx", args(join(dir, "bare.conf")), barePort);
  const [deno, ...rest] = denoCommand("server/main.ts", [
    ...["-q", "--config", file, "--data", data],
    // mirror.toml names a socket for nginx; this one is asked at a port.
    ...["--port", String(denoPort)],
  ]);
  const embedded = await start("embedded", deno, rest, denoPort);
  const stop = async () => {
    for (const server of [ours, bare, embedded]) await server.stop();
  };
  return { ours, bare, embedded, stop };
}
