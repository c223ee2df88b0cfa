/** The pure parts of `configure`, as tables. */
import { wrapperLines } from "../../../scripts/configure/access.ts";
import { ftpAdvice } from "../../../scripts/configure/advice.ts";
import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { advice } from "../../../scripts/configure/advice.ts";
import { isAtLeast, readNginx } from "../../../scripts/configure/host.ts";
import { changeOf } from "../../../scripts/configure/output.ts";
import { renderAll } from "../../../scripts/configure/render.ts";
import { render, type Values } from "../../../scripts/configure/template.ts";
import { aboveRepos, entriesBelow, type Site } from "../../../scripts/configure/values.ts";
import { UsageError } from "../../../scripts/lib/cli.ts";
import { readConfig } from "../../../scripts/lib/config.ts";
import { contentType } from "../../../server/types.ts";

const REPO = `[[repo]]\nname = "arch"\nprofile = "arch"\nupstream = ["rsync://h/m"]\n`;
const CERTIFIED = `certificate = "/c.pem"\ncertificate_key = "/k.pem"\n`;
const config = (server = "", repos = REPO) =>
  readConfig(`[site]\nname = "m.example.org"\n${server}\n${repos}`, "mirror.toml", "/srv/mirror");
const site = (more: Partial<Site> = {}): Site => ({
  out: "/etc/m",
  web: "/opt/m/web/dist",
  prefix: "",
  nginx: { version: [1, 22, 1], http3: false, stream: "/lib/stream.so" },
  certified: true,
  ...more,
});

Deno.test("render: a template and its values, the text", () => {
  const list = [{ x: 1 }, { x: 2 }];
  const cases: [string, Values, string][] = [
    ["a {{b}} c", { b: "x" }, "a x c"],
    ["{{b}}", { b: 0 }, "0"],
    ["{{b}}", { b: undefined }, ""],
    ["{{ b }}", { b: "$&" }, "$&"],
    ["{{b}}", { b: "{{c}}" }, "{{c}}"],
    ["  {{#b}}\n  x {{b}}\n  {{/b}}\ny\n", { b: 3 }, "  x 3\ny\n"],
    ["{{#b}}\nx\n{{/b}}\ny\n", { b: 0 }, "y\n"],
    ["{{^b}}\nx\n{{/b}}\ny\n", { b: "" }, "x\ny\n"],
    ["{{^b}}\nx\n{{/b}}\n", { b: list }, ""],
    ["{{#b}}\n{{x}}{{y}}\n{{/b}}\n", { b: list, y: "!" }, "1!\n2!\n"],
    ["{{#b}}\n{{#c}}\n{{x}}\n{{/c}}\n{{/b}}\n", { b: list, c: true }, "1\n2\n"],
    ["a{{#b}} b{{/b}}{{^b}} c{{/b}}", { b: true }, "a b"],
    ["a{{#b}} b{{/b}}{{^b}} c{{/b}}", { b: false }, "a c"],
  ];
  for (const [template, values, text] of cases) {
    assertEquals([template, render(template, values)], [template, text]);
  }
  assertThrows(() => render("{{typo}}", {}), Error, "{{typo}}, which has no value");
  assertThrows(() => render("{{b}}", { b: list }), Error, "needs a section");
});

Deno.test("readNginx: what nginx -V says, what it can", () => {
  const debian =
    "nginx version: nginx/1.22.1\nconfigure arguments: --modules-path=/m --with-stream=dynamic";
  assertEquals(readNginx(debian), {
    version: [1, 22, 1],
    http3: false,
    stream: "/m/ngx_stream_module.so",
  });
  const new_ =
    "nginx version: nginx/1.27.3 (x)\n--with-stream --with-stream_ssl_module --with-http_v3_module";
  assertEquals(readNginx(new_), { version: [1, 27, 3], http3: true, stream: "built-in" });
  assertEquals(readNginx("nginx version: nginx/1.26.0\n--with-stream_x").stream, "missing");
  for (const [v, yes] of [[[1, 25, 1], true], [[1, 26, 0], true], [[1, 25, 0], false]] as const) {
    assertEquals([v, isAtLeast([...v], 1, 25, 1)], [v, yes]);
  }
});

