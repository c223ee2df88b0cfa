import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { pathsOfOthers, pickRepos, readConfig, repoAt } from "../../scripts/lib/config.ts";
import { UsageError } from "../../scripts/lib/cli.ts";

const SITE = `[site]\nname = "m.example.org"\n`;
const repo = (more = "", name = "a") =>
  `[[repo]]\nname = "${name}"\nprofile = "arch"\nupstream = ["rsync://h/m"]\n${more}\n`;

const OK = `addresses = ["192.0.2.1"]`;
const healthz = (node: string, more = "") =>
  `[healthz]\n${more}\n[[healthz.node]]\nname = "n"\n${node}\n${repo()}`;

const config = (toml: string) => readConfig(toml, "mirror.toml");

/** What a person is told about a wrong file. */
const complaint = (toml: string) => assertThrows(() => config(toml), UsageError).message;

Deno.test("readConfig: five lines are enough, defaults filled in", () => {
  const { repos, site, server } = config(SITE + repo());
  assertEquals([site.name, server.hostname, server.port], ["m.example.org", "127.0.0.1", 8080]);
  assertEquals([server.nginx.port, server.rsync.tls, server.ftp.passive_ports], [80, "nginx", [
    40000,
    40999,
  ]]);
  const { path, upstream, max_delete, stale_after, verify } = repos[0];
  assertEquals([path, upstream, max_delete, stale_after, verify], [
    "/a/",
    ["rsync://h/m/"],
    { percent: 15, files: 20_000 },
    86_400,
    "strict",
  ]);
});

Deno.test("readConfig: the example works as it stands once the upstream is filled in", async () => {
  const example = await Deno.readTextFile(new URL("../../mirror.toml.example", import.meta.url));
  const filled = example.replaceAll("UPSTREAM", "t1.example.org");
  assertEquals(config(filled).repos.length >= 1, true);
});

Deno.test("readConfig: what README.md shows works", async () => {
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  const blocks = [...readme.matchAll(/^( *)```toml\n([^]*?)^ *```/gm)].map(([, , toml]) => toml);
  const whole = blocks.filter((toml) => /^ *\[site\]/m.test(toml));
  assertEquals(whole.length >= 2, true);
  for (const toml of whole) config(toml);
});

