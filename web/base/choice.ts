/** What the reader chose: appearance and language. Nothing else is stored, and no cookie is set. */

export type Theme = "auto" | "light" | "dark";
export const THEMES: readonly Theme[] = ["auto", "light", "dark"];

/** What is stored under `mirrorkit.NAME`, or nothing: a browser may refuse to store at all. */
export function stored(name: "theme" | "language"): string | undefined {
  try {
    return localStorage.getItem(`mirrorkit.${name}`) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Stores a choice; `undefined` forgets it. */
export function store(name: "theme" | "language", value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(`mirrorkit.${name}`);
    else localStorage.setItem(`mirrorkit.${name}`, value);
  } catch {
    // It holds for this page then.
  }
}

/** The theme that was chosen. */
export function theme(): Theme {
  const chosen = stored("theme");
  return THEMES.find((t) => t === chosen) ?? "auto";
}

/** Shows a theme; base.css says what it looks like. */
export function showTheme(theme: Theme): void {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
