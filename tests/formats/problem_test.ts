/** Errors as text, JSON and pages. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { PROBLEMS, type ProblemText, renderProblem } from "../../formats/problem.ts";
import { ERROR_MESSAGES } from "../../formats/problem_html.ts";

Deno.test("errors: every language has a page for every error, of a heading and a help", () => {
  const { en, ko } = ERROR_MESSAGES;
  assertEquals(Object.keys(ko), Object.keys(en));
  const kinds = [...Object.values(PROBLEMS).map((p) => String(p.status)), "416", "503"];
  for (const texts of [en, ko]) {
    for (const kind of [...kinds, "gate", "unlisted", "down"]) {
      assertEquals([kind, (texts[kind] as string[]).length], [kind, 2]);
    }
    for (const key of ["up", "home", "status", "again"]) assert(typeof texts[key] === "string");
    assertStringIncludes(texts.up as string, "{up}");
  }
});

Deno.test("renderProblem: a page says what it means, and where to go on", () => {
  const lost = { ...PROBLEMS.notFound, up: "/arch/a%20%3Cb%3E/" };
  const page = renderProblem(lost, "html");
  assertStringIncludes(page, "<h1>There is nothing at this address</h1>");
  assertStringIncludes(page, '<a href="/arch/a%20%3Cb%3E/"><bdi>/arch/a &#60;b&#62;/</bdi></a>');
  assertStringIncludes(page, '<a href="/">');
  assertStringIncludes(renderProblem(lost, "html", "ko"), '<html lang="ko"');
  assertEquals(renderProblem(lost, "txt"), "404 Not found: There is nothing at this URL.\n");
  assertEquals(JSON.parse(renderProblem(lost, "json")).error, "There is nothing at this URL.");
});

Deno.test("renderProblem: what waits can be tried again; what its page lacks is said in English", () => {
  const gate: ProblemText = { status: 503, kind: "gate", message: "x" };
  assertStringIncludes(renderProblem(gate, "html"), "still arriving");
  assertStringIncludes(renderProblem(gate, "html"), '<a href="">Try again</a>');
  assertStringIncludes(renderProblem({ status: 418, message: "<tea>" }, "html"), "&#60;tea&#62;");
});