Deno.test("changeOf: what is there, what we wrote, what we would write", () => {
  assertEquals(changeOf(undefined, false, false), "new");
  assertEquals(changeOf("a", true, false), "same");
  assertEquals(changeOf("a", false, true), "changed");
  assertEquals(changeOf("a", false, false), "edited");
});

Deno.test("aboveRepos, entriesBelow: folders above repositories and what they show", () => {
  const repos = ["/arch/", "/pub/a/", "/pub/x/y/"].map((path) => ({ path }));
  assertEquals(aboveRepos(repos), ["/", "/pub/", "/pub/x/"]);
  assertEquals(aboveRepos([...repos, { path: "/" }]), []);
  assertEquals(entriesBelow("/", repos), ["arch/", "pub/"]);
  assertEquals(entriesBelow("/pub/", repos), ["a/", "x/"]);
});

Deno.test("nginx.conf: an option, its line", async () => {
  const v3 = { version: [1, 27, 0], http3: true, stream: "built-in" as const };
  const cases: [string, Partial<Site>, string, boolean][] = [
    ["", {}, "listen 0.0.0.0:80 default_server;", true],
    ["", {}, "listen [::]:80 default_server;", true],
    ["", {}, " ssl", false],
    [`[server.nginx]\n${CERTIFIED}`, {}, "listen [::]:443 ssl http2 default_server;", true],
    [`[server.nginx]\n${CERTIFIED}`, {}, "ssl_protocols TLSv1.2 TLSv1.3;", true],
    [`[server.nginx]\n${CERTIFIED}`, {}, "listen [::]:874 ssl;", true],
    [`[server.nginx]\n${CERTIFIED}`, {}, "load_module /lib/stream.so;", true],
    [`[server.nginx]\n${CERTIFIED}`, { certified: false }, " ssl", false],
    [`[server.nginx]\n${CERTIFIED}`, { nginx: v3 }, "listen [::]:443 ssl default_server;", true],
    [`[server.nginx]\n${CERTIFIED}`, { nginx: v3 }, "http2 on;", true],
    [`[server.nginx]\n${CERTIFIED}`, { nginx: v3 }, "listen 0.0.0.0:443 quic reuseport", true],
    [`[server.nginx]\n${CERTIFIED}`, { nginx: v3 }, `Alt-Svc 'h3=":443"; ma=86400'`, true],
    [`[server.nginx]\n${CERTIFIED}`, { nginx: v3 }, "load_module", false],
    [`[server.nginx]\n${CERTIFIED}[server.rsync]\ntls = "off"\n`, {}, "stream {", false],
    ["[server.nginx]\nport = 0\n", {}, ":80 ", false],
    ["[server.nginx]\nmax_connections = 9\n", {}, "limit_conn clients 9;", true],
    ["", {}, "limit_conn", false],
    [`[server.nginx]\nrate = "10m"\n`, {}, "limit_rate 10485760;", true],
    [`[server.nginx]\nallow = ["10.0.0.0/8"]\n`, {}, "allow 10.0.0.0/8;", true],
    [`[server.nginx]\nallow = ["10.0.0.0/8"]\n`, {}, "deny all;", true],
    [`[server.nginx]\ndeny = ["10.0.0.0/8"]\n`, {}, "deny 10.0.0.0/8;", true],
    [`[server.nginx]\ndeny = ["10.0.0.0/8"]\n`, {}, "deny all;", false],
    ["", {}, `"$http_user_agent"';`, true],
    ["", {}, "X-Forwarded-For $remote_addr;", true],
    ["[statcat]\nhub = false\n", {}, "remote_addr", false],
    ["[statcat]\nport = 0\n", {}, "upstream hub", false],
    ["", {}, "server 127.0.0.1:8081 max_fails=0;", true],
    ["[server.nginx]\nlog_addresses = true\n", {}, `"$http_user_agent" $remote_addr';`, true],
    ["", {}, `"~^/arch(?:/|$)"  "/srv/mirror/state/arch.ready";`, true],
  ];
  for (const [server, more, line, there] of cases) {
    const certified = more.certified ?? server.includes("certificate");
    const files = await renderAll(config(server), site({ ...more, certified }));
    assertEquals([server, line, files.get("nginx.conf")!.includes(line)], [server, line, there]);
  }
});

