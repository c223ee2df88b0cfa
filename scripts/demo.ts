#!/usr/bin/env -S deno run -A
/**
 * A mirror to watch: a small upstream made on this machine, the first sync over a real rsync daemon, the
 * listings, the embedded server, and then an update upstream every so often.
 *
 *     deno task demo [--once] [--port N] [--interval "15 s"]
 */
import { parseDuration } from "../formats/units.ts";
import { command, type CommandSpec, EXIT, UsageError } from "./lib/cli.ts";
import { checkChain } from "./demo/check.ts";
import { Demo } from "./demo/mirror.ts";
import { freePort } from "./demo/rsyncd.ts";

const SPEC: CommandSpec = {
  name: "demo",
  summary: "watch a mirror sync, update and serve, all on this machine",
  operands: "",
  options: {
    once: { help: "run the whole chain once, check it, and exit 0 or 1" },
    port: { value: "N", help: "port of the mirror (default: 8080, or a free one)" },
    interval: { value: "TIME", help: 'time between updates upstream (default: "15 s")' },
  },
  examples: [
    ["deno task demo", "then open the printed address; Ctrl-C ends it and removes everything"],
    ["deno task demo --once", "check that everything works on this machine"],
  ],
};

/** What there is to try, for people. */
function invitation(demo: Demo): string {
  const { url } = demo, repo = `${url}archlinux/`;
  return `
The mirror is up:  ${url}

Try, in another terminal or in a browser:
  curl -s ${repo}                                  a listing, as HTML
  curl -s -H 'Accept: application/json' ${repo}    as JSON
  curl -s '${repo}core/os/x86_64/?format=text'     as text
  curl -s ${url}status.json                        how the syncs went
  curl -sN ${url}sse                               what passes this machine's loopback, live
  lynx ${repo}                                     for terminals (or w3m, links)
  rsync ${demo.upstreamUrl}                        the upstream that it mirrors
Its storage: ${demo.data}

An update is made upstream every so often. Ctrl-C ends the demo and removes all of it.
`;
}

/** The command; gives its exit code. */
export function main(args: string[]): Promise<number> {
  return command(SPEC, args, async ({ values, switches, log }) => {
    const interval = readInterval(values.interval);
    const once = switches.has("once");
    const port = await choosePort(values.port, once);
    const stopped = stopSignal();
    const started = Date.now();
    const demo = await Demo.start(port, log);
    try {
      log.info("3. The first sync, then the listings …");
      await demo.sync("--init");
      if (once) {
        const good = await checkChain(demo, log);
        log.info(
          `${good ? "All good" : "Something failed"} after ${
            Math.round((Date.now() - started) / 1000)
          } s.`,
        );
        return good ? EXIT.done : EXIT.failed;
      }
      log.info(invitation(demo));
      for (let n = 0; !await waited(interval, stopped); n++) {
        log.info(`\nUpstream: a new release, ${await demo.upstream.update(n)}`);
        await demo.sync();
      }
      log.info("\nEnding; removing everything …");
      return EXIT.done;
    } finally {
      await demo.stop();
    }
  });
}

function readInterval(text = "15 s"): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function choosePort(text: string | undefined, once: boolean): Promise<number> {
  if (text === undefined) return once ? 0 : await freePort(8080);
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) {
    throw new UsageError(`--port ${text} is not allowed; allowed is a number from 0 to 65535.`);
  }
  return Number(text);
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(name, () => resolve());
    }
  });
}

/** Waits; true if the end came first. */
async function waited(seconds: number, stopped: Promise<void>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout>;
  const time = new Promise<false>((resolve) => timer = setTimeout(resolve, seconds * 1000, false));
  return await Promise.race([time, stopped.then(() => true)]).finally(() => clearTimeout(timer));
}

if (import.meta.main) Deno.exit(await main(Deno.args));
