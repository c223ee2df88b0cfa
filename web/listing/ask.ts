/**
 * Runs before the first paint, as a small script of its own: the theme, and the listing, which is asked for
 * and read while the page's own script is still on its way.
 */
import "../base/early.ts";
import { Loader } from "./load.ts";

globalThis.mirrorkitListing = new Loader("?format=json");
globalThis.mirrorkitListing.run();
