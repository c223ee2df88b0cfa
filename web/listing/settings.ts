/** What a reader chooses, named together with what is shared, so that the bundler parts that no further. */
import "./shared.ts";
import "../base/page-settings.ts";
