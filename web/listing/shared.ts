/**
 * What the page has loaded when one of its later parts is: named here, so that the bundler makes one file of
 * all of it and not one for each way in which the parts share it.
 */
import "lit";
import "lit/decorators.js";
import "../base/language.ts";
import "./filter.ts";
import "./kept.ts";
import "../../formats/kinds.ts";
import "../../formats/listing_view.ts";
