import { assertEquals } from "@std/assert";
import { readFtpLine, readNginxLine, readRsyncLine } from "../../../scripts/statcat/lines.ts";

const TIME = Date.parse("2026-11-22T03:00:00Z") / 1000;
const nginx = (rest: string) => readNginxLine(`2026-11-22T04:00:00+01:00 HTTP/1.1 ${rest}`);

Deno.test("readNginxLine: what was fetched, and whether it was a file from its beginning", () => {
  const table: [string, string, string, number, boolean][] = [
    ['GET /arch/a.zst 200 812 0.001 "-" "pacman/7"', "/arch/a.zst", "2xx", 812, true],
    ['GET /arch/a.zst 206 12 0.001 "bytes=0-11" "x"', "/arch/a.zst", "2xx", 12, true],
    ['GET /arch/a.zst 206 12 0.001 "bytes=800-811" "x"', "/arch/a.zst", "2xx", 12, false],
    ['HEAD /arch/a.zst 200 0 0.000 "-" "x"', "/arch/a.zst", "2xx", 0, false],
    ['GET /arch/?format=json 200 90 0.000 "-" "x"', "/arch/", "2xx", 90, false],
    ['GET /arch/a%20b%2Bc 404 9 0.000 "-" "x"', "/arch/a b+c", "4xx", 9, false],
    ['GET /arch/\\xED\\x95\\x9C 200 9 0.000 "-" "x"', "/arch/한", "2xx", 9, true],
    ['GET /arch/%FF 200 9 0.000 "-" "x"', "/arch/%FF", "2xx", 9, true],
    ['GET //arch//a 200 9 0.000 "-" "x"', "/arch/a", "2xx", 9, true],
    // With log_addresses = true. The address is dropped here and now.
    ['GET /arch/a 304 0 0.000 "-" "x" 192.0.2.7', "/arch/a", "3xx", 0, false],
    // A client that writes what looks like the rest of a line, into its target or its name.
    [
      'GET /a 200 999999 0.0 \\x22-\\x22 \\x22x\\x22 400 5 0.0 "-" "x"',
      '/a 200 999999 0.0 "-" "x"',
      "4xx",
      5,
      false,
    ],
    ['GET /a 200 5 0.0 "-" "x 200 999999 0.0 \\x22-\\x22"', "/a", "2xx", 5, true],
    ['\\x16\\x03 - 400 5 0.0 "-" "-"', "-", "4xx", 5, false],
  ];
  for (const [rest, path, status, bytes, file] of table) {
    const expected = { protocol: "http" as const, status, bytes, time: TIME, path, file };
    assertEquals([rest, nginx(rest)], [rest, expected]);
  }
  for (const rest of ["", "GET /a", 'GET /a 200 x 0.0 "-" "x"', 'GET /a 200 5 0.0 "-" "x" b c']) {
    assertEquals([rest, nginx(rest)], [rest, undefined]);
  }
  assertEquals(readNginxLine('yesterday HTTP/1.1 GET /a 200 5 0.0 "-" "x"'), undefined);
});

Deno.test("readRsyncLine: a module, how it ended, bytes", () => {
  const expected = { protocol: "rsync" as const, time: TIME, path: "arch", file: false };
  assertEquals(readRsyncLine(`${TIME} arch 0 512`), { ...expected, status: "ok", bytes: 512 });
  assertEquals(readRsyncLine(`${TIME} arch 20 1`), { ...expected, status: "failed", bytes: 1 });
  for (const line of ["", "now arch 0 1", `${TIME} arch 0`, `${TIME} a b 0 1`]) {
    assertEquals([line, readRsyncLine(line)], [line, undefined]);
  }
});

Deno.test("readFtpLine: downloads; logins and the like are other lines, not damaged ones", () => {
  const line = (rest: string) => `Sun Nov 22 03:00:00 2026 [pid 2] ${rest}`;
  const got =
    '[ftp] OK DOWNLOAD: Client "192.0.2.1", "/arch/a "b", 5 bytes", 5 bytes, 1.20Kbyte/sec';
  assertEquals(readFtpLine(line(got)), {
    protocol: "ftp",
    status: "ok",
    bytes: 5,
    time: TIME,
    path: '/arch/a "b", 5 bytes',
    file: true,
  });
  const failed = '[ftp] FAIL DOWNLOAD: Client "::1", "/nix", 0.00Kbyte/sec';
  assertEquals([readFtpLine(line(failed))].map((f) => f !== "other" && f && [f.status, f.bytes]), [
    ["failed", 0],
  ]);
  assertEquals(readFtpLine(line('CONNECT: Client "::1"')), "other");
  assertEquals(readFtpLine("something else"), undefined);
});
