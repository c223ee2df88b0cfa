/** Opens the home page with a hub that is played by the test: history and events as it wants them. */
import type { Browser, BrowserContextOptions } from "playwright-core";
import { writeLiveEvent } from "../../formats/stats.ts";
import { type Opened, openPage } from "../helpers/browser.ts";
import { NOW } from "../server/fixture.ts";
import { fakeEvent, fakeStats } from "./home_node.ts";

/** Opens it; the clock stands at the fixture's time, so that it looks the same each time. */
export function openHome(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Opened> {
  return openPage(
    browser,
    url,
    { timezoneId: "UTC", locale: "en-GB", ...options },
    async (page) => {
      await page.route("**/stats.json*", (route) => {
        const span = new URL(route.request().url()).searchParams.get("span") ?? "day";
        return route.fulfill({ json: fakeStats(span as "day") });
      });
      // The server's clock for the fixture's: what is shown must not depend on the day of the test.
      await page.route(/\/(?:nodes|status)\.json$/, async (route) => {
        const response = await route.fetch();
        const headers = { ...response.headers(), date: new Date(NOW * 1000).toUTCString() };
        return route.fulfill({ response, headers });
      });
      const events = [1, 2, 3].map((n) => `id: ${n}\ndata: ${writeLiveEvent(fakeEvent(n))}\n\n`);
      await page.route(
        "**/sse",
        (route) => route.fulfill({ contentType: "text/event-stream", body: events.join("") }),
      );
    },
  );
}
