/** A command's permissions stand in three places; they are the same. */
import { assertEquals } from "@std/assert";
import { PERMISSIONS } from "../../scripts/lib/children.ts";

const read = (path: string) => Deno.readTextFile(new URL(`../../${path}`, import.meta.url));

Deno.test("permissions: shebang, task and child say the same", async () => {
  const tasks: Record<string, { command: string }> = JSON.parse(await read("deno.json")).tasks;
  for (const [script, flags] of Object.entries(PERMISSIONS)) {
    // A mode's are for children and units only.
    if (script.includes(" ")) continue;
    const [shebang] = (await read(script)).split("\n");
    assertEquals(shebang, `#!/usr/bin/env -S deno run ${flags.join(" ")}`);
    const commands = Object.values(tasks).map((t) => t.command).filter((c) => c.includes(script));
    for (const line of commands) {
      assertEquals(line.split(` ${script}`)[0], `deno run ${flags.join(" ")}`);
    }
  }
});
