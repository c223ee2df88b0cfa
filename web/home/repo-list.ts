import { customElement } from "lit/decorators.js";
import { type NodeHealth, readHealth } from "../../formats/health.ts";
import { repoView } from "../../formats/repo_view.ts";
import { t } from "../base/language.ts";
import { LiveTable } from "./live-table.ts";
import { stateTable } from "./state-table.ts";

/**
 * The repositories and how they stand.
 *
 * @element repo-list
 */
@customElement("repo-list")
export class RepoList extends LiveTable<NodeHealth> {
  protected override readonly url = "/status.json";
  protected override readonly read = readHealth;

  protected override view({ repos }: NodeHealth, now: number) {
    return stateTable(repos.map((repo) => repoView(repo, now, t)), "repo.name", "repo.state");
  }
}
