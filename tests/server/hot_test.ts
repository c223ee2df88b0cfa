import { assertEquals } from "@std/assert";
import { Hot } from "../../server/hot.ts";

/** An app with one file, which notes how it was asked; and a clock that stands. */
function scene(content = "one") {
  const state = { content, status: 200, vary: "", asked: [] as string[], at: 1000 };
  const app = (request: Request) => {
    const etag = `"${state.content}"`;
    const condition = request.headers.get("if-none-match");
    state.asked.push(request.headers.get("range") ?? condition ?? "plain");
    const headers = {
      etag,
      "content-length": String(state.content.length),
      ...(state.vary ? { vary: state.vary } : {}),
    };
    if (condition === etag) return new Response(null, { status: 304, headers });
    return new Response(state.content, { status: state.status, headers });
  };
  const hot = new Hot(app, () => state.at);
  const get = async (headers: Record<string, string> = {}, url = "http://x/file") => {
    const response = await hot.handle(new Request(url, { headers }));
    return `${response.status} ${await response.text()} ${response.headers.get("etag")}`;
  };
  return { state, get, hot };
}

Deno.test("Hot: what is asked for over and over is looked up once in 10 ms", async () => {
  const { state, get } = scene();
  for (let i = 0; i < 50; i++) assertEquals(await get(), '200 one "one"');
  assertEquals(state.asked, ["plain", "plain"]);
  state.at += 9;
  assertEquals(await get(), '200 one "one"');
  assertEquals(state.asked.length, 2);
  state.at += 1;
  assertEquals(await get(), '200 one "one"');
  assertEquals(state.asked.slice(2), ['"one"']);
});

Deno.test("Hot: a new version is served as soon as the old one was believed for 10 ms", async () => {
  const { state, get } = scene();
  for (let i = 0; i < 3; i++) await get();
  state.content = "another";
  state.at += 10;
  assertEquals(await get(), '200 another "another"');
  assertEquals(await get(), '200 another "another"');
});

Deno.test("Hot: what is gone is gone, and no error is kept", async () => {
  const { state, get } = scene();
  for (let i = 0; i < 3; i++) await get();
  [state.status, state.content] = [404, "no"];
  state.at += 10;
  for (let i = 0; i < 3; i++) assertEquals(await get(), '404 no "no"');
  [state.status, state.content] = [200, "back"];
  assertEquals(await get(), '200 back "back"');
});

Deno.test("Hot: ranges and conditions go to the app", async () => {
  const { state, get } = scene();
  for (let i = 0; i < 3; i++) await get();
  await get({ range: "bytes=0-1" });
  assertEquals(await get({ "if-none-match": '"one"' }), '304  "one"');
  assertEquals(state.asked.slice(2), ["bytes=0-1", '"one"']);
});

Deno.test("Hot: an answer that varies is given only to those who ask alike", async () => {
  const { state, get } = scene();
  state.vary = "Accept, User-Agent";
  for (let i = 0; i < 3; i++) await get({ accept: "text/html" });
  assertEquals(state.asked.length, 2);
  await get({ accept: "application/json" });
  assertEquals(state.asked.length, 3);
});

Deno.test("Hot: what is asked for now and then is not kept", async () => {
  const { state, get } = scene();
  for (let i = 0; i < 5; i++, state.at += 200) await get();
  assertEquals(state.asked, Array(5).fill("plain"));
});

Deno.test("Hot: many who ask while an answer is looked up cause one look", async () => {
  const { state, get } = scene();
  for (let i = 0; i < 3; i++) await get();
  state.at += 10;
  await Promise.all(Array.from({ length: 20 }, () => get()));
  assertEquals(state.asked.slice(2), ['"one"']);
});

Deno.test("Hot: many who ask for the same at first do not all take it into memory", async () => {
  let taken = 0;
  const hot = new Hot(() => {
    const response = new Response("one", { headers: { etag: "x", "content-length": "3" } });
    const bytes = () => (taken++, Response.prototype.bytes.call(response));
    return Object.assign(response, { bytes });
  }, () => 0);
  const get = async () => await (await hot.handle(new Request("http://x/file"))).text();
  await get();
  assertEquals(await Promise.all(Array.from({ length: 20 }, get)), Array(20).fill("one"));
  assertEquals(taken, 1);
});

Deno.test("Hot: it keeps no more than 32 MiB, and nothing above 8 MiB", async () => {
  const { state, get } = scene("x".repeat(7 * 1024 ** 2));
  const ask = async (i: number) => void await get({}, `http://x/${i}`);
  for (let i = 0; i < 8; i++) for (let n = 0; n < 2; n++) await ask(i);
  assertEquals(state.asked.length, 16);
  await ask(7);
  assertEquals(state.asked.length, 16);
  await ask(0);
  assertEquals(state.asked.length, 17);
  state.content += state.content;
  for (let n = 0; n < 3; n++) await ask(100);
  assertEquals(state.asked.length, 20);
});
