/**
 * How fast the listing page is in a real browser, against an empty directory and a bare `fetch`, with many
 * entries, locally and at 2 MB/s. Medians of interleaved rounds.
 *
 *     deno task bench web [--quick]
 */
import type { Browser } from "playwright-core";
import { median, table } from "./measure.ts";
import { bareFetch, ELEMENTS, LOADED, PROBE, SCROLL, TRANSFERRED, WORK } from "./web/probe.ts";
import { type Scene, startScene } from "./web/scene.ts";
import { Tab } from "./web/tab.ts";

const MB = 1e6;

const ROUNDS = 9;

/** What one visit of a directory showed. Times in milliseconds from the navigation on. */
interface Visit {
  paint: number;
  row: number;
  done: number;
  blocked: number;
  longest: number;
  elements: number;
  heap: number;
  memory: number;
  /** Main-thread time in seconds. */
  busy: number;
}

/**
 * Memory of our page's renderer: the largest but for that of the browser's own window. It is the private
 * footprint that Chromium's task manager shows: neither the browser's code, which the kernel can drop, nor
 * what was painted, which lies with the GPU where there is one.
 */
async function rendererBytes(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const ours = processInfo.filter(({ type, id }) =>
    type === "renderer" &&
    !Deno.readTextFileSync(`/proc/${id}/cmdline`).includes("--top-chrome-webui")
  );
  const sizes = ours.map(({ id }) => {
    const status = Deno.readTextFileSync(`/proc/${id}/status`);
    const field = (name: string) => Number(new RegExp(`${name}:\\s*(\\d+)`).exec(status)![1]);
    return (field("RssAnon") + field("VmSwap")) * 1024;
  });
  return Math.max(...sizes);
}

async function fresh<T>({ browser }: Scene, body: (tab: Tab) => Promise<T>): Promise<T> {
  const tab = await Tab.open(browser);
  try {
    return await body(tab);
  } finally {
    await tab.close();
  }
}

async function open(scene: Scene, tab: Tab, size: number, slow = false) {
  await tab.early(PROBE);
  await tab.goto(`${slow ? scene.line.url : scene.url}/arch/${size}/`);
  await tab.evaluate("ended");
  await new Promise((r) => setTimeout(r, 300));
}

function visit(scene: Scene, size: number, slow = false): Promise<Visit> {
  return fresh(scene, async (tab) => {
    await tab.send("Performance.enable");
    await open(scene, tab, size, slow);
    const { metrics } = await tab.send<{ metrics: { name: string; value: number }[] }>(
      "Performance.getMetrics",
    );
    const { row, done, tasks } = await tab.evaluate<
      { row: number; done: number; tasks: number[] }
    >("probe");
    const paint = await tab.evaluate<number>(
      "performance.getEntriesByName('first-paint')[0].startTime",
    );
    await tab.send("HeapProfiler.collectGarbage");
    const { usedSize } = await tab.send<{ usedSize: number }>("Runtime.getHeapUsage");
    return {
      paint,
      row,
      done,
      blocked: tasks.reduce((sum, ms) => sum + Math.max(0, ms - 50), 0),
      longest: Math.max(0, ...tasks),
      elements: await tab.evaluate<number>(ELEMENTS),
      heap: usedSize,
      memory: await rendererBytes(scene.browser),
      busy: metrics.find(({ name }) => name === "TaskDuration")!.value,
    };
  });
}

/** A page that does nothing but fetch a listing's body and read it to its end, from its navigation on. */
function bare(scene: Scene, size: number): Promise<number> {
  return fresh(scene, async (tab) => {
    await tab.early(bareFetch(`${scene.url}/arch/${size}/?format=json`));
    await tab.goto(`${scene.url}/arch/0/?format=text`);
    return await tab.evaluate<number>("bare");
  });
}

interface Measured {
  size: number;
  visits: Visit[];
  slow: Visit[];
  bare: number[];
}

async function measureAll(scene: Scene, sizes: number[], rounds: number): Promise<Measured[]> {
  const all = sizes.map((size): Measured => ({ size, visits: [], slow: [], bare: [] }));
  // What server and browser do only once, they do now.
  for (const size of sizes) await visit(scene, size);
  for (let round = 0; round < rounds; round++) {
    // Forth and back, so that nobody always goes first.
    for (const measured of round % 2 ? all.toReversed() : all) {
      measured.visits.push(await visit(scene, measured.size));
      measured.bare.push(await bare(scene, measured.size));
      if (measured.size > 0 && round < 3) {
        measured.slow.push(await visit(scene, measured.size, true));
      }
    }
  }
  return all;
}

/** A line of the report: what, how much, what is promised, and whether that is kept. */
function line(what: string, value: number, promise: number, unit = ""): string[] {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  const kept = value <= promise ? "" : "missed";
  return [what, value.toFixed(digits) + unit, `≤ ${promise}${unit}`, kept];
}

