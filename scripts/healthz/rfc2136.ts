/**
 * Dynamic update (RFC 2136) with TSIG by nsupdate(1) and dig(1) of BIND, the tools of the field: there is
 * no kept library of TSIG for JavaScript. The key stays in its file. The prerequisites say what was there
 * when it was read, so an update that lost a race changes nothing.
 */
import { Failure } from "../lib/failure.ts";
import type { Dns } from "../lib/healthz.ts";
import { NO_PROGRAM, type Run, run as realRun } from "../lib/run.ts";
import {
  type DnsRecord,
  type Held,
  type Plan,
  type Provider,
  sort,
  type Type,
  TYPES,
} from "./records.ts";

type Rfc2136 = Extract<Dns, { provider: "rfc2136" }>;

const SECONDS = 5;

/** What was read, as the server wrote it: for the prerequisites. */
interface Read extends Held {
  written: Record<Type, string[]>;
}

/** The provider. `key` is the path of a key file as tsig-keygen(8) writes it. */
export function rfc2136(
  dns: Rfc2136,
  name: string,
  key: string | undefined,
  run: Run = realRun,
): Provider {
  const withKey = key ? ["-k", key] : [];
  const where = `${dns.server} port ${dns.port}`;

  async function ask(type: Type): Promise<{ ttl: number; value: string }[]> {
    const lines: string[] = [];
    const args = [`@${dns.server}`, "-p", `${dns.port}`, ...withKey, "+tcp", "+norecurse"];
    const form = ["+noall", "+comments", "+answer", `+time=${SECONDS}`, "+tries=1"];
    const { code, stderr } = await run(
      { command: "dig", args: [...args, ...form, "-t", type, "-q", `${name}.`] },
      { onLine: (line) => lines.length < 1000 && lines.push(line), signal: limit() },
    );
    const status = /status: (\w+)/.exec(lines.join("\n"))?.[1];
    if (code !== 0 || status !== "NOERROR" && status !== "NXDOMAIN") {
      if (code === NO_PROGRAM) throw missing("dig");
      const why = status ?? lines.find((l) => /^;;? /.test(l))?.replace(/^;+ /, "") ??
        stderr.trim();
      throw new Failure(`Cannot read ${name} ${type} at ${where}: ${why || `dig: exit ${code}`}.`);
    }
    return lines.flatMap((line) => {
      const [, owner, ttl, found, value] = /^([^;\s]\S*)\s+(\d+)\s+IN\s+(\S+)\s+(.*)$/.exec(line) ??
        [];
      if (found === "CNAME") {
        throw new Failure(`${name} is an alias (CNAME) at ${where}: it can have no addresses.`);
      }
      return found === type && owner.toLowerCase() === `${name}.`
        ? [{ ttl: Number(ttl), value }]
        : [];
    });
  }

  return {
    async read(known): Promise<Read> {
      const answers = await Promise.all(TYPES.map(ask));
      const held: Read = { ours: [], foreign: [], isOtherTtl: false, written: {} as never };
      for (const [i, type] of TYPES.entries()) {
        held.written[type] = answers[i].map((a) => a.value);
        for (const { ttl, value } of answers[i]) {
          const { record, isOurs } = sort(type, value, known);
          held[isOurs ? "ours" : "foreign"].push(record);
          if (isOurs && ttl !== dns.ttl) held.isOtherTtl = true;
        }
      }
      return held;
    },

    async write(plan, held) {
      const args = [...withKey, "-v", "-t", `${SECONDS}`];
      const input = new TextEncoder().encode(updateScript(dns, name, plan, held as Read));
      const { code, stderr } = await run({ command: "nsupdate", args }, { input, signal: limit() });
      if (code === 0) return;
      if (code === NO_PROGRAM) throw missing("nsupdate");
      const why = stderr.trim().split("\n").at(-1) || `nsupdate: exit ${code}`;
      if (/\b(?:NXRRSET|YXRRSET|NXDOMAIN|YXDOMAIN)\b/.test(why)) {
        throw new Failure(
          `The records of ${name} at ${where} changed in between; nothing was done.`,
          "The next run looks again.",
        );
      }
      throw new Failure(
        `Cannot update ${name} at ${where}: ${why}.`,
        "Look at the server's log, its update policy, and the key.",
      );
    },
  };
}

const missing = (program: string) =>
  new Failure(`There is no ${program} on this machine.`, "apt install bind9-dnsutils");

const limit = () => AbortSignal.timeout((SECONDS + 5) * 1000);

/** What nsupdate(1) reads. Pure. */
export function updateScript(
  dns: Rfc2136,
  name: string,
  plan: Plan,
  { written }: { written: Record<Type, string[]> },
): string {
  const owner = `${name}.`;
  const before = TYPES.flatMap((type) =>
    written[type].length
      ? written[type].map((value) => `prereq yxrrset ${owner} IN ${type} ${value}`)
      : [`prereq nxrrset ${owner} IN ${type}`]
  );
  // RFC 2136, 3.4.2.2, says that adding what is there changes its TTL; knot 3.2 doesn't do so. Taken out and
  // put back in one update, there is no moment without it.
  const again = plan.isOtherTtl
    ? plan.desired.filter(({ type, value }) =>
      !plan.add.some((r) => r.type === type && r.value === value)
    )
    : [];
  const line = ({ type, value }: DnsRecord) => `${type} ${value}`;
  return [
    `server ${dns.server} ${dns.port}`,
    `zone ${dns.zone}.`,
    ...before,
    ...[...plan.remove, ...again].map((r) => `update delete ${owner} IN ${line(r)}`),
    ...[...plan.add, ...again].map((r) => `update add ${owner} ${plan.ttl} IN ${line(r)}`),
    "send",
    "",
  ].join("\n");
}
