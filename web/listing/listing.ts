/** What the page of a directory loads; the rest comes when it is needed. */
import { translatePage } from "../base/language.ts";
import type { ListingPage } from "./listing-page.ts";
import "./listing-page.ts";
import "./shared.ts";

// What stands below the rows is made ready together with them: it would be laid out for itself before them.
await document.querySelector<ListingPage>("listing-page")!.updateComplete;
translatePage();
import("./settings.ts");
