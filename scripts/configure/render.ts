/** All files of an output folder, as texts by their names. */
import { fromFileUrl } from "@std/path/posix";
import { type Language, LANGUAGES } from "../../formats/messages.ts";
import { escapeHtml } from "../../formats/names.ts";
import {
  DOWN,
  PROBLEM_FORMATS,
  PROBLEMS,
  type ProblemText,
  renderProblem,
} from "../../formats/problem.ts";
import { siteCss } from "../../formats/site.ts";
import type { Config } from "../lib/config.ts";
import { render, type Values } from "./template.ts";
import {
  aboveRepos,
  entriesBelow,
  nginxValues,
  rsyncdValues,
  type Site,
  stunnelValues,
  vsftpdValues,
} from "./values.ts";

/** What nginx says of its own accord, by the name of the file. */
const ERRORS: Record<string, ProblemText> = {
  ...Object.fromEntries(Object.values(PROBLEMS).map((p) => [String(p.status), p])),
  416: {
    status: 416,
    message: "None of the file's bytes lies in the range asked for.",
    hint: "If a download was being resumed, it is complete or of another version.",
  },
  503: {
    status: 503,
    kind: "gate",
    message:
      "The initial sync of this repository is running; it is served once that has completed.",
    hint: "Try again later. /status.json says how it stands.",
  },
  down: DOWN,
};

const read = (path: string) =>
  Deno.readTextFile(fromFileUrl(new URL(`../../server/${path}`, import.meta.url)));

/** Renders the configuration of every server for a node. */
export async function renderAll(config: Config, site: Site): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const add = async (name: string, template: string, values: Values) =>
    void files.set(name, render(await read(template), values));
  await add("nginx.conf", "nginx/nginx.conf", nginxValues(config, site));
  await add("rsyncd.conf", "rsyncd/rsyncd.conf", rsyncdValues(config, site));
  await add("rsync-transfer.sh", "rsyncd/transfer.sh", rsyncdValues(config, site));
  await add("logrotate.conf", "logrotate.conf", rsyncdValues(config, site));
  const ftp = vsftpdValues(config, site);
  await add("vsftpd.conf", "vsftpd/vsftpd.conf", ftp);
  if (ftp.wrapped) await add("vsftpd.hosts", "vsftpd/vsftpd.hosts", ftp);
  if (config.server.rsync.tls === "stunnel" && site.certified) {
    await add("stunnel.conf", "stunnel/rsync.conf", stunnelValues(config, site));
  }
  files.set("site.css", siteCss(config.site.colors, config.site.languages));
  for (const above of aboveRepos(config.repos)) {
    await add(`home${above}index.html`, "nginx/home.html", {
      title: escapeHtml(config.site.title ?? config.site.name),
      entries: entriesBelow(above, config.repos).map((href) => ({ href })),
    });
  }
  for (const [name, problem] of Object.entries(ERRORS)) {
    for (const format of PROBLEM_FORMATS) {
      if (format !== "html") files.set(`error/${name}.${format}`, renderProblem(problem, format));
    }
    for (const tag of Object.keys(LANGUAGES) as Language[]) {
      files.set(`error/${name}.${tag}.html`, renderProblem(problem, "html", tag));
    }
  }
  return files;
}