Deno.test("rsyncd.conf, vsftpd.conf, stunnel.conf: an option, its line", async () => {
  const stunnel = `[server.nginx]\n${CERTIFIED}[server.rsync]\ntls = "stunnel"\n`;
  const cases: [string, string, string, boolean][] = [
    ["", "rsyncd.conf", "address =", false],
    [`[server.rsync]\naddresses = ["::1"]\n`, "rsyncd.conf", "address = ::1\n", true],
    [
      `[server.rsync]\ntls = "off"\nallow = ["10.0.0.0/8", "::1"]\n`,
      "rsyncd.conf",
      "hosts allow = 10.0.0.0/8 ::1\nhosts deny = *\n",
      true,
    ],
    [
      `[server.nginx]\n${CERTIFIED}[server.rsync]\nallow = ["10.0.0.0/8"]\n`,
      "rsyncd.conf",
      "hosts allow = 10.0.0.0/8 127.0.0.1\n",
      true,
    ],
    [`[server.rsync]\ndeny = ["10.0.0.0/8"]\n`, "rsyncd.conf", "hosts deny = 10.0.0.0/8", true],
    [`[server.rsync]\nrate = "2m"\n`, "rsyncd.conf", "--bwlimit=2048", true],
    ["", "rsyncd.conf", "log file = /dev/null", true],
    ["", "rsyncd.conf", "&include /srv/mirror/state/rsyncd.d", true],
    ["", "vsftpd.conf", "listen_ipv6=YES\nlisten_port=", true],
    [`[server.ftp]\naddresses = ["::1"]\n`, "vsftpd.conf", "listen_address6=::1\n", true],
    ["", "vsftpd.conf", "tcp_wrappers", false],
    [`[server.ftp]\ndeny = ["10.0.0.0/8"]\n`, "vsftpd.conf", "tcp_wrappers=YES\n", true],
    [
      `[server.ftp]\naddresses = ["192.0.2.1"]\n`,
      "vsftpd.conf",
      "listen_address=192.0.2.1\n",
      true,
    ],
    [
      `[server.ftp]\npublic_address = "192.0.2.1"\n`,
      "vsftpd.conf",
      "pasv_address=192.0.2.1\n",
      true,
    ],
    [`[server.ftp]\nactive = false\n`, "vsftpd.conf", "port_enable=NO\n", true],
    [`[server.ftp]\nrate = "1k"\n`, "vsftpd.conf", "anon_max_rate=1024\n", true],
    ["", "vsftpd.conf", "xferlog_enable=NO\n", true],
    [stunnel, "stunnel.conf", "accept = :::874\n", true],
    [stunnel, "nginx.conf", "stream {", false],
  ];
  for (const [server, file, line, there] of cases) {
    const files = await renderAll(config(server), site());
    assertEquals([server, line, files.get(file)!.includes(line)], [server, line, there]);
  }
});

Deno.test("wrapperLines: allow and deny, as libwrap reads them", () => {
  const lines = (allow: string[], deny: string[]) =>
    wrapperLines({ allow, deny }).map(({ access }) => access);
  assertEquals(lines([], []), []);
  assertEquals(lines([], ["10.9.8.7/8", "0.0.0.0/0", "192.0.2.255/31", "2001:db8::/32"]), [
    "vsftpd: 10.0.0.0/255.0.0.0 : deny",
    "vsftpd: 0.0.0.0/0.0.0.0 : deny",
    "vsftpd: 192.0.2.254/255.255.255.254 : deny",
    "vsftpd: [2001:db8::]/32 : deny",
  ]);
  assertEquals(lines(["192.0.2.7", "::1"], ["192.0.2.7/32"]), [
    "vsftpd: 192.0.2.7 : deny",
    "vsftpd: 192.0.2.7 : allow",
    "vsftpd: [::1] : allow",
    "vsftpd: ALL : deny",
  ]);
});

Deno.test("ftpAdvice: says what to do until it is done", () => {
  const hosts = "# who\nvsftpd: [::1] : allow\nvsftpd: ALL : deny\n",
    done = (there?: string) => ftpAdvice(site(), hosts, there).length === 0;
  assertEquals(ftpAdvice(site(), undefined), []);
  assertEquals([undefined, "", "vsftpd: [::1] : allow\n", `sshd: ALL\n${hosts}`].map(done), [
    ...[false, false, false, false],
  ]);
  assertEquals([hosts, `# ours\n\n${hosts}sshd: ALL\n`].map(done), [true, true]);
});

