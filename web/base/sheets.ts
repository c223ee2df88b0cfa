/**
 * Waits for the page's style sheets: a script that does not wait for the parser (`async`) may be there before
 * them, and language.ts and base-styles.ts read them. One that cannot be had keeps nobody waiting for long.
 */
const MOST_MS = 3000;

const links = document.querySelectorAll<HTMLLinkElement>("link[rel=stylesheet]");
const missing = [...links].filter((link) => !link.sheet);

/** (The page's own `load` may wait for this script in turn.) */
const settled = (link: HTMLLinkElement) =>
  new Promise((resolve) => {
    link.addEventListener("load", resolve, { once: true });
    link.addEventListener("error", resolve, { once: true });
    setTimeout(resolve, MOST_MS);
  });

if (missing.length > 0) await Promise.all(missing.map(settled));
