/** A mirror as they are: repositories of several kinds, in every state, with images and sums. */
import { join } from "@std/path/posix";
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
  return n;
}
