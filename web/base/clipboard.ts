/** Copies text; false where the browser lets nothing be copied. */
export async function copyText(text: string): Promise<boolean> {
  try {
    // Plain HTTP has no clipboard of its own.
    if (!navigator.clipboard) return copyMarked(text);
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyMarked(text);
  }
}

/** The way before there was a clipboard: mark it, and say copy. */
function copyMarked(text: string): boolean {
  const field = document.createElement("textarea"), before = document.activeElement;
  field.value = text;
  document.body.append(field);
  field.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    field.remove();
    (before as HTMLElement | null)?.focus?.();
  }
}
