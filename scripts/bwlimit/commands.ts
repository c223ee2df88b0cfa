/** Actions as text for `nft -f -`. Pure. */
import { type Id, splitId } from "./address.ts";
import type { Action } from "./model.ts";
import { nftTime, TABLE } from "./nfttext.ts";

/** The name of a quota of one client's own. */
const quotaName = (step: "hard" | "soft", id: Id) => `${step}_${id.replace(/[^0-9a-z]/g, "_")}`;

/** An element that is there afterwards with this timeout, whether or not it was before: nft(8) has no "renew". */
const renew = (set: string, key: string, seconds: number) => [
  `add element ${TABLE} ${set} { ${key} }`,
  `delete element ${TABLE} ${set} { ${key} }`,
  `add element ${TABLE} ${set} { ${key} timeout ${nftTime(seconds)} }`,
];

/** An element that is gone afterwards, whether or not it was there: nft 1.0.6 has no "destroy". */
const remove = (set: string, key: string) => [
  `add element ${TABLE} ${set} { ${key} }`,
  `delete element ${TABLE} ${set} { ${key} }`,
];

/** A quota keeps what it has counted when it is given another threshold. */
const quota = (step: "hard" | "soft", id: Id, bytes: number) =>
  `add quota ${TABLE} ${quotaName(step, id)} { over ${bytes} bytes }`;

/** The commands of an action; all of them belong into one transaction. */
export function commandsOf(action: Action): string[] {
  const { scope: { id: scope }, key } = splitId(action.id);
  const set = (name: string) => `${name}_${scope}`;
  switch (action.do) {
    case "quota": {
      const lines: string[] = [];
      for (const step of ["hard", "soft"] as const) {
        const bytes = action[step];
        if (bytes === undefined) continue;
        lines.push(quota(step, action.id, bytes));
        if (!action.fresh) continue;
        const entry = `${key} : "${quotaName(step, action.id)}"`;
        lines.push(`add element ${TABLE} ${set(`own${step}`)} { ${entry} }`);
      }
      return action.fresh ? [...lines, `add element ${TABLE} ${set("own")} { ${key} }`] : lines;
    }
    case "free":
      return [`add element ${TABLE} ${set("free")} { ${key} }`];
    case "slow":
      return renew(set("slow"), key, action.seconds);
    case "unslow":
      return remove(set("slow"), key);
    case "ban":
      return [...renew(set("ban"), key, action.seconds), ...remove(set("block"), key)];
    case "block":
      return [...renew(set("block"), key, action.seconds), ...remove(set("ban"), key)];
    case "unban":
      return [...remove(set("ban"), key), ...remove(set("block"), key)];
    case "forget":
      return [
        ...remove(set("own"), key),
        ...remove(set("free"), key),
        ...action.protocols.flatMap((p) => remove(set("count"), `${key} . ${p}`)),
        ...(["hard", "soft"] as const).flatMap((step) => [
          quota(step, action.id, 1),
          ...remove(set(`own${step}`), `${key} : "${quotaName(step, action.id)}"`),
          `delete quota ${TABLE} ${quotaName(step, action.id)}`,
        ]),
      ];
  }
}
