/** What runs inside the page while it is measured, as source text, and what it found. */

/** Long tasks, the moment when the first row was painted, and when all rows had come. */
export const PROBE = `(() => {
  const probe = globalThis.probe = { tasks: [], row: 0, done: 0 };
  // Awaited, not asked for again and again: to answer would be work of the page's main thread.
  let resolve;
  globalThis.ended = new Promise((r) => resolve = r);
  const end = () => {
    // An empty directory has no row to wait for.
    const empty = probe.done && document.querySelector("listing-page").kept.count === 0;
    if (probe.done && (probe.row || empty)) resolve();
  };
  new PerformanceObserver((list) => {
    for (const e of list.getEntries()) probe.tasks.push(e.duration);
  }).observe({ type: "longtask", buffered: true });
  let seen = 0, frame = 0;
  const look = () => {
    if (seen && !frame) frame = performance.now();
    // It was painted with the first paint, if that came after it; else before the next frame began.
    const [paint] = performance.getEntriesByName("first-paint");
    if (frame && paint) probe.row = paint.startTime > seen ? paint.startTime : frame;
    if (probe.row) return end();
    // The page comes with its first rows; without them, the script makes them.
    const row = document.querySelector(".rows .row");
    if (!seen && row) seen = performance.now();
    requestAnimationFrame(look);
  };
  new PerformanceObserver((list) => {
    for (const mark of list.getEntriesByName("listing-complete")) probe.done = mark.startTime;
    end();
  }).observe({ type: "mark", buffered: true });
  requestAnimationFrame(look);
})()`;

/** Elements, also those in shadow trees. */
export const ELEMENTS = `(function count(root) {
  let n = 0;
  for (const e of root.querySelectorAll("*")) n += 1 + (e.shadowRoot ? count(e.shadowRoot) : 0);
  return n;
})(document)`;

/** Reads a listing to its end and throws it away: what the network and the browser need at least. */
export const bareFetch = (url: string) =>
  `globalThis.bare = (async () => {
    const reader = (await fetch("${url}")).body.getReader();
    while (!(await reader.read()).done);
    return performance.now();
  })()`;

/** Scrolls from top to bottom in 100 steps; counts frames in which the view is not full of rows. */
export const SCROLL = `(async () => {
  const root = document.querySelector("listing-rows"), before = probe.tasks.length;
  const frame = () => new Promise((r) => requestAnimationFrame(r));
  let blank = 0;
  for (let step = 0; step <= 100; step++) {
    scrollTo(0, (document.documentElement.scrollHeight - innerHeight) * step / 100);
    await frame();
    const head = root.querySelector(".top").getBoundingClientRect().bottom;
    const end = Math.min(innerHeight, root.querySelector(".rows").getBoundingClientRect().bottom);
    const boxes = [...root.querySelectorAll(".rows [role=row]")]
      .map((e) => e.getBoundingClientRect()).sort((a, b) => a.top - b.top);
    let at = head;
    for (const box of boxes) if (box.top <= at + 1 && box.bottom > at) at = box.bottom;
    if (at < end - 1) blank++;
    await frame();
  }
  await new Promise((r) => setTimeout(r, 300));
  return { blank, longest: Math.max(0, ...probe.tasks.slice(before)) };
})()`;

/** Types a filter key by key and sorts by each column; gives the milliseconds of each until it is shown. */
export const WORK = `(async () => {
  const page = document.querySelector("listing-page"), list = page.list, keys = [], sorts = [];
  const shown = async () => { await page.updateComplete; await list.updateComplete; };
  const rest = () => new Promise((r) => setTimeout(r, 50));
  for (const text of ["9", "99", "99-", "99-1", "99-1.", "99-1.2", "99-1.", "99", "x", "xz", ""]) {
    const start = performance.now();
    page.field.value = text;
    page.field.dispatchEvent(new InputEvent("input"));
    await shown();
    keys.push(performance.now() - start);
    await rest();
  }
  for (const key of ["bytes", "mtime", "name", "bytes"]) {
    const start = performance.now();
    list.querySelector('[data-sort="' + key + '"]').click();
    await shown();
    sorts.push(performance.now() - start);
    await rest();
  }
  return { keys, sorts };
})()`;

/** What the first visit transfers, compressed: documents, scripts and styles. */
export const TRANSFERRED = `performance.getEntriesByType("navigation")[0].encodedBodySize +
  performance.getEntriesByType("resource").filter((r) => /[.](js|css)$/.test(r.name))
    .reduce((sum, r) => sum + r.encodedBodySize, 0)`;

/** Waits until a page has loaded, and what it fetches then, too. */
export const LOADED = `new Promise((resolve) => {
  const loaded = () => setTimeout(resolve, 1000);
  if (document.readyState === "complete") loaded();
  else addEventListener("load", loaded);
})`;