Deno.test("renderAll: what a server can't keep is refused, with what is allowed", async () => {
  const cases: [string, RegExp][] = [
    [`[server.ftp]\naddresses = ["192.0.2.1", "192.0.2.2"]\n`, /server\.ftp\.addresses/],
    [
      `[server.rsync]\nallow = ["10.0.0.0/8"]\ndeny = ["10.1.0.0/16"]\n`,
      /server\.rsync\.deny = "10\.1\.0\.0\/16" is not allowed; allow = "10\.0\.0\.0\/8"/,
    ],
    [
      `[server.nginx]\n${CERTIFIED}[server.rsync]\ntls = "stunnel"\ndeny = ["10.1.0.0/16"]\n`,
      /server\.rsync\.tls = "stunnel" is not allowed with allow or deny/,
    ],
    [`[server.ftp]\ndeny = ["::ffff:10.0.0.1"]\n`, /server\.ftp has "::ffff:10\.0\.0\.1"/],
  ];
  for (const [server, message] of cases) {
    const error = await renderAll(config(server), site()).catch((e) => e);
    assertEquals([server, error instanceof UsageError], [server, true]);
    assertMatch(error.message, message);
  }
});

Deno.test("nginx.conf: the types are those of the embedded server, and no other", async () => {
  const text = (await renderAll(config(), site())).get("nginx.conf")!;
  const block =
    /default_type application\/octet-stream;\s*types \{([\s\S]*?)\n {4}\}/.exec(text)![1];
  const source = await Deno.readTextFile(new URL("../../../server/types.ts", import.meta.url));
  const ours = new Set([...source.matchAll(/^ {2}"?(\w+)"?: ["T]/gm)].map(([, e]) => e));
  const listed = /TEXT_EXTENSIONS = new Set\(([\s\S]*?)\)/.exec(source)![1].match(/[a-z0-9]+/g)!;
  for (const extension of listed) if (extension !== "split") ours.add(extension);
  const seen = new Set<string>();
  const lines = block.replace(/#.*/g, "").matchAll(/("[^"]+"|\S+)\s+([\w\s]+);/g);
  for (const [, type, extensions] of lines) {
    for (const extension of extensions.trim().split(/\s+/)) {
      seen.add(extension);
      assertEquals([extension, type.replaceAll('"', "")], [
        extension,
        contentType(`/x.${extension}`),
      ]);
    }
  }
  assertEquals([...seen].sort(), [...ours].sort());
});

Deno.test("advice: packages, ports and commands of what is configured", () => {
  const lines = advice(config(`[server.nginx]\n${CERTIFIED}`), site(), true).join("\n");
  assertStringIncludes(lines, "nginx rsync vsftpd libnginx-mod-stream");
  assertStringIncludes(lines, "Open: TCP 80, 443, 873, 874, 21, 40000-40999");
  assertStringIncludes(lines, "statcat hub, statcat spoke");
  assertStringIncludes(lines, "/logrotate.conf /etc/logrotate.d/mirrorkit");
  assertStringIncludes(lines, 'below [server]: socket = "/run/mirrorkit/server.sock"');
  assertStringIncludes(lines, "No HTTP/3: this nginx 1.");
  const http3 = site({ nginx: { ...site().nginx, http3: true } });
  const three = advice(config(`[server.nginx]\n${CERTIFIED}`), http3, true).join("\n");
  assertStringIncludes(three, "UDP 443");
  assertEquals(three.includes("No HTTP/3"), false);
  const none = advice(config(`[server.nginx]\n${CERTIFIED}`), site({ certified: false }), true);
  assertStringIncludes(
    none.join("\n"),
    "certbot certonly --webroot -w /var/www/acme -d m.example.org",
  );
  assertStringIncludes(advice(config(), site(), false).join("\n"), "There is no nginx here");
  const alone = advice(config("[statcat]\nhub = false\n"), site(), true).join("\n");
  assertEquals(alone.includes("statcat"), false);
});
