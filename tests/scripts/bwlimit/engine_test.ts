/** What is done about what was counted: tables of looks at a kernel that is none, under a fake clock. */
import { assertEquals, assertMatch } from "@std/assert";
import type { Id } from "../../../scripts/bwlimit/address.ts";
import { Engine } from "../../../scripts/bwlimit/engine.ts";
import { type Action, emptyReading, type Reading } from "../../../scripts/bwlimit/model.ts";
import type { Bytes } from "../../../scripts/bwlimit/rolling.ts";
import { sum } from "../../../scripts/bwlimit/rolling.ts";
import { MIB } from "../../../scripts/demo/limited.ts";
import { policy } from "./fixture.ts";

const WHO: Id = "c4 192.0.2.7";

/** A kernel that does what it is told, as far as the engine sees it. */
class Kernel {
  private counted = 0;
  private own?: number;
  private free = false;
  slow = false;
  refused?: { step: "ban" | "block"; until: number };
  readonly told: Action[] = [];
  constructor(readonly engine: Engine, public now = 1_000_000) {}

  /** Traffic of a client that the kernel counts one by one. */
  send(mib: number) {
    this.counted += mib * MIB;
    if (this.own !== undefined) this.own += mib * MIB;
  }

  reading(): Reading {
    const r = emptyReading();
    if (this.refused && this.refused.until <= this.now) this.refused = undefined;
    if (this.counted) r.count.set(WHO, [this.counted, 0, 0]);
    if (this.counted) r.protocols.set(WHO, ["tcp"]);
    if (this.own !== undefined) r.own.set(WHO, this.own);
    if (this.free) r.free.add(WHO);
    if (this.slow) r.slow.add(WHO);
    if (this.refused) r[this.refused.step].set(WHO, this.refused.until - this.now);
    return r;
  }

  look(seconds = 0): Action[] {
    this.now += seconds;
    const actions = this.engine.look(this.reading(), this.now);
    for (const a of actions) this.obey(a);
    return actions;
  }

  obey(a: Action) {
    this.told.push(a);
    if (a.do === "quota" && a.fresh) this.own = 0;
    if (a.do === "free") this.free = true;
    if (a.do === "unslow") this.slow = false;
    if (a.do === "ban" || a.do === "block") {
      this.refused = { step: a.do, until: this.now + a.seconds };
    }
    if (a.do === "unban") this.refused = undefined;
    if (a.do === "forget") {
      this.counted = 0;
      this.own = undefined;
      this.free = false;
    }
  }

  /** What the kernel lets through before it refuses. */
  left(): number {
    const quota = this.told.findLast((a) => a.do === "quota") as { hard: number } | undefined;
    return ((quota?.hard ?? 90 * MIB) - (this.own ?? this.counted)) / MIB;
  }

  /** What a look finds after the kernel itself has refused somebody. */
  refuse() {
    this.refused = { step: "ban", until: this.now + 3600 };
  }
  did() {
    return this.engine.records.splice(0).map((r) => r.did);
  }
}

Deno.test("a client that is new: a tenth of the limit was counted before; it gets quotas, then is freed", () => {
  const kernel = new Kernel(new Engine(policy()));
  kernel.send(5);
  assertEquals(kernel.look(2), [
    { do: "quota", id: WHO, hard: 85 * MIB, soft: 65 * MIB, fresh: true },
  ]);
  assertEquals(kernel.look(2), [{ do: "free", id: WHO }]);
  assertEquals(kernel.look(2), []);
  assertEquals(kernel.left(), 85);
});

Deno.test("bytes between reading and telling are not given away: the next look takes them back", () => {
  const kernel = new Kernel(new Engine(policy()));
  kernel.send(5);
  const actions = kernel.engine.look(kernel.reading(), kernel.now);
  kernel.send(7); // after the reading, before the quota
  actions.forEach((a) => kernel.obey(a));
  assertEquals(kernel.look(2).map((a) => a.do), ["quota", "free"]);
  assertEquals(kernel.left(), 78);
});

Deno.test("windows roll: what has left them may be used again, of the nearest limit", () => {
  const kernel = new Kernel(new Engine(policy()));
  kernel.send(50); // and the 10 before it was watched
  kernel.look();
  kernel.look(2);
  assertEquals(Math.round(kernel.left()), 40);
  kernel.look(3598);
  assertEquals(Math.round(kernel.left()), 40);
  kernel.look(70);
  assertEquals(Math.round(kernel.left()), 100);
  // 300 MiB a day: after four such hours the day is the nearer limit.
  for (let hour = 0; hour < 2; hour++) {
    kernel.send(95);
    kernel.look(2);
    kernel.look(3700);
  }
  assertEquals(Math.round(kernel.left()), 50);
});

Deno.test("a reading that fails to come changes nothing; a counter that begins anew is counted from 0", () => {
  const kernel = new Kernel(new Engine(policy()));
  kernel.send(30);
  kernel.look(2);
  const client = kernel.engine.client(WHO);
  const one = emptyReading();
  one.count.set(WHO, [3 * MIB, MIB, 0] as Bytes);
  one.own.set(WHO, 4 * MIB);
  kernel.engine.look(one, kernel.now + 2);
  assertEquals(client.total.map((n) => n / MIB), [43, 1, 0]);
});

