/** What the page says of a node: from what healthz found to words, for the server's HTML and the browser. */
import type { Translate } from "./messages.ts";
import { relative } from "./moments.ts";
import { isCurrent, type NodesState, type NodeState, uptime } from "./nodes.ts";
import { moment, type StateRow, UNKNOWN } from "./state_row.ts";

const BADGES = { up: "fresh", down: "failed", unknown: "initial" } as const;

/** A share as `99.98 %`: rounded down, so that 100 means all. */
const percent = (share: number) => `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;

function nodeView(node: NodeState, now: number, t: Translate): StateRow {
  const { name, state, drained, weight, addresses, days } = node;
  const failing = addresses.flatMap(({ address, checks }) =>
    checks.filter((c) => !c.ok).map(({ check, reason }) =>
      t("node.why", { check, address, reason: reason.replace(/\.?$/, ".") })
    )
  );
  const out = drained ? t("node.drained") : weight === 0 ? t("node.spare") : "";
  const share = uptime(days);
  const syncs = addresses.map((a) => a.lastSync).filter((s) => s !== null);
  return {
    name,
    badge: drained ? "stale" : BADGES[state],
    state: [t(`node.${state}`), out].filter(Boolean).join(" · "),
    reason: failing.join(" "),
    cells: [
      moment("node.since", node.since, now, t),
      moment("node.synced", syncs.length ? Math.max(...syncs) : null, now, t),
      {
        key: "node.uptime",
        values: { n: days.length },
        text: share === null ? UNKNOWN : percent(share),
      },
    ],
  };
}

/** All nodes at `now`, and a word where nobody has looked for too long: then nothing is known. */
export function nodesView(
  state: NodesState,
  now: number,
  t: Translate,
): { nodes: StateRow[]; old: string } {
  const current = isCurrent(state, now);
  const nodes = state.nodes.map((node) =>
    nodeView(current ? node : { ...node, state: "unknown" }, now, t)
  );
  return { nodes, old: current ? "" : t("node.old", { ago: relative(state.at, now, t) }) };
}
