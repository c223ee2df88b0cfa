/**
 * What both servers are asked. A row is a target, fields, a method. Rows with `differs` name what is known
 * to be different, and why it stays so; the suite fails when such a difference goes away unnoticed.
 */
import { MTIME } from "../fixture.ts";

/** A request, and the known difference, if there is one. */
export interface Row {
  target: string;
  headers?: Record<string, string>;
  method?: string;
  differs?: { embedded: number; nginx: number; why: string };
  /** Fields that may differ, or `body`; with the reason in a comment at the row. */
  but?: string[];
}

const ETAG = `"${MTIME.toString(16)}-${(26).toString(16)}"`;
const at = (shift: number) => new Date((MTIME + shift) * 1000).toUTCString();
const SAME = at(0), OLDER = at(-60), NEWER = at(60);
const FILE = "/arch/abc";

const plain = (targets: string[]): Row[] => targets.map((target) => ({ target }));
const of = (target: string, field: string, values: string[]): Row[] =>
  values.map((value) => ({ target, headers: { [field]: value } }));
const both = (rows: Row[]): Row[] => rows.flatMap((row) => [row, { ...row, method: "HEAD" }]);

const types = both(plain([
  FILE,
  "/arch/empty",
  "/arch/core/os/x86_64/core.db.tar.gz",
  "/arch/core/os/x86_64/core.db",
  "/arch/core/os/x86_64/x-1-any.pkg.tar.zst",
  "/arch/linked/os/x86_64/core.db",
  "/arch/pool/x-1-any.pkg.tar.zst",
  "/arch/pool/main/a/a_1.dsc",
  "/arch/a_1.deb",
  "/arch/lastupdate",
  "/arch/dists/sid/Release",
  "/arch/dists/sid/InRelease",
  "/arch/README",
  "/arch/SHA256SUMS",
  "/arch/project/trace/m.example.org",
  `/arch/by-hash/SHA256/${"ab".repeat(32)}`,
  "/arch/x.html",
  "/arch/x.svg",
  "/arch/x.xml",
  "/arch/x.js",
  "/arch/x.css",
  "/arch/x.txt",
  "/arch/x.TXT",
  "/arch/x.gz",
  "/arch/x.unknown",
  "/arch/index.html",
  "/arch/index.json",
]));

const ranges: Row[] = [
  ...of(FILE, "range", [
    "bytes=0-3",
    "bytes=0-0",
    "bytes=5-",
    "bytes=-5",
    "bytes=-100",
    "bytes=20-100",
    "bytes=0-25",
    "bytes=0-0,-1",
    "bytes=0-1, 5-6, 20-",
    "bytes=0-10,5-25",
    "bytes=0-0,30-40",
    "bytes=",
    "lines=0-3",
    "0-3",
    "bytes=" + "0-0,".repeat(40) + "0-0",
  ]),
  ...of(FILE, "range", [
    "bytes=26-",
    "bytes=5-3",
    "bytes=-0",
    "bytes=a-b",
    "bytes=-",
    "bytes=--1",
    "bytes=1-2-3",
    // The embedded server says how many bytes there are; nginx's words stand in a file, and it has the
    // file's Cache-Control beside the error's.
  ]).map((row) => ({ ...row, but: ["body", "content-length", "cache-control"] })),
  { target: "/arch/big.iso", headers: { range: "bytes=1000-199999" } },
  { target: "/arch/big.iso", headers: { range: "bytes=0-99,100000-200000,-50" } },
  { target: "/arch/empty", headers: { range: "bytes=0-" } },
  { target: "/arch/one", headers: { range: "bytes=0-0" } },
  {
    target: FILE,
    headers: { range: "bytes=0-99999999999999999999" },
    differs: {
      embedded: 206,
      nginx: 416,
      why:
        "nginx cannot hold the number. RFC 9110, 14.1.2: a last position beyond the end means the end",
    },
  },
  {
    target: FILE,
    method: "HEAD",
    headers: { range: "bytes=0-3" },
    differs: {
      embedded: 200,
      nginx: 206,
      why: "RFC 9110, 14.2: Range is defined for GET alone, and ignored with other methods",
    },
  },
];

