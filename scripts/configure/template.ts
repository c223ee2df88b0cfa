/**
 * Templates that read as what they become. Of mustache there is what a configuration needs: `{{name}}` is
 * a value; what stands between `{{#name}}` and `{{/name}}` is there for each item of a list, or where the
 * value is neither empty, 0 nor false; between `{{^name}}` and `{{/name}}` where it is.
 */

/** What a template is filled with. */
export interface Values {
  [name: string]: string | number | boolean | undefined | Values[];
}

const SECTION =
  /^[ \t]*\{\{([#^])(\w+)\}\}[ \t]*\n([\s\S]*?)^[ \t]*\{\{\/\2\}\}[ \t]*\n|\{\{([#^])(\w+)\}\}(.*?)\{\{\/\5\}\}/m;

/** A template with its values. Throws on a name that has none: a typo must not become an empty line. */
export function render(template: string, values: Values): string {
  const look = (name: string) => {
    if (name in values) return values[name];
    throw new Error(`A template names {{${name}}}, which has no value`);
  };
  let text = "", rest = template;
  for (let match; (match = SECTION.exec(rest));) {
    const [all, , , , , , inline] = match;
    const kind = match[1] ?? match[4], name = match[2] ?? match[5], body = inline ?? match[3];
    const value = look(name);
    text += fill(rest.slice(0, match.index), look);
    const items = Array.isArray(value) ? value : value ? [{}] : [];
    if (kind === "#") { for (const item of items) text += render(body, { ...values, ...item }); }
    else if (items.length === 0) text += render(body, values);
    rest = rest.slice(match.index + all.length);
  }
  return text + fill(rest, look);
}

function fill(text: string, look: (name: string) => Values[string]): string {
  return text.replace(/\{\{ ?(\w+) ?\}\}/g, (_, name) => {
    const value = look(name);
    if (Array.isArray(value)) throw new Error(`{{${name}}} is a list; it needs a section`);
    return String(value ?? "");
  });
}
