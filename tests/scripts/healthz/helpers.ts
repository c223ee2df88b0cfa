/** Configurations for tests of healthz. */
import { type Healthz, healthzTable } from "../../../scripts/lib/healthz.ts";
import * as v from "valibot";

/** A checked configuration of healthz, defaults filled in. */
export function healthz(table: Record<string, unknown>): Healthz {
  const parsed = v.parse(healthzTable, table);
  return { name: "mirror.test", lastsync: "/arch/lastsync", ...parsed } as Healthz;
}
