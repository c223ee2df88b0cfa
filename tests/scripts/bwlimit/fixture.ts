/** Configurations for tests of bwlimit. */
import { readConfig } from "../../../scripts/lib/config.ts";
import { toml } from "../../../scripts/demo/limited.ts";
import type { Bwlimit } from "../../../scripts/lib/limits.ts";

/** A policy from its tables; by default 100 MiB an hour and 300 MiB a day, slowed down at 80 %. */
export const policy = (
  tables = `[bwlimit.client]\nlimit = { "1 h" = "100 MiB", "24 h" = "300 MiB" }\n` +
    `throttle = { percent = 80, rate = "1 MiB/s" }\n`,
): Bwlimit => readConfig(toml(tables), "mirror.toml").bwlimit!;