const conditions: Row[] = [
  { target: FILE, headers: { range: "bytes=0-3", "if-range": ETAG } },
  { target: FILE, headers: { range: "bytes=0-3", "if-range": '"other"' } },
  { target: FILE, headers: { range: "bytes=0-3", "if-range": `W/${ETAG}` } },
  { target: FILE, headers: { range: "bytes=0-3", "if-range": SAME } },
  { target: FILE, headers: { range: "bytes=0-3", "if-range": OLDER } },
  { target: FILE, headers: { range: "bytes=0-3", "if-range": NEWER } },
  ...of(FILE, "if-none-match", [ETAG, `W/${ETAG}`, `"a", ${ETAG}`, "*", '"a"', '"a", "b"']),
  ...of(FILE, "if-modified-since", [SAME, NEWER, OLDER, "nonsense", "1"]),
  ...of(FILE, "if-match", [ETAG, "*", '"a"', `"a", ${ETAG}`]),
  ...of(FILE, "if-unmodified-since", [SAME, NEWER, OLDER]),
  { target: FILE, headers: { "if-none-match": '"a"', "if-modified-since": SAME } },
  { target: FILE, headers: { "if-none-match": ETAG, "if-modified-since": SAME } },
  { target: FILE, headers: { "if-none-match": ETAG, range: "bytes=0-3" } },
  { target: FILE, method: "HEAD", headers: { "if-none-match": ETAG } },
  { target: FILE, headers: { "if-match": ETAG, "if-none-match": ETAG } },
  {
    target: FILE,
    headers: { "if-none-match": ETAG, "if-modified-since": OLDER },
    differs: {
      embedded: 304,
      nginx: 200,
      why:
        "RFC 9110, 13.1.3: If-Modified-Since is ignored beside If-None-Match; nginx wants both to hold",
    },
  },
];

const traversal = plain([
  "/arch/../../secret",
  "/arch/../../../../../../etc/passwd",
  "/arch/%2e%2e/%2e%2e/secret",
  "/arch/..%2f..%2fsecret",
  "/arch/%2e%2e%2f%2e%2e%2fsecret",
  "/arch/%252e%252e/%252e%252e/secret",
  "/arch/..%5c..%5csecret",
  "/arch/..\\..\\secret",
  "/arch/..;/..;/secret",
  "/arch/..%00/secret",
  "/arch/abc%00.txt",
  "/arch/%",
  "/arch/%zz",
  "//arch/..//../secret",
  "/arch/./../../secret",
  "/x/../arch//./abc",
  "/arch/.../abc",
  "/static/arch/abc",
  "/state/arch.ready",
  "/arch/../state/arch.ready",
  "/indexes/arch/index.json",
  "/.mirrorkit/assets/../../../secret",
  "/.mirrorkit/assets/..%2f..%2fsecret",
  "/.mirrorkit/assets/%2e%2e",
  "/.mirrorkit/assets/secret.txt",
  "/.mirrorkit/error/404.txt",
  "/.mirrorkit/page/arch/index.html",
  "/error/404.txt",
  "/home/index.html",
  "/arch/.~tmp~/half",
  "/arch/.~tmp~/",
  "/arch/.~tmp~",
  "/arch/pool/.~tmp~/half",
  "/arch/%2e~tmp~/half",
  "/.mirrorkit/",
]);

