/** The pure parts of the server, as tables: each line is a rule. */
import { assertEquals } from "@std/assert";
import { parseHttpDate, precondition, rangeStillValid } from "../../server/conditional.ts";
import { acceptsGzip, directoryFormat } from "../../server/negotiate.ts";
import { isTemporary, resolveTarget } from "../../server/path.ts";
import { parseRanges } from "../../server/ranges.ts";
import { cacheControl, contentType, isActive } from "../../server/types.ts";

Deno.test("resolveTarget: every disguise, resolves below the root or not at all", () => {
  const cases: [string, string | number][] = [
    ["/", "/"],
    ["", "/"],
    ["/a/b", "/a/b"],
    ["/a/b/", "/a/b/"],
    ["/a//b///c", "/a/b/c"],
    ["//evil.example/x", "/evil.example/x"],
    ["/a/./b", "/a/b"],
    ["/a/.", "/a/"],
    ["/a/b/..", "/a/"],
    ["/a/../b", "/b"],
    ["/a/%2e%2e/b", "/b"],
    ["/a%2f..%2fb", "/b"],
    ["/..", 400],
    ["/../../etc/passwd", 400],
    ["/%2e%2e/%2e%2e/etc/passwd", 400],
    ["/a/..%2f..%2fetc", 400],
    ["/%2e%2e%2fetc", 400],
    ["/a/../../etc", 400],
    ["/..\\..\\etc", "/..\\..\\etc"],
    ["/..%5c..%5cetc", "/..\\..\\etc"],
    ["/%252e%252e/etc", "/%2e%2e/etc"],
    ["/%c0%ae%c0%ae/etc", "/\xc0\xae\xc0\xae/etc"],
    ["/.../a", "/.../a"],
    ["/a%00b", 400],
    ["/%zz", 400],
    ["/%", 400],
    ["/%2", 400],
    ["/a%20b", "/a b"],
    ["/%EA%B0%80", "/\xea\xb0\x80"],
    ["/가", "/\xea\xb0\x80"],
    ["/a?x=/../..", "/a"],
    ["/a#/../..", "/a"],
    ["/" + "a".repeat(9000), 414],
  ];
  for (const [target, expected] of cases) {
    const result = resolveTarget(`http://host${target}`);
    assertEquals([target, typeof result === "number" ? result : result.raw], [target, expected]);
  }
  assertEquals(resolveTarget("http://host/a?b=c#d"), { raw: "/a", query: "?b=c" });
});

Deno.test("isTemporary: rsync's partial directory anywhere in a path, true", () => {
  const cases: [string, boolean][] = [
    ["/a/.~tmp~/x", true],
    ["/.~tmp~/", true],
    ["/a/.~tmp~", true],
    ["/a/.~tmp~x/y", true],
    ["/a/b~tmp~", false],
    ["/.well-known/x", false],
  ];
  for (const [path, expected] of cases) assertEquals([path, isTemporary(path)], [path, expected]);
});

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

