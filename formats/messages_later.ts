/**
 * Messages of the parts that a page loads when they are needed (selection, preview, help). Importing this
 * brings them along, so the first visit does without.
 */
import en from "./messages/later.en.json" with { type: "json" };
import ko from "./messages/later.ko.json" with { type: "json" };
import { MESSAGES } from "./messages.ts";

/** The name of one of them. */
export type LaterKey = keyof typeof en;

Object.assign(MESSAGES.en, en);
Object.assign(MESSAGES.ko, ko);
