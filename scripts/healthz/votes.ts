/** Several checkers that have to agree. Pure. */
import type { Endpoint, Healthz } from "../lib/healthz.ts";
import type { History } from "./history.ts";

/** Views of other checkers that are older (in seconds) don't count. */
const PEER_SECONDS = 600;

/** Several checkers: what they say of an address counts once enough of them say the same. */
export class Votes {
  /** What to tell where too few others can be heard. */
  readonly missing: string | undefined;
  private readonly views: Record<string, string>[] = [];

  constructor(history: History, private readonly config: Healthz, now: number) {
    if (!config.quorum) return;
    const { peers, need } = config.quorum;
    this.views = peers.flatMap((peer) => {
      const view = history.peers[peer];
      return view && Math.abs(now - view.at) <= PEER_SECONDS ? [view.states] : [];
    });
    if (this.views.length + 1 < need) {
      this.missing =
        `Only ${this.views.length + 1} of ${peers.length + 1} checkers can be heard, ` +
        `${need} have to agree: what is found changes nothing`;
    }
  }

  /** Whether enough checkers hold what this one holds. */
  agree({ address }: Pick<Endpoint, "address">, state: "up" | "down"): boolean {
    if (!this.config.quorum) return true;
    const same = this.views.filter((view) => view[address] === state).length;
    return same + 1 >= this.config.quorum.need;
  }
}
