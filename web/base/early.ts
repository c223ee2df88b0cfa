/**
 * Runs before the first paint, as a small script of its own that the page waits for: a page that was
 * chosen dark must not flash white.
 */
import { showTheme, theme } from "./choice.ts";

showTheme(theme());
