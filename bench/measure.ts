/** Measuring whole processes: medians of interleaved rounds, so that a noisy machine is noisy for all. */

/** What one run cost. */
export interface Cost {
  seconds: number;
  /** Peak resident memory of the process itself. */
  peakBytes: number;
}

/** Runs a program with its output thrown away. Throws where it fails. */
export async function measure(command: string, args: string[], cwd?: string): Promise<Cost> {
  const started = performance.now();
  const child = new Deno.Command(command, { args, cwd, stdout: "null", stderr: "inherit" }).spawn();
  let peakBytes = 0;
  // VmHWM is the kernel's own high-water mark, so seldom looking misses only the very end.
  const look = () => {
    try {
      const status = Deno.readTextFileSync(`/proc/${child.pid}/status`);
      peakBytes = Math.max(peakBytes, Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? 0) * 1024);
    } catch { /* it has ended */ }
  };
  const timer = setInterval(look, 10);
  const { code } = await child.status;
  clearInterval(timer);
  const seconds = (performance.now() - started) / 1000;
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: exit code ${code}`);
  return { seconds, peakBytes };
}

/** The middle one of some numbers. */
export function median(numbers: number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** A table with a head, first column left, the others right. */
export function table(rows: string[][]): string {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) =>
    row.map((cell, i) => i ? cell.padStart(widths[i]) : cell.padEnd(widths[i])).join("  ")
  ).join("\n");
}
