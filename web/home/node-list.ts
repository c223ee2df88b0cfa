import { html, nothing } from "lit";
import { customElement } from "lit/decorators.js";
import { nodesView } from "../../formats/node_view.ts";
import { type NodesState, readNodes } from "../../formats/nodes.ts";
import { t } from "../base/language.ts";
import { LiveTable } from "./live-table.ts";
import { stateTable } from "./state-table.ts";

/**
 * The nodes of the mirror's name and how they stand.
 *
 * @element node-list
 */
@customElement("node-list")
export class NodeList extends LiveTable<NodesState> {
  protected override readonly url = "/nodes.json";

  protected override readonly read = readNodes;

  protected override view(data: NodesState, now: number) {
    const { nodes, old } = nodesView(data, now, t);
    return html`
      ${old ? html`<p class="notice">${old}</p>` : nothing}
      ${stateTable(nodes, "node.name", "node.state")}
    `;
  }
}
