/** What the page of a directory loads; the rest comes when it is needed. */
import { translatePage } from "../base/language.ts";
import "../base/page-settings.ts";
import "./listing-page.ts";
import "./shared.ts";

translatePage();
// This script does not wait for the parser: what stands at the page's end may not be there yet.
if (document.readyState === "loading") {
  document.addEventListener("DOMContentLoaded", () => translatePage());
}
