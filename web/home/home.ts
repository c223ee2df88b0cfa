/** The home page: what the server rendered, kept current and in the reader's language. */
import { translatePage } from "../base/language.ts";
import "../base/page-settings.ts";
import "./copy-button.ts";
import "./node-list.ts";
import "./repo-list.ts";
import "./traffic-history.ts";
import "../traffic/meter.ts";
import "./use-guide.ts";

translatePage();
