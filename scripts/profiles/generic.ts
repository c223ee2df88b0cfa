/** Any tree of files: one pass, what is replaced is switched at the end, deletion last. */
import type { Profile } from "./profile.ts";

export const generic: Profile = {
  summary: "any tree of files: new files, then replaced ones, then deletion",
  exclude: [],
  held: [],
  databasesIn: { below: [], prune: [] },
  databases: [],
  markers: [],
  schedule: "~ */6 * * *",
};
