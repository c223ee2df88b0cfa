/** A spoke's line to its hub: what is kept, sent again, and when it tries again. No port, no waiting. */
import { assert, assertEquals } from "@std/assert";
import { mock } from "node:test";
import { readMessage, type Sample, writeAck } from "../../../scripts/statcat/sample.ts";
import { KEPT, type Line, pauseMs, Uplink } from "../../../scripts/statcat/uplink.ts";

/** A line that records what is sent; the test plays the hub. */
class FakeLine implements Line {
  readyState = 0;
  bufferedAmount = 0;
  sent: string[] = [];
  readonly #listeners: Record<string, (value?: unknown) => void> = {};

  on(event: string, listener: (...args: never[]) => void) {
    this.#listeners[event] = listener as (value?: unknown) => void;
  }
  send(text: string) {
    this.sent.push(text);
  }
  terminate() {
    this.readyState = 3;
    this.#listeners.close?.();
  }
  open() {
    this.readyState = 1;
    this.#listeners.open();
  }
  hear(event: "ping" | "message", text = "") {
    this.#listeners[event](text);
  }
  /** Numbers of the samples that were sent. */
  numbers(): number[] {
    return this.sent.flatMap((text) => readMessage(text)!.samples.map((s) => s.seq));
  }
}

function scene() {
  const lines: FakeLine[] = [], said: string[] = [], clock = { ms: 0 };
  const uplink = new Uplink({
    find: () => ({ url: "ws://hub.test/", token: "seoul.secret" }),
    report: (what) => void said.push(what),
    connect: () => {
      const line = new FakeLine();
      lines.push(line);
      return line;
    },
    clock: () => clock.ms,
  });
  let seq = 0;
  const push = (n = 1) => {
    for (; n > 0; n--) {
      clock.ms += 1000;
      uplink.push(
        { seq: ++seq, time: 1_795_262_400 + seq, ms: 1000, rows: [["eth0", 1, 2, 3, 4]] } as Sample,
      );
    }
  };
  return { uplink, lines, said, clock, push };
}

Deno.test("pauseMs: grows to a ceiling, with full jitter", () => {
  const half = () => 0.5;
  assertEquals([0, 1, 2, 3, 10, 1000].map((n) => pauseMs(n, half)), [
    250,
    500,
    1000,
    2000,
    15_000,
    15_000,
  ]);
  const spread = Array.from({ length: 200 }, () => pauseMs(3));
  assert(Math.min(...spread) < 1000 && Math.max(...spread) > 3000 && Math.max(...spread) <= 4000);
});

Deno.test("Uplink: what is not acknowledged is sent again on the next line, in its order, and then forgotten", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { uplink, lines, push } = scene();
    push(2);
    lines[0].open();
    push();
    assertEquals(lines[0].numbers(), [1, 2, 3]);
    lines[0].hear("message", writeAck(2));
    lines[0].hear("message", "nonsense");
    assertEquals(uplink.waiting, 1);
    lines[0].terminate();
    push(2);
    mock.timers.tick(500);
    lines[1].open();
    assertEquals(lines[1].numbers(), [3, 4, 5]);
    // Two lines never tell of each other: the old one's end is not the new one's.
    lines[0].terminate();
    push();
    assertEquals([lines.length, lines[1].numbers().at(-1)], [2, 6]);
    uplink.stop();
  } finally {
    mock.timers.reset();
  }
});

Deno.test("Uplink: a quarter of an hour is kept, the newest; a slow hub is not overrun", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { uplink, lines, push } = scene();
    // So long without an answer that every attempt has failed.
    for (let n = 0; n < KEPT + 100; n++) {
      push();
      lines.at(-1)!.hear("ping");
    }
    assertEquals(uplink.waiting, KEPT);
    const line = lines.at(-1)!;
    line.bufferedAmount = 1e6;
    line.open();
    assertEquals(line.numbers(), []);
    line.bufferedAmount = 0;
    for (let n = 0; n < 5; n++) {
      push();
      line.hear("ping");
    }
    const numbers = line.numbers();
    assertEquals([numbers[0], numbers.at(-1)], [102, KEPT + 105]);
    assertEquals(numbers, numbers.toSorted((a, b) => a - b));
    uplink.stop();
  } finally {
    mock.timers.reset();
  }
});

Deno.test("Uplink: a silent hub is given up within 10 s, and tried again", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { uplink, lines, push, said } = scene();
    lines[0].open();
    for (let n = 0; n < 60; n++) {
      push();
      if (n % 3 === 0) lines[0].hear("ping");
    }
    assertEquals([lines[0].readyState, lines.length], [1, 1]);
    push(10);
    assertEquals([lines[0].readyState, said.at(-1)], [3, "the hub is silent"]);
    mock.timers.tick(500);
    assertEquals(lines.length, 2);
    uplink.stop();
    lines[1].terminate();
    mock.timers.tick(60_000);
    assertEquals(lines.length, 2);
  } finally {
    mock.timers.reset();
  }
});
