/** Runs before the first paint, as a small script of its own: the theme, and the listing's first bytes. */
import "../base/early.ts";
import { askEarly } from "./early.ts";

askEarly();
