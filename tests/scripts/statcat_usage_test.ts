/** The command `statcat`: wrong use is told apart, and says what is right. */
import { assertEquals, assertMatch } from "@std/assert";
import { TestNode } from "../helpers/node.ts";

const REPO = `[[repo]]\nname = "a"\nprofile = "generic"\nupstream = ["/u/"]\n`;

Deno.test("statcat: wrong use, nothing kept yet, tokens", async () => {
  await using node = await TestNode.make(`[statcat]\nhub = false\n${REPO}`);
  const cases: [string[], number, RegExp][] = [
    [[], 2, /Say one of hub, spoke, logs, token, show, export/],
    [["hubs"], 2, /does not know "hubs"/],
    [["hub", "extra"], 2, /statcat hub takes no "extra"/],
    [["hub", "--port", "x"], 2, /--port x is not allowed/],
    [["spoke"], 1, /There is no hub to tell/],
    [["show"], 1, /Nothing was kept yet/],
    [["show", "--live"], 1, /This node's hub does not run/],
    [["export", "--json"], 2, /statcat export takes no --json/],
    [["export", "--span", "century"], 2, /allowed are hour, day, month, year/],
    [["token"], 2, /token add NAME/],
    [["token", "add", "A B"], 2, /cannot be called "A B"/],
    [["token", "remove", "nobody"], 2, /There is no token of nobody/],
    [["logs"], 0, /^$/],
  ];
  await Promise.all(cases.map(async ([args, code, message]) => {
    const done = await node.run("scripts/statcat.ts", ...args);
    assertEquals([args, done.code], [args, code], done.stderr);
    assertMatch(done.stderr, message);
  }));
  const added = await node.run("scripts/statcat.ts", "token", "add", "busan");
  assertMatch(added.stdout, /^busan\.[\w-]{43}\n$/);
  assertEquals((await node.run("scripts/statcat.ts", "token", "list")).stdout, "busan\n");
  const removed = await node.run("scripts/statcat.ts", "token", "remove", "busan", "--json");
  assertEquals(JSON.parse(removed.stdout), { name: "busan", removed: true });
});