Deno.test("ban: begins in the kernel, is judged here, escalates, ends, and the windows begin anew", () => {
  const kernel = new Kernel(new Engine(policy()));
  const lengths: [string, number][] = [];
  for (let i = 0; i < 4; i++) {
    kernel.send(90);
    kernel.look(2);
    kernel.refuse();
    const told = kernel.look(2).find((a) => a.do === "ban" || a.do === "block") as
      | { do: string; seconds: number }
      | undefined;
    lengths.push([kernel.refused!.step, told!.seconds]);
    assertEquals(sum(kernel.engine.client(WHO).windows[0].total()), 0);
    assertEquals(Math.round(kernel.left()), 100);
    kernel.look(told!.seconds - 10);
    assertEquals(kernel.refused !== undefined, true);
    kernel.look(12);
    assertEquals(kernel.refused, undefined);
  }
  assertEquals(lengths, [["ban", 3600], ["ban", 21600], ["block", 86400], ["block", 86400]]);
  assertEquals(kernel.did(), [
    ...["banned", "ended", "banned", "ended", "blocked", "ended", "blocked", "ended"],
  ]);
});

Deno.test("ban: what was before is forgotten step by step", () => {
  const kernel = new Kernel(new Engine(policy()));
  const offend = () => {
    kernel.send(95);
    kernel.look(2);
    kernel.refuse();
    kernel.look(2);
    const { until, since } = kernel.engine.client(WHO).ban!;
    kernel.look(until - kernel.now + 1);
    return until - since;
  };
  const day = 86400;
  assertEquals([offend(), offend()], [3600, 21600]);
  kernel.look(7 * day + 1);
  assertEquals(offend(), 21600); // one of two forgotten
  kernel.look(21 * day + 3);
  assertEquals(offend(), 3600); // all forgotten
});

Deno.test("ban: the record says which limit, how much, and the protocols when it began", () => {
  const kernel = new Kernel(new Engine(policy()));
  kernel.send(90);
  kernel.look(2);
  kernel.refuse();
  kernel.look(2);
  const [record] = kernel.engine.records;
  assertEquals([record.by, record.why], ["kernel", "100 MiB within 1 h are used up"]);
  assertEquals(kernel.engine.client(WHO).ban!.bytes, [100 * MIB, 0, 0]);
});

Deno.test("ban: ended early by hand is a pardon; lost with the table it is restored with what remains", () => {
  const engine = new Engine(policy()), kernel = new Kernel(engine);
  kernel.send(90);
  kernel.look(2);
  kernel.refuse();
  kernel.look(2);
  assertEquals(engine.restore(kernel.now + 600).slice(0, 1), [{
    do: "ban",
    id: WHO,
    seconds: 3000,
  }]);
  kernel.refused = undefined;
  kernel.look(2);
  assertEquals(kernel.did(), ["banned", "unbanned"]);
  assertEquals(engine.levelOf(WHO, kernel.now), 0);
});

Deno.test("restore: after a reboot the windows go on with what was counted", () => {
  const engine = new Engine(policy()), kernel = new Kernel(engine);
  kernel.send(60);
  kernel.look(2);
  const [quota, free] = engine.restore(kernel.now + 100);
  assertEquals([quota, free], [
    { do: "quota", id: WHO, hard: 30 * MIB, soft: 10 * MIB, fresh: true },
    { do: "free", id: WHO },
  ]);
});

Deno.test("throttle: noticed, and ended once the windows have enough room", () => {
  const kernel = new Kernel(new Engine(policy()));
  kernel.send(75);
  kernel.look(2);
  kernel.slow = true;
  kernel.look(2);
  kernel.look(1800);
  assertEquals([kernel.slow, kernel.did()], [true, ["throttled"]]);
  kernel.look(1900);
  assertEquals([kernel.slow, kernel.did()], [false, ["unthrottled"]]);
});

Deno.test("nothing is kept of who left all windows; of bans only under a name that tells nobody", () => {
  const engine = new Engine(policy(), undefined, () => "pseudonym"), kernel = new Kernel(engine);
  kernel.send(90);
  kernel.look(2);
  kernel.refuse();
  kernel.look(2);
  kernel.look(3601);
  assertEquals(kernel.look(2 * 86400), []);
  assertEquals([...engine.memory.clients.keys()], []);
  assertEquals([...engine.memory.levels.keys()], ["pseudonym"]);
  engine.tidy(kernel.now + 30 * 86400);
  assertEquals(engine.memory.levels.size, 0);
});

Deno.test("forgotten and back: a tenth is counted before it is watched again, and its counters with it", () => {
  const kernel = new Kernel(new Engine(policy()));
  kernel.send(5);
  kernel.look(2);
  kernel.look(2);
  assertEquals(kernel.look(90_000), [{ do: "forget", id: WHO, protocols: ["tcp"] }]);
  kernel.send(1);
  kernel.look(2);
  assertEquals(kernel.engine.client(WHO).total, [11 * MIB, 0, 0]);
});

Deno.test("another configuration: windows of the same length go on, scopes without limits are dropped", () => {
  const engine = new Engine(policy()), kernel = new Kernel(engine);
  kernel.send(20);
  kernel.look(2);
  engine.memory.clients.set("n4 192.0.2.0", engine.client(WHO));
  const next = new Engine(
    policy(`[bwlimit.client]\nlimit = { "2 h" = "150 MiB", "24 h" = "300 MiB" }\n`),
    engine.memory,
  );
  assertEquals([...next.memory.clients.keys()], [WHO]);
  const [hours, day] = next.client(WHO).windows;
  assertEquals([hours.seconds, sum(hours.total()), sum(day.total()) / MIB], [7200, 0, 30]);
});

Deno.test("reason: the fullest window is named", () => {
  const engine = new Engine(policy()), client = engine.client(WHO);
  engine.count(client, [299 * MIB, 0, 0], 0);
  client.windows[0].parts.length = 0;
  assertMatch(engine.reason(WHO, client), /^300 MiB within 1 d are used up$/);
});