const names = plain([
  "/arch/a%20b",
  "/arch/q%3Fx=1",
  "/arch/h%23x",
  "/arch/%3Cb%3E",
  "/arch/100%25",
  "/arch/%EA%B0%80%EB%82%98",
  "/arch/%C3%A9",
  "/arch/'%22",
  "/arch/..a",
  "/arch/%5C",
  "/arch/a+b",
  "/arch/a%2Bb",
  "/arch/a:b",
  "/arch/.hidden",
  "/arch/~x",
  "/arch//abc",
  "/arch/%61bc",
  "/arch/abc?x=y",
  "/arch/abc?",
  "/arch/abc/",
  "/arch/abc/x",
  "/arch/nix",
  "/arch/nix/",
  "/arch/dangling",
  "/arch/" + "n".repeat(300),
  "/nix",
  "/archx",
  "/nix/",
  "http://elsewhere.example/arch/abc",
  "/" + "a/".repeat(5000),
]);

const directories: Row[] = [
  ...plain([
    "/arch",
    "/arch?format=json",
    "/arch/core",
    "/arch/a%20dir%3F%23%25",
    "//arch",
    "/pub",
  ]),
  ...plain(["/pub?x=y", "/arch/linked"]),
  ...both(
    plain(["/arch/", "/arch/core/os/x86_64/", "/arch/a%20dir%3F%23%25/", "/arch/linked/", "/"]),
  ),
  ...plain(["/arch/linked/os/x86_64/", "/arch/unlisted/", "/pub/", "/pub/b/", "/arch/./core/"]),
  ...plain(["json", "html", "text", "pdf", "", "JSON", "js%6Fn"].map((f) => `/arch/?format=${f}`)),
  ...plain(["/arch/?x=y", "/arch/?x=y&format=json", "/arch/?%66ormat=json", "/?format=json"]),
  ...plain(["/?format=text", "/pub/?format=json", "/arch/linked/?format=json"]),
  ...of("/arch/", "if-none-match", ["*", '"x"']),
];

const CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36";
const HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

const negotiation: Row[] = [
  ...of("/arch/", "accept", [
    "*/*",
    "text/html",
    HTML,
    "application/json",
    "Application/JSON; charset=utf-8",
    "text/plain",
    "application/json, text/plain, */*",
    "text/plain, */*",
    "text/plain;q=0.5, application/json;q=0.4",
    "text/plain;q=0.4, application/json;q=0.5",
    "application/json;q=0.9, */*",
    "application/json;q=0",
    "application/json;q=1.0",
    "application/json;q=0.999, text/html;q=0.998",
    "text/html;q=0, */*;q=0.1",
    "text/html;q=0.9, application/json",
    "application/*",
    "text/*",
    "text/*, application/*",
    "image/png",
    "text/plain;q=nonsense",
    "application/jsonx, x/y",
    "",
    ",,,",
  ]),
  ...[CHROME, "Lynx/2.9", "w3m/0.5", "Links (2.29)", "curl/8.0", "ELinks/0.17"].map((agent) => ({
    target: "/arch/",
    headers: { accept: HTML, "user-agent": agent },
  })),
  {
    target: "/arch/",
    headers: { accept: HTML, "user-agent": "Mozilla/5.0 (compatible; Dillo 3.0)" },
  },
  {
    target: "/arch/",
    headers: { accept: HTML, "user-agent": "Mozilla/5.0 (compatible; Somebot)" },
  },
  { target: "/arch/", headers: { accept: "*/*", "user-agent": CHROME } },
  { target: "/arch/", headers: { accept: "application/json", "user-agent": CHROME } },
  { target: "/arch/?format=html", headers: { accept: HTML, "user-agent": CHROME } },
  { target: "/arch/", method: "HEAD", headers: { accept: HTML, "user-agent": CHROME } },
  { target: "/arch/nix/", headers: { accept: HTML, "user-agent": CHROME } },
  { target: "/arch/linked/", headers: { accept: HTML, "user-agent": CHROME } },
  // The home page says how long ago things were.
  ...["en", "ko-KR,ko;q=0.9", "de", "de, ko;q=0.5"].map((language) => ({
    target: "/",
    headers: { accept: HTML, "user-agent": CHROME, "accept-language": language },
    but: ["body", "content-length", "etag"],
  })),
  ...["/", "/.mirrorkit/"].map((target) => ({
    target,
    headers: { accept: HTML, "user-agent": "Lynx/2.9" },
    but: ["body", "content-length", "etag"],
  })),
  { target: "/pub/", headers: { accept: HTML, "user-agent": CHROME } },
  ...["gzip", "gzip, br", "GZIP", "gzip;q=0", "gzip;q=0.5", "identity", "br", ""].map((coding) => ({
    target: "/arch/?format=json",
    headers: { "accept-encoding": coding },
  })),
  { target: "/arch/", headers: { "accept-encoding": "gzip" }, method: "HEAD" },
  { target: "/arch/", headers: { "accept-encoding": "gzip", range: "bytes=0-9" } },
  { target: "/arch/pool/", headers: { "accept-encoding": "gzip" } },
  { target: "/arch/abc", headers: { "accept-encoding": "gzip" } },
  {
    target: "/arch/",
    headers: { accept: HTML, "user-agent": CHROME, "accept-encoding": "gzip" },
  },
  ...["ko", "ko-KR, en;q=0.5", "fr, ko", "kok, en, ko", "en, ko", "*"].flatMap((language) =>
    ["/arch/nix", "/new/", "/arch/core/nix/x", "/nix"].map((target) => ({
      target,
      headers: { accept: HTML, "accept-language": language },
    }))
  ),
  // links names no type, and is shown pages all the same; programs are not.
  ...["Links (2.28; Linux)", "Lynx/2.9", "w3m/0.5", "ELinks/0.17", "curl/8.0", CHROME].flatMap((
    agent,
  ) =>
    ["*/*", "", HTML, "application/json"].map((accept) => ({
      target: "/arch/nix",
      headers: { accept, "user-agent": agent },
    }))
  ),
  ...of("/arch/nix", "accept", ["*/*", "application/json", "text/plain", HTML, "text/html;q=0.5"]),
];