Deno.test("directoryFormat: Accept, User-Agent and ?format, one answer each", () => {
  const cases: [string | null, string, string, string | undefined][] = [
    [null, "", "", "html"],
    ["*/*", "curl/8.0", "", "html"],
    ["*/*", FIREFOX, "", "html"],
    [PAGE, FIREFOX, "", "ui"],
    [PAGE, FIREFOX, "?format=html", "html"],
    [PAGE, FIREFOX, "?format=json", "json"],
    [PAGE, FIREFOX, "?x&format=text", "text"],
    [PAGE, FIREFOX, "?format=xml", undefined],
    [PAGE, FIREFOX, "?format", undefined],
    [PAGE, "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "", "html"],
    ["text/html, text/plain, */*;q=0.01", "Lynx/2.9.0dev.12 libwww-FM/2.14", "", "html"],
    ["text/html, text/*;q=0.5, image/*, */*", "w3m/0.5.3+git20230121", "", "html"],
    ["text/html", "Mozilla/5.0 (compatible; Dillo 3.0)", "", "html"],
    ["application/json", "curl/8.0", "", "json"],
    ["Application/JSON; charset=utf-8", "", "", "json"],
    ["text/plain", "", "", "text"],
    ["text/plain;q=0.5, application/json;q=0.4", "", "", "text"],
    ["text/plain;q=0.4, application/json;q=0.5", "", "", "json"],
    ["application/json, text/plain, */*", "axios/1.0", "", "json"],
    ["application/json;q=0.9, */*", "", "", "html"],
    ["application/json;q=0", "", "", "html"],
    ["text/html;q=0, */*;q=0.1", "", "", "json"],
    ["application/*", "", "", "json"],
    ["text/*", "", "", "html"],
    ["image/png", "", "", "html"],
    ["text/plain;q=nonsense", "", "", "html"],
  ];
  for (const [accept, agent, query, expected] of cases) {
    const headers = new Headers({ "user-agent": agent });
    if (accept !== null) headers.set("accept", accept);
    assertEquals([accept, query, directoryFormat(headers, query)], [accept, query, expected]);
  }
});

Deno.test("acceptsGzip: named or by wildcard with q above zero, true", () => {
  const cases: [string | null, boolean][] = [
    [null, false],
    ["", false],
    ["gzip", true],
    ["gzip, deflate, br", true],
    ["br, X-GZIP;q=0.5", true],
    ["gzip;q=0", false],
    ["*", true],
    ["*, gzip;q=0", false],
    ["identity", false],
  ];
  for (const [value, expected] of cases) {
    const headers = new Headers(value === null ? {} : { "accept-encoding": value });
    assertEquals([value, acceptsGzip(headers)], [value, expected]);
  }
});

Deno.test("parseRanges: a field and a size, the ranges", () => {
  const r = (start: number, end: number) => ({ start, end });
  const cases: [string | null, number, ReturnType<typeof parseRanges>][] = [
    [null, 10, "whole"],
    ["bytes=0-4", 10, [r(0, 5)]],
    ["bytes=5-", 10, [r(5, 10)]],
    ["bytes=-3", 10, [r(7, 10)]],
    ["bytes=-30", 10, [r(0, 10)]],
    ["bytes=0-99999999999999999999", 10, [r(0, 10)]],
    ["BYTES = 0-0 , -1", 10, [r(0, 1), r(9, 10)]],
    ["bytes=0-0,20-30", 10, [r(0, 1)]],
    ["bytes=10-", 10, []],
    ["bytes=99999999999999999999-", 10, []],
    ["bytes=-0", 10, []],
    ["bytes=5-3", 10, []],
    ["bytes=", 10, "whole"],
    ["bytes=a-b", 10, []],
    ["bytes=--1", 10, []],
    ["bytes=0x1-2", 10, []],
    ["lines=0-1", 10, "whole"],
    ["0-4", 10, "whole"],
    ["bytes=0-", 0, "whole"],
    ["bytes=-5", 0, "whole"],
    ["bytes=1-", 0, []],
    ["bytes=0-,0-", 10, "whole"],
    ["bytes=0-5,5-9", 10, "whole"],
    ["bytes=" + "0-0,".repeat(40), 1000, "whole"],
    [
      "bytes=" + Array.from({ length: 32 }, (_, i) => `${i}-${i}`).join(),
      1000,
      Array.from({ length: 32 }, (_, i) => r(i, i + 1)),
    ],
  ];
  for (const [field, size, expected] of cases) {
    assertEquals([field, parseRanges(field, size)], [field, expected]);
  }
});

const OLD = "Sat, 01 Nov 2025 00:00:00 GMT", SAME = "Thu, 20 Nov 2025 10:00:00 GMT";
const NEW = "Fri, 21 Nov 2025 00:00:00 GMT", MODIFIED = Date.parse(SAME) / 1000;

Deno.test("precondition: fields in the order of RFC 9110 13.2.2, one status", () => {
  const cases: [Record<string, string>, number][] = [
    [{}, 200],
    [{ "if-match": '"e"' }, 200],
    [{ "if-match": "*" }, 200],
    [{ "if-match": '"x", "e"' }, 200],
    [{ "if-match": '"x"' }, 412],
    [{ "if-match": 'W/"e"' }, 412],
    [{ "if-unmodified-since": SAME }, 200],
    [{ "if-unmodified-since": OLD }, 412],
    [{ "if-unmodified-since": "nonsense" }, 200],
    [{ "if-match": '"e"', "if-unmodified-since": OLD }, 200],
    [{ "if-none-match": '"e"' }, 304],
    [{ "if-none-match": 'W/"e"' }, 304],
    [{ "if-none-match": '"x", W/"y" , "e"' }, 304],
    [{ "if-none-match": "*" }, 304],
    [{ "if-none-match": '"x"' }, 200],
    [{ "if-modified-since": SAME }, 304],
    [{ "if-modified-since": NEW }, 304],
    [{ "if-modified-since": OLD }, 200],
    [{ "if-modified-since": "1" }, 200],
    [{ "if-none-match": '"x"', "if-modified-since": SAME }, 200],
    [{ "if-none-match": '"e"', "if-modified-since": OLD }, 304],
    [{ "if-match": '"x"', "if-none-match": '"e"' }, 412],
    [{ "if-match": '"e"', "if-none-match": '"e"' }, 304],
  ];
  for (const [fields, expected] of cases) {
    const status = precondition(new Headers(fields), { etag: '"e"', modified: MODIFIED });
    assertEquals([fields, status], [fields, expected]);
  }
  const undated = precondition(new Headers({ "if-modified-since": NEW }), { etag: '"e"' });
  assertEquals(undated, 200);
});

Deno.test("rangeStillValid: If-Range, only an exact validator lets the range through", () => {
  const cases: [string | null, boolean][] = [
    [null, true],
    ['"e"', true],
    ['"x"', false],
    ['W/"e"', false],
    [SAME, true],
    [OLD, false],
    [NEW, false],
    ["nonsense", false],
  ];
  const current = { etag: '"e"', modified: MODIFIED };
  for (const [field, expected] of cases) {
    const headers = new Headers(field === null ? {} : { "if-range": field });
    assertEquals([field, rangeStillValid(headers, current, MODIFIED + 60)], [field, expected]);
  }
  const headers = new Headers({ "if-range": SAME });
  assertEquals(rangeStillValid(headers, current, MODIFIED + 0.5), false, "changed just now");
});

Deno.test("parseHttpDate: the three forms of RFC 9110 5.6.7, the same second", () => {
  for (
    const text of [
      "Sun, 06 Nov 1994 08:49:37 GMT",
      "Sunday, 06-Nov-94 08:49:37 GMT",
      "Sun Nov  6 08:49:37 1994",
    ]
  ) assertEquals(parseHttpDate(text), 784111777);
  assertEquals(parseHttpDate("1994-11-06T08:49:37Z"), undefined);
});

Deno.test("contentType, cacheControl: what files of a mirror are and how long they keep", () => {
  const text = "text/plain; charset=utf-8", bin = "application/octet-stream";
  const deb = "application/vnd.debian.binary-package";
  const week = "public, max-age=604800", asks = "no-cache";
  const ever = "public, max-age=31536000, immutable";
  const cases: [string, string, string][] = [
    ["/a/x-1-x86_64.pkg.tar.zst", "application/zstd", week],
    ["/a/x-1-x86_64.pkg.tar.zst.sig", "application/pgp-signature", week],
    ["/a/core.db", bin, asks],
    ["/a/core.db.tar.gz", "application/gzip", asks],
    ["/d/pool/main/a/a_1.deb", deb, week],
    ["/d/pool/main/a/a_1.orig.tar.xz", "application/x-xz", week],
    ["/d/pool/main/a/a_1.dsc", text, week],
    ["/d/dists/x/InRelease", text, asks],
    ["/d/dists/x/Release.gpg", bin, asks],
    ["/d/dists/x/main/Packages", text, asks],
    ["/d/dists/x/main/Packages.xz", "application/x-xz", asks],
    ["/d/dists/x/by-hash/SHA256/" + "a".repeat(64), bin, ever],
    ["/d/project/trace/deb.example.org", text, asks],
    ["/f/a.rpm", "application/x-rpm", week],
    ["/f/repodata/repomd.xml", "text/xml", asks],
    ["/x.iso", "application/x-iso9660-image", asks],
    ["/SHA256SUMS", text, asks],
    ["/x.SHA256", text, asks],
    ["/lastupdate", text, asks],
    ["/README.html", text, asks],
    ["/x.js", text, asks],
    ["/x.mjs", text, asks],
    ["/x.html", "text/html", asks],
    ["/x.svg", "image/svg+xml", asks],
    ["/constructor", bin, asks],
    ["/x.constructor", bin, asks],
    ["/x", bin, asks],
  ];
  for (const [path, type, cache] of cases) {
    assertEquals([path, contentType(path), cacheControl(path)], [path, type, cache]);
  }
  assertEquals(
    ["a.html", "a.svg", "a.xml", "a.xhtml", "a.js", "a.png"].map((n) => isActive(contentType(n))),
    [true, true, true, true, false, false],
  );
});
