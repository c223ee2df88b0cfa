/** Ways to tell a person, on a machine: a command, a webhook, e-mail by sendmail. */
import { readText } from "../lib/files.ts";
import type { Healthz } from "../lib/healthz.ts";
import { type Run, run as realRun } from "../lib/run.ts";
import { type Channel, type Event, webhook } from "./notices.ts";

const SECONDS = 30;

/** The channels that mirror.toml names. */
export async function channels(
  config: Healthz,
  site: string,
  run: Run = realRun,
): Promise<Record<string, Channel>> {
  const { command, webhook: url, webhook_file, mail, sendmail } = config.notify;
  const all: Record<string, Channel> = {};
  if (command) all.command = (event) => feed(run, command, JSON.stringify(event) + "\n");
  const address = webhook_file ? (await readText(webhook_file))?.trim() : url;
  if (webhook_file && !URL.canParse(address ?? "")) {
    all.webhook = () => Promise.reject(new Error(`there is no URL in ${webhook_file}`));
  } else if (address) all.webhook = webhook(address, config.notify);
  if (mail) {
    all.mail = (event) =>
      feed(run, [sendmail, "-i", "--", mail], letter(event, mail, site, new Date()));
  }
  return all;
}

async function feed(run: Run, [command, ...args]: string[], text: string) {
  const { code, signal, stderr } = await run({ command, args }, {
    input: new TextEncoder().encode(text),
    signal: AbortSignal.timeout(SECONDS * 1000),
  });
  if (code === 0) return;
  const said = stderr.trim().split("\n").at(-1);
  throw new Error(`${command} ended with ${signal ?? code}${said ? `: ${said}` : ""}`);
}

/** An e-mail (RFC 5322) that no machine answers (RFC 3834). Pure. */
export function letter(event: Event, to: string, site: string, date: Date): string {
  const subject = event.title.replace(/[^\x20-\x7e]/g, "?").slice(0, 200);
  return [
    `To: ${to}`,
    `Subject: ${subject}`,
    `Date: ${date.toUTCString().replace("GMT", "+0000")}`,
    "Auto-Submitted: auto-generated",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
    "",
    event.text,
    "",
    `-- \nhealthz at ${site}`,
    "",
  ].join("\n");
}
