/** A table of what stands how; web/home/state-table.ts writes the same in the browser. */
import { html as markup } from "hono/html";
import type { Key, Translate } from "../../formats/messages.ts";
import { type Cell, type StateRow, UNKNOWN, withoutEmpty } from "../../formats/state_row.ts";

/** Words in lines of at most `most` characters: lynx gives a table up where a cell is wider than the screen. */
function lines(text: string, most = 56): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1];
    if (line !== "" && line.length + 1 + word.length > most) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}

/** Rows with a name, a state, and what else is known of them. */
export function statesTable(all: StateRow[], name: Key, state: Key, t: Translate) {
  if (all.length === 0) return "";
  const rows = withoutEmpty(all);
  const [{ cells: columns }] = rows;
  const head = [t(name), t(state), ...columns.map(({ key, values }) => t(key, values))];
  const cell = ({ key, values, text, exact, datetime }: Cell) => {
    const title = exact ? markup` title="${exact}"` : "";
    const shown = datetime ? markup`<time datetime="${datetime}">${text}</time>` : text;
    const none = text === UNKNOWN ? markup` class="none"` : "";
    return markup`<td data-label="${t(key, values)}"${none}${title}>${shown}</td>`;
  };
  const row = ({ name, href, badge, state, reason, cells }: StateRow) => {
    // home.css takes the line breaks back.
    const told = lines(reason).map((line, i) => i === 0 ? line : markup` <br>${line}`);
    const span = cells.length + 1;
    const why = markup`<tr class="why"><td></td><td colspan="${span}">${told}</td></tr>
`;
    return markup`<tr><th scope="row">${href ? markup`<a href="${href}">${name}</a>` : name}</th>
<td><span class="badge ${badge}">${state}</span></td>
${cells.map(cell)}</tr>
${reason ? why : ""}`;
  };
  return markup`<table class="states">
<thead><tr>${head.map((text) => markup`<th scope="col">${text}</th>`)}</tr></thead>
<tbody>
${rows.map(row)}</tbody>
</table>`;
}
