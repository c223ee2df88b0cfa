// The few functions of the standard library that mirrorkit uses, declared here because the npm build
// that deno.json maps `@std/*` to comes without types. tests/lib/std_test.ts imports the real thing.

declare module "@std/assert" {
  export function assert(expr: unknown, msg?: string): asserts expr;
  export function assertEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertMatch(actual: string, expected: RegExp, msg?: string): void;
  export function assertStringIncludes(actual: string, expected: string, msg?: string): void;
  export function assertThrows<E extends Error = Error>(
    fn: () => unknown,
    // deno-lint-ignore no-explicit-any
    error?: new (...args: any[]) => E,
    msgIncludes?: string,
  ): E;
  export function assertRejects<E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    // deno-lint-ignore no-explicit-any
    error?: new (...args: any[]) => E,
    msgIncludes?: string,
  ): Promise<E>;
}

declare module "@std/bytes/concat" {
  export function concat(buffers: Uint8Array[]): Uint8Array<ArrayBuffer>;
}

declare module "@std/cli/parse-args" {
  export function parseArgs(
    args: string[],
    options: {
      boolean?: string[];
      string?: string[];
      collect?: string[];
      alias?: Record<string, string>;
      unknown?: (arg: string, key?: string, value?: unknown) => unknown;
    },
  ): { _: (string | number)[]; [name: string]: unknown };
}

declare module "@std/path/posix" {
  export function join(...paths: string[]): string;
  export function dirname(path: string): string;
  export function basename(path: string, suffix?: string): string;
  export function resolve(...paths: string[]): string;
  export function relative(from: string, to: string): string;
  export function normalize(path: string): string;
  export function fromFileUrl(url: URL | string): string;
}

declare module "@std/text/closest-string" {
  export function closestString(given: string, possible: readonly string[]): string;
}

declare module "@std/toml" {
  export function parse(toml: string): Record<string, unknown>;
}
