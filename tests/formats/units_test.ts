import { assertEquals, assertThrows } from "@std/assert";
import {
  count,
  formatBitRate,
  formatBytes,
  formatDuration,
  formatMinute,
  formatTime,
  parseBytes,
  parseDuration,
} from "../../formats/units.ts";

Deno.test("formatBytes: binary units, three digits at most", () => {
  const table: [number, string][] = [
    [0, "0 B"],
    [812, "812 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1624, "1.6 KiB"],
    [10 * 1024, "10 KiB"],
    [1024 * 1024 - 1, "1.0 MiB"],
    [5.5 * 1024 ** 3, "5.5 GiB"],
    [2 ** 60, "1024 PiB"],
  ];
  for (const [bytes, text] of table) assertEquals([bytes, formatBytes(bytes)], [bytes, text]);
});

Deno.test("parseBytes: numbers with units, anything else throws", () => {
  const table: [string, number][] = [
    ["4096", 4096],
    ["10 GiB", 10 * 1024 ** 3],
    ["512KiB", 512 * 1024],
    ["1.5 MB", 1_500_000],
    ["0", 0],
  ];
  for (const [text, bytes] of table) assertEquals([text, parseBytes(text)], [text, bytes]);
  for (const bad of ["", "GiB", "-1", "1 XB", "1e9"]) {
    assertThrows(() => parseBytes(bad), RangeError);
  }
});

Deno.test("formatDuration, parseDuration: seconds to days", () => {
  const table: [number, string][] = [
    [0, "0 s"],
    [59.4, "59 s"],
    [60, "1 min"],
    [200, "3 min 20 s"],
    [7260, "2 h 1 min"],
    [86400, "1 d"],
    [277200, "3 d 5 h"],
    [-5, "0 s"],
  ];
  for (const [seconds, text] of table) {
    assertEquals([seconds, formatDuration(seconds)], [seconds, text]);
  }
  assertEquals(["90 s", "30min", "6h", "2 d", "0.5 s"].map(parseDuration), [
    90,
    1800,
    21600,
    172800,
    0.5,
  ]);
  for (const bad of ["", "5", "h", "-1 s", "1 week"]) {
    assertThrows(() => parseDuration(bad), RangeError);
  }
});

Deno.test("formatMinute, formatTime: UTC", () => {
  assertEquals(formatMinute(1763769599), "2025-11-21 23:59");
  assertEquals(formatTime(1763769599), "2025-11-21T23:59:59Z");
});

Deno.test("count: singular and plural", () => {
  assertEquals([0, 1, 1234].map((n) => count(n, "file")), ["0 files", "1 file", "1,234 files"]);
});

Deno.test("formatBitRate: bits by thousands, three digits at most", () => {
  const table: [number, string][] = [
    [0, "0 bit/s"],
    [1.5, "12 bit/s"],
    [124.9, "999 bit/s"],
    [125, "1.0 kbit/s"],
    [101_500, "812 kbit/s"],
    [124_950, "1.0 Mbit/s"],
    [200e6, "1.6 Gbit/s"],
    [1e15, "8000 Tbit/s"],
  ];
  for (const [bytes, text] of table) assertEquals(formatBitRate(bytes), text);
});