Deno.test("readConfig: errors name file, key, value and what is allowed", () => {
  const table: [string, RegExp][] = [
    ["a =", /^Cannot read mirror\.toml: /],
    ["", /mirror\.toml: key site is missing[\s\S]*key repo is missing/],
    [SITE, /mirror\.toml: key repo is missing/],
    ["repo = []\n" + SITE, /repo = \[\] is not allowed; allowed is at least one \[\[repo\]\]/],
    [SITE + repo("typo = 1"), /unknown key repo\[0\]\.typo/],
    [
      SITE + repo("", "A b"),
      /repo\[0\]\.name = "A b" is not allowed; allowed are lower-case letters/,
    ],
    [
      SITE + repo().replace("arch", "suse"),
      /profile = "suse" is not allowed; allowed are arch, debian/,
    ],
    [
      SITE + repo().replace("rsync://h/m", "ftp://h/m"),
      /upstream\[0\] = "ftp:\/\/h\/m" is not allowed; allowed is rsync:/,
    ],
    [
      SITE + repo().replace("rsync://h/m", "rsync://h"),
      /upstream\[0\] = "rsync:\/\/h" is not allowed/,
    ],
    [SITE + repo().replace("rsync://h/m", "-e evil"), /upstream\[0\]/],
    [SITE + repo(`path = "a/"`), /path = "a\/" is not allowed; allowed is "\/" or a path/],
    [SITE + repo(`path = "/../a/"`), /path = "\/\.\.\/a\/" is not allowed/],
    [
      SITE + repo(`schedule = "daily"`),
      /schedule = "daily" is not allowed; allowed is a cron pattern/,
    ],
    [
      SITE + repo(`bwlimit = "fast"`),
      /bwlimit = "fast" is not allowed; allowed is what rsync --bwlimit/,
    ],
    [SITE + repo(`exclude = "iso"`), /exclude = "iso" is not allowed; allowed is a list of rsync/],
    [
      SITE + repo(`path = "/healthz/"`),
      /path = "\/healthz\/" of a is not allowed; the server's own are/,
    ],
    [
      SITE + `[statcat]\nname = "A/b"\n` + repo(""),
      /statcat\.name = "A\/b" is not allowed; allowed are lower-case letters/,
    ],
    [
      SITE + `[statcat]\ninterfaces = ["../lo"]\n` + repo(""),
      /statcat\.interfaces\[0\] = "\.\.\/lo" is not allowed; allowed is the name of an/,
    ],
    [
      SITE + `[statcat]\nsend_to = [{ url = "http://h/", token_file = "t" }]\n` + repo(""),
      /statcat\.send_to\[0\]\.url = "http:\/\/h\/" is not allowed; allowed is a URL such as "wss/,
    ],
    [
      SITE + repo(`path = "/stats.json/"`),
      /path = "\/stats\.json\/" of a is not allowed; the server's own are/,
    ],
    [
      `[site]\nname = "a b;c"\n` + repo(),
      /site\.name = "a b;c" is not allowed; allowed is the host name/,
    ],
    [`[site]\nname = "../x"\n` + repo(), /site\.name = "\.\.\/x" is not allowed/],
    [SITE + repo(`check = "ftp://x"`), /check = "ftp:\/\/x" is not allowed/],
    [SITE + repo(`check = "../x"`), /check = "\.\.\/x" is not allowed/],
    [
      SITE + repo("max_delete = { percent = 101 }"),
      /max_delete\.percent = 101 is not allowed; .* from 0 to 100/,
    ],
    [
      SITE + repo(`time_limit = "soon"`),
      /time_limit = "soon" is not allowed; allowed is a duration/,
    ],
    [SITE + `[server]\nport = 70000\n` + repo(), /server\.port = 70000 is not allowed/],
    [
      SITE + `[server.nginx]\naddresses = ["here"]\n` + repo(),
      /server\.nginx\.addresses\[0\] = "here" is not allowed; allowed is an IP address/,
    ],
    [SITE + `[server.nginx]\nrate = "fast"\n` + repo(), /rate = "fast" .* allowed is a rate/],
    [SITE + `[server.nginx]\ncertificate = "a;b"\n` + repo(), /certificate = "a;b" is not allowed/],
    [SITE + `[server.rsync]\ntls = "yes"\n` + repo(), /tls = "yes" .* nginx, stunnel, off/],
    [
      SITE + `[server.ftp]\npassive_ports = [9, 8]\n` + repo(),
      /passive_ports = .* lower one first/,
    ],
    [SITE + `[server.ftp]\nallows = []\n` + repo(), /unknown key server\.ftp\.allows/],
    [SITE + repo(`rsync_module = "a b"`), /rsync_module = "a b" .* letters, digits/],
    [SITE + repo(`comment = "a\\nb"`), /comment = .* one line of text/],
    [SITE + repo() + repo(), /name = "a" stands twice/],
    [SITE + healthz(OK).replace(/\[\[repo[^]*/, ""), /healthz\.lastsync is missing; there is no/],
    [SITE + "[healthz]\n" + repo(), /key healthz\.node is missing/],
    [
      SITE + healthz(`addresses = []`),
      /healthz\.node\[0\]\.addresses = \[\] .* at least one address/,
    ],
    [
      SITE + healthz(`addresses = ["1.2.3.256"]`),
      /addresses\[0\] = "1\.2\.3\.256" .* an IP address/,
    ],
    [SITE + healthz(`addresses = ["::1::"]`), /allowed is an IP address/],
    [SITE + healthz(`addresses = ["::1", "0:0::1"]`), /healthz: address "::1" stands twice/],
    [SITE + healthz(OK, `checks = ["ping"]`), /checks\[0\] = "ping" .* allowed are http, https/],
    [SITE + healthz(OK, `checks = ["range"]`), /healthz\.database is missing; the check "range"/],
    [SITE + healthz(OK, `rise = 0`), /healthz\.rise = 0 is not allowed; .* from 1 to 100/],
    [SITE + healthz(OK, `schedule = "often"`), /schedule = "often" .* a cron pattern/],
    [
      SITE + healthz(OK, `references = ["example.org:53"]`),
      /references\[0\] = .* an address and port/,
    ],
    [SITE + healthz(OK, `name = "a b"`), /healthz\.name = "a b" .* a host name/],
    [SITE + healthz(OK, `dns = { provider = "route53" }`), /allowed is a table whose provider is/],
    [
      SITE + healthz(OK, `dns = { provider = "rfc2136", server = "::1", zone = "other.org" }`),
      /healthz\.name = "m\.example\.org" .* not in the zone "other\.org"/,
    ],
    [
      SITE + healthz(OK, `quorum = { peers = ["/x"], need = 3 }`),
      /healthz\.quorum\.need = 3 is not allowed; there are 2 checkers/,
    ],
    [SITE + repo() + repo(`path = "/a/b/"`, "b"), /path = "\/a\/b\/" of b overlaps "\/a\/" of a/],
    [SITE + repo(`path = "/"`) + repo(`path = "/"`, "b"), /overlaps/],
  ];
  for (const [toml, expected] of table) assertMatch(complaint(toml), expected);
});

Deno.test("readConfig: paths in the file are relative to it", () => {
  const { data, repos } = readConfig(
    `data = "store"\n${SITE}${repo(`password_file = "secret"`)}`,
    "/etc/m/mirror.toml",
  );
  assertEquals([data, repos[0].password_file], ["/etc/m/store", "/etc/m/secret"]);
});

Deno.test("pickRepos: all, some, or the nearest name suggested", () => {
  const c = config(SITE + repo("", "archlinux") + repo("", "debian"));
  assertEquals(pickRepos(c, []).map((r) => r.name), ["archlinux", "debian"]);
  assertEquals(pickRepos(c, ["debian", "debian"]).map((r) => r.name), ["debian"]);
  assertMatch(
    assertThrows(() => pickRepos(c, ["archlinx"])).message,
    /No repository "archlinx".*Did you mean archlinux\?/,
  );
});

Deno.test("pathsOfOthers, repoAt: a repository at / leaves the others alone", () => {
  const c = config(SITE + repo(`path = "/"`) + repo(`path = "/pub/b/"`, "b") + repo("", "c"));
  assertEquals(c.repos.map((r) => pathsOfOthers(c, r)), [["pub/b/", "c/"], [], []]);
  const table = {
    "/": "a",
    "/x": "a",
    "/pub/": "a",
    "/pub/b/x": "b",
    "/c": "c",
    "/c/": "c",
    "/cx/": "a",
  };
  for (const [path, name] of Object.entries(table)) {
    assertEquals([path, repoAt(c.repos, path)?.name], [path, name]);
  }
});

Deno.test("readConfig: who only looks after others needs no repository", () => {
  const toml = SITE + healthz(OK, `lastsync = "/x/lastsync"`).replace(/\[\[repo[^]*/, "");
  const { repos, healthz: table } = config(toml);
  assertEquals([repos, table!.lastsync, table!.listing], [[], "/x/lastsync", undefined]);
});

const HOOK = `{ provider = "hook", command = ["x"], secret_file = "token" }`;

Deno.test("readConfig: healthz takes from the rest what it leaves open", () => {
  const { healthz: table } = readConfig(
    SITE + healthz(`addresses = ["2001:DB8:0::1", "192.0.2.1"]`, `dns = ${HOOK}`) +
      `\n` + repo("", "b"),
    "/etc/m/mirror.toml",
  );
  assertEquals([table!.name, table!.lastsync, table!.listing, table!.rsync_module], [
    "m.example.org",
    "/a/lastsync",
    "/a/",
    "a",
  ]);
  assertEquals(table!.node[0].addresses, ["2001:db8::1", "192.0.2.1"]);
  assertEquals(table!.dns!.secret_file, "/etc/m/token");
});
