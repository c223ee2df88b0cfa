/** A status of bwlimit, for tests. */
import type { BwlimitStatus } from "../../formats/bwlimit.ts";

export const STATUS: BwlimitStatus = {
  v: 1,
  time: 1_800_000_000,
  mode: "enforce",
  pollSeconds: 2,
  lookSeconds: 0.004,
  watched: 12,
  slowed: 1,
  banned: 2,
  blocked: 0,
  allowed: 3,
  actions: { banned: 7 },
  bytes: { tcp: 5000, udp: 10, other: 1 },
  destinations: { counted: 900, most: 262_144 },
  uncounted: 0,
  collector: { packets: 4, flows: 9, bytes: 4990, lost: 1, refused: 0, untold: 0 },
  difference: 0.004,
  answers: 5,
  alarms: ["look here"],
};
