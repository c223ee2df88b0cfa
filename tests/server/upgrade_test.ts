/** Upgrades under load: clients list and download while everything is replaced, and none of them notices. */
import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path/posix";
import { forTest, listens, startNginx, writeServers } from "../helpers/daemons.ts";
import { denoCommand } from "../../scripts/lib/children.ts";
import { ask, requestText } from "../helpers/raw_http.ts";
import { output } from "../helpers/serving.ts";
import { makeNode } from "./fixture.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const BROWSER = {
  accept: "text/html,*/*;q=0.8",
  "user-agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0",
};

/** A program of ours that serves on a socket, as a process of its own, from the folder `home`. */
async function startDeno(node: { data: string }, socket: string, home: string) {
  const [command, ...args] = denoCommand("server/main.ts", ["--socket", socket, "-q"])
    .map((arg) => arg.replace(ROOT, home));
  const child = new Deno.Command(command, {
    args: args.toSpliced(args.indexOf("--allow-net"), 0, `--allow-write=${node.data}`),
    env: { MIRROR_CONFIG: join(node.data, "mirror.toml"), MIRROR_DATA: node.data, NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  for (let i = 0; i < 200; i++) {
    const up = await Deno.connect({ transport: "unix", path: socket }).then(
      (connection) => (connection.close(), true),
      () => false,
    );
    if (up) break;
    await sleep(25);
  }
  return {
    async stop() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

/** Our sources in a folder of their own, where a test may change the page. */
async function copySources(to: string) {
  await Deno.mkdir(to);
  const names = ["web", "formats", "server", "scripts", "deno.json", "deno.lock"];
  await output("cp", ["-r", ...names.map((name) => join(ROOT, name)), to]);
  await Deno.remove(join(to, "web/dist"), { recursive: true }).catch(() => {});
  await Deno.symlink(join(ROOT, "node_modules"), join(to, "node_modules"));
  const build = async (colour: string) => {
    await Deno.writeTextFile(join(to, "web/page.css"), `body { color: ${colour} }\n`);
    const args = ["run", "-A", "--no-check", "-q", `--config=${ROOT}deno.json`];
    await output(Deno.execPath(), [...args, join(to, "web/build.ts")]);
  };
  return { home: `${to}/`, dist: join(to, "web/dist"), build };
}

Deno.test("upgrade: reload, restart and a new page under load, and no failed request", async () => {
  await using stack = new AsyncDisposableStack();
  const node = stack.use(await makeNode({ arch: "/arch/" }));
  await Deno.chmod(node.data, 0o755);
  await Deno.writeTextFile(
    join(node.data, "mirror.toml"),
    `[site]\nname = "m"\n[[repo]]\nname = "arch"\nprofile = "generic"\nupstream = ["/srv/x/"]\n`,
  );
  const big = new Uint8Array(3_000_000).map((_, i) => i * 7 + (i >> 8));
  await node.write("arch/big.iso", big);
  await node.write("arch/core.db", "database");
  await node.list("/arch/");
  await node.ready("arch");
  const web = await copySources(join(node.data, "page"));
  await web.build("red");
  const config = forTest(node.config, node.data), { socket } = config.server;
  let deno = await startDeno(node, socket, web.home);
  stack.defer(() => deno.stop());
  const nginx = stack.use(
    await startNginx(await writeServers(config, node.data, web.dist), config),
  );
  const { port } = config.server.nginx;
  assert(await listens(port));

  const failed: string[] = [];
  let done = false, requests = 0;
  const get = async (
    path: string,
    headers: Record<string, string>,
    right: (b: Uint8Array) => boolean,
  ) => {
    const { status, body } = await ask(port, requestText(path, headers));
    requests++;
    if (status !== 200 || !right(body)) failed.push(`${path} ${status} ${body.length} bytes`);
    return new TextDecoder().decode(body);
  };
  const includes = (text: string) => (body: Uint8Array) =>
    new TextDecoder().decode(body).includes(text);
  const clients: (() => Promise<unknown>)[] = [
    () => get("/arch/big.iso", {}, (body) => body.length === big.length),
    () => get("/arch/core.db", {}, includes("database")),
    () => get("/arch/", {}, includes("core.db")),
    () => get("/arch/?format=json", {}, includes('"core.db"')),
    () => get("/arch/?format=text", {}, includes("core.db")),
    () => get("/", {}, includes("arch/")),
    async () => {
      const page = await get("/arch/", BROWSER, includes("<script"));
      for (const [asset] of page.matchAll(/\/\.mirrorkit\/assets\/[\w.-]+/g)) {
        await sleep(30); // the page may be replaced just now
        await get(asset, {}, (body) => body.length > 0);
      }
    },
  ];
  const loops = clients.map(async (client) => {
    while (!done) await client();
  });
  const upTo = async (more: number) => {
    const wanted = requests + more;
    for (let i = 0; requests < wanted && i < 400; i++) await sleep(25);
  };
  const steps: [string, () => Promise<unknown>][] = [
    ["nginx reload", () => reload(nginx.pid)],
    ["nginx reload again", () => reload(nginx.pid)],
    ["a second Deno server takes over", async () => {
      const old = deno;
      deno = await startDenoBeside(node, socket, web.home);
      await old.stop();
    }],
    ["the Deno server stops, and starts", async () => {
      await deno.stop();
      await upTo(100);
      deno = await startDeno(node, socket, web.home);
    }],
    ["a new page", () => web.build("green")],
    ["the same page", () => web.build("green")],
  ];
  for (const [name, step] of steps) {
    await step();
    await upTo(100);
    assertEquals(failed, [], name);
  }
  done = true;
  await Promise.all(loops);
  assertEquals(failed, []);
  assert(requests > 600, `${requests} requests`);
});

/** Has an nginx read its configuration anew, and waits until its workers are others. */
async function reload(pid: number) {
  const workers = async () =>
    (await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`)).trim().split(" ");
  const before = await workers();
  Deno.kill(pid, "SIGHUP");
  const replaced = async () => (await workers()).every((worker) => !before.includes(worker));
  for (let i = 0; i < 200; i++) {
    if (await replaced()) return;
    await sleep(25);
  }
  throw new Error("nginx kept its old workers");
}

/** Starts a second server, and waits until the socket is its own. */
async function startDenoBeside(node: { data: string }, socket: string, home: string) {
  const { ino } = await Deno.lstat(socket);
  const next = await startDeno(node, socket, home);
  for (let i = 0; i < 200 && (await Deno.lstat(socket)).ino === ino; i++) await sleep(25);
  return next;
}
