/** A table of state rows, as server/home/page.ts writes it; state-table.css styles both. */
import { html, nothing } from "lit";
import type { Key } from "../../formats/messages.ts";
import { type Cell, type StateRow, UNKNOWN, withoutEmpty } from "../../formats/state_row.ts";
import { t } from "../base/language.ts";

const cell = ({ key, values, text, exact, datetime }: Cell) =>
  html`<td data-label=${t(key, values)} class=${text === UNKNOWN ? "none" : nothing} title=${
    exact ?? nothing
  }>${datetime ? html`<time datetime=${datetime}>${text}</time>` : text}</td>`;

const row = ({ name, href, badge, state, reason, cells }: StateRow) =>
  html`
    <tr>
      <th scope="row">${href ? html`<a href=${href}>${name}</a>` : name}</th>
      <td><span class="badge ${badge}">${state}</span></td>
      ${cells.map(cell)}
    </tr>
    ${reason
      ? html`
        <tr class="why">
          <td></td>
          <td colspan=${cells.length + 1}>${reason}</td>
        </tr>
      `
      : nothing}
  `;

/** The table; nothing where there are no rows. */
export function stateTable(all: StateRow[], name: Key, state: Key) {
  if (all.length === 0) return nothing;
  const rows = withoutEmpty(all);
  const head = [t(name), t(state), ...rows[0].cells.map(({ key, values }) => t(key, values))];
  return html`
    <table class="states">
      <thead>
        <tr>${head.map((text) => html`<th scope="col">${text}</th>`)}</tr>
      </thead>
      <tbody>${rows.map(row)}</tbody>
    </table>
  `;
}
