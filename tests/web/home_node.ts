/** A mirror as they are: repositories of several kinds, in every state, with images and sums. */
import { join } from "@std/path/posix";
import type { HubState } from "../../formats/hub.ts";
import type { NodesState } from "../../formats/nodes.ts";
import { type LiveEvent, type Span, SPANS, type Stats } from "../../formats/stats.ts";
import { takeLock } from "../../scripts/lib/lock.ts";
import { makeNode, MTIME, NOW, type TestNode } from "../server/fixture.ts";

const TOML = `[site]
name = "mirror.example.org"
title = "Example University Mirror"
contact = "mirror@example.org"
about = { en = "Free software for everybody at Example University and around it, run by its students since 2004.", ko = "예제 대학교와 이웃을 위한 자유 소프트웨어 미러입니다. 2004년부터 학생들이 운영합니다." }
links = [{ text = { en = "Students' union", ko = "학생회" }, url = "https://union.example.org/" }]
source = "https://code.example.org/mirrorkit"
urls = ["https://mirror.example.org/", "http://mirror.example.org/", "rsync://mirror.example.org/"]

[[repo]]
name = "alpine"
profile = "alpine"
upstream = ["/srv/x/"]

[[repo]]
name = "archlinux"
profile = "arch"
upstream = ["/srv/x/"]

[[repo]]
name = "debian"
profile = "debian"
upstream = ["/srv/x/"]

[[repo]]
name = "fedora"
profile = "fedora"
upstream = ["/srv/x/"]
`;

const ISO = "archlinux-2026.11.01-x86_64.iso";
const SUM = "0e5f2b1c".repeat(8);

/** Makes it; `now` for the clock of its server is the fixture's. */
export async function makeHomeNode(): Promise<TestNode> {
  const n = await makeNode(TOML);
  await n.write(`archlinux/iso/2026.11.01/${ISO}`, "12345");
  await n.write("archlinux/iso/2026.11.01/sha256sums.txt", `${SUM}  ${ISO}\n`);
  await Deno.symlink("2026.11.01", join(n.data, "static/archlinux/iso/latest"));
  await n.list("/archlinux/iso/2026.11.01/");
  await n.write("debian/dists/trixie/Release", "Suite: stable\n");
  await Deno.symlink("trixie", join(n.data, "static/debian/dists/stable"));
  await n.listing(
    "debian/dists/index.json",
    `{"v":1,"path":"/debian/dists/","bytes":15,"mtime":${MTIME},"files":1,"dirs":1,"entries":[\n` +
      `{"name":"trixie/","bytes":15,"mtime":${MTIME},"files":1,"dirs":0},\n` +
      `{"name":"stable","bytes":0,"mtime":${MTIME},"target":"trixie","dir":true}\n]}\n`,
  );
  for (const repo of ["alpine", "archlinux", "debian"]) await n.ready(repo);
  const synced = { outcome: "synced", lastAttempt: NOW - 240, nextRun: NOW + 3360 } as const;
  await n.status("archlinux", {
    ...synced,
    lastSuccess: NOW - 240,
    lastChange: NOW - 7440,
    lagSeconds: 0,
    size: { bytes: 94_489_280_512, files: 28_442 },
  });
  await n.status("alpine", {
    ...synced,
    lastSuccess: NOW - 200_000,
    lastChange: NOW - 230_000,
    lagSeconds: 5400,
    size: { bytes: 3_100_000_000_000, files: 1_204_331 },
  });
  await n.status("debian", {
    ...synced,
    outcome: "failed",
    lastSuccess: NOW - 18_000,
    lastChange: NOW - 18_000,
    lagSeconds: 600,
    size: { bytes: 2_199_023_255_552, files: 1_012_334 },
    lastError: { at: NOW - 240, message: "rsync ended with 30: timeout in data send", hint: null },
  });
  await n.state("healthz/nodes.json", JSON.stringify(nodes()));
  await n.state("statcat/hub.json", JSON.stringify(hub()));
  // A scheduler is at work: next runs are told.
  const lock = await takeLock(join(n.data, "state/scheduler.lock"), "A scheduler");
  const dispose = async () => {
    lock[Symbol.dispose]();
    await n[Symbol.asyncDispose]();
  };
  return { ...n, [Symbol.asyncDispose]: dispose };
}

