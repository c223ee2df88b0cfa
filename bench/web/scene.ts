/** What the page is measured on: directories of several sizes, the embedded server, and a browser. */
import { dirname, fromFileUrl, join } from "@std/path/posix";
import { type Browser, chromium } from "playwright-core";
import { compareEntries, type Entry, renderJson } from "../../formats/listing.ts";
import { freePort } from "../../scripts/demo/rsyncd.ts";
import { denoCommand } from "../../scripts/lib/children.ts";
import { Line } from "./line.ts";
import { type Server, start } from "../servers/node.ts";

export interface Scene {
  server: Server;
  browser: Browser;
  url: string;
  /** The same at 2 MB/s. */
  line: Line;
  /** Bytes of a directory's index.json, decoded. */
  bytes: Map<number, number>;
  stop(): Promise<void>;
}

const entry = (i: number): Entry => ({
  name: `package-${i * 7919 % 300_007}-${i % 9}.${i % 31}-1-x86_64.pkg.tar.zst`,
  bytes: i * 104_729 % 90_000_000,
  mtime: 1_795_000_000 - i * 61,
});

/** Writes the listing of `/arch/SIZE/`; gives the length of its JSON. */
async function put(data: string, size: number): Promise<number> {
  const entries = Array.from({ length: size }, (_, i) => entry(i)).sort(compareEntries);
  const head = { path: `/arch/${size}/`, bytes: 1e9, mtime: 1_795_000_000, files: size, dirs: 0 };
  const text = renderJson({ v: 1, ...head, entries });
  const path = join(data, `indexes/arch/${size}/index.json`);
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.mkdir(join(data, `static/arch/${size}`), { recursive: true });
  await Deno.writeTextFile(path, text);
  const zipped = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  await Deno.writeFile(`${path}.gz`, zipped);
  return new Blob([text]).size;
}

/** Starts everything in `dir`. */
export async function startScene(dir: string, sizes: number[]): Promise<Scene> {
  const data = join(dir, "data"), file = join(dir, "mirror.toml"), port = freePort();
  const bytes = new Map<number, number>();
  for (const size of sizes) bytes.set(size, await put(data, size));
  await Deno.mkdir(join(data, "state"), { recursive: true });
  await Deno.writeTextFile(join(data, "state/arch.ready"), "");
  await Deno.writeTextFile(
    file,
    `[site]\nname = "bench"\n[server]\nport = ${port}\n` +
      `[[repo]]\nname = "arch"\nprofile = "generic"\nupstream = ["/srv/x/"]\n`,
  );
  const build = fromFileUrl(new URL("../../web/build.ts", import.meta.url));
  const { success } = await new Deno.Command(Deno.execPath(), { args: ["run", "-A", build] })
    .output();
  if (!success) throw new Error("the page cannot be built");
  const [deno, ...args] = denoCommand("server/main.ts", ["-q", "--config", file, "--data", data]);
  const server = await start("embedded", deno, args, port);
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
  });
  const line = new Line(port, 2_000_000);
  const stop = async () => {
    await browser.close();
    line.close();
    await server.stop();
  };
  return { server, browser, url: `http://127.0.0.1:${port}`, line, bytes, stop };
}
