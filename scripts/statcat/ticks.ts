/** Once a second, in step with the clock on the wall. */

/** Milliseconds until the next tick, `offset` after a full second. A timer that fired early ticks once. */
export function untilNext(wallMs: number, offset: number): number {
  const rest = 1000 - (((wallMs - offset) % 1000) + 1000) % 1000;
  return rest < 400 ? rest + 1000 : rest;
}

/** Calls `tick` shortly after every full second, until it is stopped. */
export function everySecond(tick: () => void, offset: number): { stop(): void } {
  let timer = setTimeout(run, untilNext(Date.now(), offset));
  function run() {
    timer = setTimeout(run, untilNext(Date.now(), offset));
    tick();
  }
  return { stop: () => clearTimeout(timer) };
}
