/** Configurations for tests of bwlimit. */
import { readConfig } from "../../../scripts/lib/config.ts";
import type { Bwlimit } from "../../../scripts/lib/limits.ts";

export const MIB = 1024 ** 2;

/** What follows `[bwlimit…]` in a whole mirror.toml. */
export const toml = (bwlimit: string) =>
  `[site]\nname = "m.example.org"\ncontact = "mirror@example.org"\n${bwlimit}\n` +
  `[[repo]]\nname = "a"\nprofile = "arch"\nupstream = ["/x"]\n`;

/** A policy from its tables; by default 100 MiB an hour and 300 MiB a day, slowed down at 80 %. */
export const policy = (
  tables = `[bwlimit.client]\nlimit = { "1 h" = "100 MiB", "24 h" = "300 MiB" }\n` +
    `throttle = { percent = 80, rate = "1 MiB/s" }\n`,
): Bwlimit => readConfig(toml(tables), "mirror.toml").bwlimit!;
