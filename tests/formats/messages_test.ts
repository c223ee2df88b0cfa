/** Messages: every language says what English says, with the same values in it. */
import { assertEquals } from "@std/assert";
import {
  directionOf,
  type Key,
  type Language,
  type Message,
  MESSAGES,
  pickLanguage,
  translator,
} from "../../formats/messages.ts";
import "../../formats/messages_later.ts";

const texts = (message: Message) =>
  typeof message === "string" ? [message] : Object.values(message);
const valuesOf = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

Deno.test("messages: every language has the messages of English, and their values", () => {
  const english = MESSAGES.en as Record<Key, Message>;
  for (const [language, messages] of Object.entries(MESSAGES)) {
    assertEquals(Object.keys(messages).sort(), Object.keys(english).sort(), language);
    for (const [key, message] of Object.entries(messages)) {
      const expected = valuesOf(texts(english[key as Key]).at(-1)!);
      for (const text of texts(message)) {
        assertEquals([language, key, valuesOf(text)], [language, key, expected]);
      }
      if (typeof message === "string") continue;
      const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
      assertEquals([key, Object.keys(message).sort()], [key, [...categories].sort()]);
    }
  }
});

Deno.test("translator: plurals, numbers, values, and English for what is missing", () => {
  const t = translator("en");
  assertEquals([1, 2, 1234].map((n) => t("files", { n })), ["1 file", "2 files", "1,234 files"]);
  assertEquals(translator("ko")("files", { n: 1 }), "파일 1개");
  const own = MESSAGES.ko.copy;
  try {
    delete MESSAGES.ko.copy;
    assertEquals(translator("ko")("copy"), "Copy");
  } finally {
    MESSAGES.ko.copy = own;
  }
  assertEquals(t("files"), "{n} files");
});

Deno.test("pickLanguage: the first wanted that is offered, else the first offered", () => {
  const cases: [string[], Language[], Language][] = [
    [["ko-KR", "en"], ["en", "ko"], "ko"],
    [["de", "fr-FR", "ko"], ["en", "ko"], "ko"],
    [["de"], ["ko", "en"], "ko"],
    [["", "EN-us"], ["ko", "en"], "en"],
    [" fr;q=0.9, ko;q=0.5".split(","), ["en", "ko"], "ko"],
    [[], ["en", "ko"], "en"],
    [["kok"], ["en", "ko"], "en"],
  ];
  for (const [wanted, offered, picked] of cases) {
    assertEquals([wanted, pickLanguage(wanted, offered)], [wanted, picked]);
  }
});

Deno.test("directionOf: right to left where it is written so", () => {
  assertEquals(["en", "ko", "ar", "he-IL", "fa"].map(directionOf), [
    "ltr",
    "ltr",
    "rtl",
    "rtl",
    "rtl",
  ]);
});
