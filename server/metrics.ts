/**
 * Prometheus' text format 0.0.4, from metrics as data: each part of the server gives its own, `/metrics`
 * shows them all. Names and units as Prometheus' naming conventions say: base units (seconds, bytes) as a
 * suffix, `_total` after counters.
 */

/** `null` and `undefined` are unknown: they are left out, never shown as 0. */
export type Value = number | null | undefined;

/** One metric and its samples: labels, value. */
export interface Metric {
  name: string;
  help: string;
  type: "gauge" | "counter";
  samples: [labels: Record<string, string>, value: Value][];
}

/** A metric with one sample, without labels. */
export function single(
  name: string,
  help: string,
  value: Value,
  type: Metric["type"] = "gauge",
): Metric {
  return { name, help, type, samples: [[{}, value]] };
}

/** In a label's value `\\`, `"` and newlines are escaped. */
const escape = (text: string) => text.replace(/[\\"\n]/g, (c) => c === "\n" ? "\\n" : "\\" + c);

function labelsOf(labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`);
  return pairs.length ? `{${pairs.join(",")}}` : "";
}

/** Metrics as text; one without a known sample is left out whole. */
export function renderMetrics(metrics: Metric[]): string {
  let text = "";
  for (const { name, help, type, samples } of metrics) {
    const known = samples.filter(([, value]) => value !== null && value !== undefined);
    if (known.length === 0) continue;
    text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    for (const [labels, value] of known) text += `${name}${labelsOf(labels)} ${value}\n`;
  }
  return text;
}

/** What is known of the server's own process. */
export function processMetrics(startedAt: number): Metric[] {
  const { rss, heapUsed } = Deno.memoryUsage();
  return [
    single("process_start_time_seconds", "When this server started.", startedAt),
    single("process_resident_memory_bytes", "Resident memory of this server.", rss),
    single("mirrorkit_server_heap_bytes", "JavaScript heap in use.", heapUsed),
  ];
}