function report(scene: Scene, [empty, ...others]: Measured[]): string[][] {
  const mid = (visits: Visit[], of: (v: Visit) => number) => median(visits.map(of));
  return others.flatMap(({ size, visits, slow, bare }) => {
    const body = scene.bytes.get(size)!, name = size.toLocaleString("en-US");
    // Round by round, so that what slows one slows the other.
    const ratio = median(visits.map((v, i) => v.row / empty.visits[i].paint));
    const heap = mid(visits, (v) => v.heap) - mid(empty.visits, (v) => v.heap);
    const memory = mid(visits, (v) => v.memory) - mid(empty.visits, (v) => v.memory);
    return [
      line(`${name}: first row, × the empty page's first paint`, ratio, 1.3),
      line(
        `${name}: all rows, × a page that only fetches them`,
        median(visits.map((v, i) => v.done / bare[i])),
        2,
      ),
      line(`${name}: blocked in all`, mid(visits, (v) => v.blocked), 100, " ms"),
      line(`${name}: longest task`, mid(visits, (v) => v.longest), 100, " ms"),
      line(`${name}: JS heap above the empty page's`, heap / MB, 10, " MB"),
      line(`${name}: renderer's memory above it, × the body`, memory / body, 1.5),
      line(`${name}: elements`, mid(visits, (v) => v.elements), 400),
      line(
        `${name}: main thread at 2 MB/s, × local`,
        mid(slow, (v) => v.busy) / mid(visits, (v) => v.busy),
        1.2,
      ),
    ];
  });
}

/** Scrolling through the largest, filter and sort of 100,000. */
async function work(scene: Scene, sizes: number[]): Promise<string[][]> {
  const rows: string[][] = [], most = Math.max(...sizes);
  await fresh(scene, async (tab) => {
    await open(scene, tab, most);
    const { blank, longest } = await tab.evaluate<{ blank: number; longest: number }>(SCROLL);
    rows.push(line(`scroll through ${most} in 100 steps: blank frames`, blank, 0));
    rows.push(line(`scroll through ${most} in 100 steps: longest task`, longest, 50, " ms"));
  });
  if (!sizes.includes(100_000)) return rows;
  const runs: { keys: number[]; sorts: number[] }[] = [];
  for (let i = 0; i < 5; i++) {
    await fresh(scene, async (tab) => {
      await open(scene, tab, 100_000);
      runs.push(await tab.evaluate<typeof runs[number]>(WORK));
    });
  }
  const worst = (of: (run: typeof runs[number]) => number[]) =>
    Math.max(...of(runs[0]).map((_, k) => median(runs.map((run) => of(run)[k]))));
  rows.push(line("100,000: slowest key in the filter", worst((run) => run.keys), 16, " ms"));
  rows.push(line("100,000: slowest sort", worst((run) => run.sorts), 150, " ms"));
  return rows;
}

/** The bench. What is missed is printed as such; it fails nothing, for machines differ. */
export async function main(args: string[]): Promise<number> {
  const quick = args.includes("--quick");
  const sizes = quick ? [0, 100_000] : [0, 30_000, 100_000, 300_000];
  const dir = await Deno.makeTempDir({ prefix: "mirrorkit-bench-" });
  try {
    const scene = await startScene(dir, sizes);
    try {
      const transferred = await fresh(scene, async (tab) => {
        await open(scene, tab, 0);
        return await tab.evaluate<number>(TRANSFERRED);
      });
      const home = await fresh(scene, async (tab) => {
        await tab.goto(`${scene.url}/`);
        await tab.evaluate(LOADED);
        return await tab.evaluate<number>(TRANSFERRED);
      });
      const measured = await measureAll(scene, sizes, ROUNDS), [empty] = measured;
      const paint = median(empty.visits.map((v) => v.paint));
      const rows = [
        ["the listing page", "measured", "promised", ""],
        line("first visit: HTML, scripts, styles", transferred / 1000, 30, " kB"),
        line("first visit of the start page", home / 1000, 30, " kB"),
        ...report(scene, measured),
        ...await work(scene, sizes),
      ];
      console.log(`an empty directory's first paint: ${paint.toFixed(0)} ms`);
      for (const { size, visits, bare } of measured) {
        const ms = (of: (v: Visit) => number) => median(visits.map(of)).toFixed(0);
        console.log(
          `${size}: first row ${ms((v) => v.row)} ms, all ${
            ms((v) => v.done)
          } ms; a page that only fetches ` +
            `${median(bare).toFixed(0)} ms`,
        );
      }
      console.log("\n" + table(rows) + "\n");
    } finally {
      await scene.stop();
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
