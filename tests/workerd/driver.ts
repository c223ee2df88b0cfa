/**
 * Runs a Worker in workerd, by miniflare, for tests/helpers/workerd.ts: JSON lines come in and go out. A
 * process with a configuration and a lock of its own, as workerd is large: nobody but this test fetches it.
 */

/** What a test says. */
export type Command =
  | { start: Record<string, unknown>; outbound: string | null }
  | { cron: string }
  | { path: string; method: string };

/** What the test's server is asked when the Worker fetches something. */
export interface Asked {
  url: string;
  method: string;
  headers: [string, string][];
  body: string;
}

/** An answer, of the Worker or for it. */
export interface Answered {
  status: number;
  headers: [string, string][];
  body: string;
}

// A name that is not known before it runs: the rest of mirrorkit is checked without miniflare.
const name = "miniflare";
// deno-lint-ignore no-explicit-any
let flare: any;

async function obey(command: Command): Promise<unknown> {
  if ("start" in command) {
    const { Miniflare, Response: Answer } = await import(name);
    const { start, outbound } = command;
    const outboundService = async (request: Request) => {
      const { url, method, headers } = request;
      const asked: Asked = { url, method, headers: [...headers], body: await request.text() };
      const response = await fetch(outbound!, { method: "POST", body: JSON.stringify(asked) });
      const answered: Answered = await response.json();
      return new Answer(answered.body, answered);
    };
    const more = { handleStructuredLogs: () => {}, ...(outbound ? { outboundService } : {}) };
    flare = new Miniflare({ ...start, ...more });
    return String(await flare.ready);
  }
  if ("cron" in command) return (await (await flare.getWorker()).scheduled(command)).outcome;
  const { path, method } = command;
  const response = await flare.dispatchFetch(`http://worker${path}`, { method });
  const answered: Answered = {
    status: response.status,
    headers: [...response.headers],
    body: await response.text(),
  };
  return answered;
}

if (import.meta.main) {
  let rest = "";
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  for await (const text of lines) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    for (const line of parts) console.log(JSON.stringify(await obey(JSON.parse(line))));
  }
  await flare?.dispose();
}
