/**
 * base.css for what stands in the shadow of an element: buttons, links, notices and the focus look there as
 * on the page, from one source, and nothing is transferred twice. A style sheet that a page waits for is
 * there before its modules run (HTML, "style sheet that is blocking scripts").
 */
export const baseStyles = new CSSStyleSheet();

const [page] = document.styleSheets;
baseStyles.replaceSync([...page?.cssRules ?? []].map((rule) => rule.cssText).join(""));