const methods: Row[] = [
  ...["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"].flatMap((method) => [
    { target: FILE, method },
    { target: "/arch/", method },
  ]),
  { target: "/new/", method: "POST" },
  { target: "/healthz", method: "POST" },
  { target: FILE, method: "POST", headers: { accept: "application/json", "content-length": "0" } },
];

const gates: Row[] = [
  ...["/new/", "/new", "/new/partial", "/new/nix", "/new/.~tmp~/x", "//new//partial"].map((
    target,
    // The embedded server names the repository; nginx's words stand in a file.
  ) => ({ target, but: ["body", "content-length"] })),
  { target: "/new/", headers: { accept: "application/json" }, but: ["body", "content-length"] },
  { target: "/new/partial", method: "HEAD", but: ["content-length"] },
];

const own: Row[] = [
  // Times and memory differ from moment to moment.
  { target: "/healthz", but: ["body", "content-length"] },
  { target: "/nodes.json" },
  { target: "/status.json", but: ["body", "content-length", "etag"] },
  { target: "/metrics", but: ["body", "content-length", "etag"] },
  { target: "/sse" },
  ...both(plain(["/.mirrorkit/assets/page-ABC123.js", "/.mirrorkit/assets/page-ABC123.css"])),
  ...plain(["/.mirrorkit/early.js"]),
  ...plain(["/.mirrorkit/assets/icon-ABC123.svg", "/.mirrorkit/assets/nix.js"]),
  { target: "/.mirrorkit/assets/page-ABC123.js", headers: { "accept-encoding": "gzip" } },
  // A file has validators of another kind than a body that was made for the request.
  { target: "/.mirrorkit/site.css", but: ["etag", "last-modified", "accept-ranges"] },
  { target: FILE, headers: { "x-large": "x".repeat(7000) } },
  { target: FILE, headers: { cookie: "a=".repeat(2000) } },
];

/** All rows. */
export const ROWS: Row[] = [
  ...types,
  ...ranges,
  ...conditions,
  ...traversal,
  ...names,
  ...directories,
  ...negotiation,
  ...methods,
  ...gates,
  ...own,
];
