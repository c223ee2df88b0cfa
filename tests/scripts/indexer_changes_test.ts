/**
 * The change list way against a full look: some thousand random changes to small trees. After each, the
 * listings must be what a rebuild makes, byte for byte (that is what `--check` compares).
 */
import { assertEquals } from "@std/assert";
import { join } from "@std/path/posix";
import { exists } from "../../scripts/lib/files.ts";
import { addChanges } from "../../scripts/lib/storage.ts";
import { Mirror } from "./indexer_helpers.ts";

/** Numbers that look random; a seed that failed fails again. */
function randomFrom(seed: number) {
  return (below: number) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const NAMES = ["a", "b", "b2", "b10", "c d", "é", "<x>", "pool", "x:y", "%41", "nl\n", "index.htm"];

/** Changes a mirror at random, and says what syncrepo would say about it. */
class Changer {
  changed: string[] = [];
  constructor(readonly m: Mirror, readonly random: (below: number) => number) {}

  private pick = <T>(of: T[]): T => of[this.random(of.length)];

  /** Every path, directories with a slash. */
  private all(dir = ""): string[] {
    return [...Deno.readDirSync(this.m.at(dir))].sort((a, b) => a.name < b.name ? -1 : 1)
      .flatMap(({ name, isDirectory }) =>
        isDirectory ? [dir + name + "/", ...this.all(dir + name + "/")] : [dir + name]
      );
  }

  private folders = () => ["", ...this.all().filter((p) => p.endsWith("/"))];

  private free(): string | undefined {
    const path = this.pick(this.folders()) + this.pick(NAMES);
    try {
      Deno.lstatSync(this.m.at(path));
      return undefined;
    } catch {
      return path.split("/").length > 5 ? undefined : path;
    }
  }

  /** Sometimes a folder's contents are named with it, as rsync does, sometimes not. */
  private tell(path: string) {
    this.changed.push(path);
    if (path.endsWith("/") && this.random(2)) this.changed.push(...this.all(path));
  }

  private content(path: string) {
    this.m.file(path, this.random(3000), 1_700_000_000 + this.random(5) * 1000);
  }

  private target(): string {
    const to = this.pick([...this.all(), "nothing"]).replace(/\/$/, "");
    return this.pick(["", "../", "../../", "./", "../pool/", "/"]) + to;
  }

  private steps = {
    add: () => {
      const path = this.free();
      if (!path) return;
      this.content(path);
      this.tell(path);
    },
    link: () => {
      const path = this.free();
      if (!path) return;
      this.m.link(path, this.target());
      this.tell(path);
    },
    folder: () => {
      const path = this.free();
      if (!path) return;
      Deno.mkdirSync(this.m.at(path));
      for (let i = this.random(3); i > 0; i--) this.content(`${path}/${this.pick(NAMES)}`);
      if (this.random(2)) this.m.link(`${path}/link`, this.target());
      this.tell(path + "/");
    },
    change: () => {
      const files = this.all().filter((p) => Deno.lstatSync(this.m.at(p)).isFile);
      if (!files.length) return;
      const path = this.pick(files);
      this.content(path);
      this.tell(path);
    },
    remove: () => {
      const all = this.all();
      if (!all.length) return;
      const path = this.pick(all);
      this.tell(path);
      this.m.remove(path);
    },
    move: () => {
      const from = this.pick([...this.all(), "x"]), to = this.free();
      if (!to || from === "x" || (to + "/").startsWith(from)) return;
      this.tell(from);
      const slash = from.endsWith("/") ? "/" : "";
      Deno.renameSync(this.m.at(from), this.m.at(to));
      this.tell(to + slash);
    },
    replace: () => {
      const all = this.all();
      if (!all.length) return;
      const path = this.pick(all), bare = path.replace(/\/$/, "");
      this.tell(path);
      this.m.remove(path);
      if (this.random(3) === 0) this.m.link(bare, this.target());
      else if (this.random(2)) this.content(bare);
      else {
        this.content(`${bare}/${this.pick(NAMES)}`);
        this.changed.push(bare + "/");
      }
      this.changed.push(bare);
    },
  };

  /** A few changes; what they are called, for the message. */
  step(): string {
    this.changed = [];
    const names = Object.keys(this.steps) as (keyof typeof this.steps)[];
    const done = Array.from({ length: 1 + this.random(4) }, () => {
      const name = this.pick(names);
      this.steps[name]();
      return name;
    });
    return done.join(" ");
  }
}

const TREES = 40, STEPS = 50;

Deno.test(`changes: ${TREES * STEPS} random changes, the listings are those of a full rebuild`, async () => {
  const modes: Record<string, number> = {};
  for (let seed = 1; seed <= TREES; seed++) {
    using m = new Mirror();
    const changer = new Changer(m, randomFrom(seed));
    for (let i = 0; i < 8; i++) changer.step();
    await m.index();
    for (let step = 0; step < STEPS; step++) {
      const done = changer.step(), about = `seed ${seed}, step ${step}: ${done}`;
      await addChanges(m.files, changer.changed.map((p) => unescape(encodeURIComponent(p))));
      const { mode } = await m.index();
      modes[mode] = (modes[mode] ?? 0) + 1;
      const { differences } = await m.index("check");
      if (differences.length) {
        const tree = new Deno.Command("find", { args: [".", "-ls"], cwd: m.files.static });
        console.log(changer.changed, new TextDecoder().decode(tree.outputSync().stdout));
        const path = join(m.files.indexes, differences[0].split(":")[0]);
        console.log(await Deno.readTextFile(path).catch(String));
      }
      assertEquals([about, differences], [about, []]);
      if (step % 10 === 9) {
        // A scan looks again at what the change list way touched, and must find nothing to write.
        assertEquals([about, (await m.index()).written], [about, 0]);
      }
    }
  }
  assertEquals((modes.changes ?? 0) > TREES * STEPS * 0.9, true, JSON.stringify(modes));
  assertEquals(modes.full, undefined);
});

Deno.test("changes: a large listing, also where a damaged one above it ends the way", async () => {
  using m = new Mirror();
  Deno.mkdirSync(m.at("a/large"), { recursive: true });
  m.shell("touch a/large/a-name-as-long-as-that-of-a-package-{1..4000}-x86_64.pkg");
  await m.index();
  for (const damaged of [false, true]) {
    m.file(`a/large/new-${damaged}`, 5);
    if (damaged) Deno.writeTextFileSync(join(m.files.indexes, "index.json"), "damaged");
    await addChanges(m.files, [`a/large/new-${damaged}`]);
    const { mode } = await m.index();
    assertEquals([damaged, mode], [damaged, damaged ? "full" : "changes"]);
    assertEquals((await m.index("check")).differences, []);
    assertEquals(await exists(m.files.indexWork), false);
  }
  assertEquals(m.listing().files, 4002);
});
