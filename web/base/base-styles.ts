/**
 * The page's own style sheet for what stands in the shadow of an element: buttons, links, rows and the focus look
 * there as on the page, from one source, and nothing is transferred twice.
 */

export const baseStyles = new CSSStyleSheet();

/** The rules of a sheet; none of one that could not be loaded, which a browser refuses to show. */
function rulesOf(sheet: CSSStyleSheet): CSSRule[] {
  try {
    return [...sheet.cssRules];
  } catch {
    return [];
  }
}

const [page] = document.styleSheets;
baseStyles.replaceSync(rulesOf(page).map((rule) => rule.cssText).join(""));