/** Two nodes that serve, one that does not, as healthz leaves them. */
function nodes(): NodesState {
  const check = (ok: boolean) => ({
    check: "https",
    ok,
    reason: ok ? "200" : "no answer within 5 s",
    durationMs: 12,
    at: NOW - 20,
  });
  const node = (name: string, i: number, up: boolean): NodesState["nodes"][number] => ({
    name,
    state: up ? "up" : "down",
    since: NOW - 86_400 * (up ? 40 : 0.1),
    drained: false,
    weight: 1,
    addresses: [{
      address: `192.0.2.${i}`,
      family: 4,
      state: up ? "up" : "down",
      since: NOW,
      published: up,
      lastSync: NOW - 300 * i,
      checks: [check(up)],
    }],
    days: Array.from({ length: 30 }, (_, d) => ({
      day: `2026-11-${String(d + 1).padStart(2, "0")}`,
      probes: 2880,
      good: up ? 2880 : 2790,
    })),
  });
  return {
    v: 1,
    name: "mirror.example.org",
    checker: "seoul",
    at: NOW - 20,
    intervalSeconds: 30,
    alarms: [],
    nodes: [node("busan", 1, true), node("jeju", 2, false), node("seoul", 3, true)],
  };
}

/** What a hub with two spokes leaves. */
function hub(): HubState {
  const rates = (n: number) => ({
    rxBytes: n,
    txBytes: 90 * n,
    rxPackets: n / 200,
    txPackets: n / 9,
  });
  const spoke = (id: string, n: number) => ({
    id,
    heard: NOW,
    connected: true,
    interfaces: [{ name: "eth0", rates: rates(n), total: rates(1e6 * n) }],
  });
  return {
    v: 1,
    time: NOW,
    startedAt: NOW - 1e6,
    hostname: "127.0.0.1",
    port: 1,
    rssBytes: 1,
    clients: 1,
    clientsRefused: 0,
    eventsSkipped: 0,
    refused: {},
    spokes: [spoke("busan", 200_000), spoke("seoul", 1_200_000)],
  };
}

/** A day of traffic as the hub tells it: quiet at night, an hour in which nothing was measured. */
export function fakeStats(span: Span): Stats {
  const { seconds, step } = SPANS[span], steps = seconds / step;
  const rate = (i: number, most: number) =>
    i > steps * 0.3 && i < steps * 0.34
      ? null
      : most * (0.55 + 0.4 * Math.sin(i / steps * 6.3 - 2) + 0.05 * Math.sin(i * 1.7));
  const series = (most: number) => Array.from({ length: steps }, (_, i) => rate(i, most));
  const traffic = { rxBytes: 1e9, txBytes: 9e10 };
  return {
    v: 1,
    time: NOW,
    span,
    from: NOW - seconds,
    step,
    series: [{
      spoke: null,
      interface: null,
      rxBytes: series(1_400_000),
      txBytes: series(126_000_000),
      rxPackets: series(7000),
      txPackets: series(155_000),
    }],
    totals: ["busan", "seoul"].map((spoke) => ({
      spoke,
      interface: "eth0",
      today: traffic,
      month: traffic,
      p95: traffic,
    })),
    repos: [],
    packages: [],
  };
}

/** One event of its hub, `seconds` after {@linkcode NOW}. */
export function fakeEvent(seconds: number): LiveEvent {
  const wave = 1 + 0.2 * Math.sin(seconds / 9);
  const spoke = (id: string, n: number) => ({
    id,
    rxBytes: Math.round(n * wave),
    txBytes: Math.round(90 * n * wave),
    rxPackets: Math.round(n / 200),
    txPackets: Math.round(n / 9),
    staleSeconds: null,
  });
  return { time: NOW + seconds, spokes: [spoke("busan", 200_000), spoke("seoul", 1_200_000)] };
}
