/**
 * A browser's tab in a context of its own, without what Playwright attaches to its pages: its network
 * inspector copies each body into the renderer, decodes it there and tells of each piece, which costs a
 * listing more than the page does. A reader's browser has none.
 */
import type { Browser, CDPSession } from "playwright-core";

/**
 * So long a tab is left alone before it is used. Its window has a page of the browser's own, in a renderer that
 * takes 100 to 370 ms of processor time to start, and would take them from the page that is measured.
 */
const REST_MS = 800;

export class Tab {
  #last = 0;
  #waiting = new Map<number, PromiseWithResolvers<Record<string, unknown>>>();

  private constructor(
    private session: CDPSession,
    private context: string,
    private id: string,
  ) {
    session.on("Target.receivedMessageFromTarget", ({ sessionId, message }) => {
      const { id, result, error } = JSON.parse(message);
      if (sessionId !== this.id || id === undefined) return;
      const { resolve, reject } = this.#waiting.get(id)!;
      this.#waiting.delete(id);
      if (error) reject(new Error(error.message));
      else resolve(result);
    });
  }

  /** Nothing is in its cache, and the browser is at rest. */
  static async open(browser: Browser): Promise<Tab> {
    const session = await browser.newBrowserCDPSession();
    const { browserContextId } = await session.send("Target.createBrowserContext");
    const size = { width: 1280, height: 800 };
    const { targetId } = await session.send("Target.createTarget", {
      url: "about:blank",
      browserContextId,
      ...size,
    });
    const { sessionId } = await session.send("Target.attachToTarget", { targetId });
    const tab = new Tab(session, browserContextId, sessionId);
    await tab.send("Emulation.setDeviceMetricsOverride", {
      ...size,
      deviceScaleFactor: 1,
      mobile: false,
    });
    await tab.send("Page.enable");
    await new Promise((r) => setTimeout(r, REST_MS));
    return tab;
  }

  /** Sends a command of the DevTools protocol. */
  async send<T = unknown>(method: string, params: unknown = {}): Promise<T> {
    const id = ++this.#last, answer = Promise.withResolvers<Record<string, unknown>>();
    this.#waiting.set(id, answer);
    const message = JSON.stringify({ id, method, params });
    await this.session.send("Target.sendMessageToTarget", { sessionId: this.id, message });
    return await answer.promise as T;
  }

  /** Has a script run first in each page to come. */
  early(source: string): Promise<unknown> {
    return this.send("Page.addScriptToEvaluateOnNewDocument", { source });
  }

  /** Goes to a URL; ends when the page has begun. */
  async goto(url: string): Promise<void> {
    const { errorText } = await this.send<{ errorText?: string }>("Page.navigate", { url });
    if (errorText) throw new Error(`cannot go to ${url}: ${errorText}`);
  }

  /** The value of an expression in the page; a promise's is awaited. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send<
      { result: { value: T }; exceptionDetails?: { text: string } }
    >("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.text}`);
    return result.value;
  }

  async close(): Promise<void> {
    await this.session.send("Target.disposeBrowserContext", { browserContextId: this.context });
    await this.session.detach();
  }
}
