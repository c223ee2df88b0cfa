/** For work that can wait, and must not compete with what a reader waits for. */

/** After rows were made, it takes at most so long until they can be seen. */
const PAINTED_MS = 150;

/** When nothing else is to be done. (Safari has no such callback.) */
export const idle = (): Promise<void> =>
  new Promise((resolve) => (globalThis.requestIdleCallback ?? setTimeout)(() => resolve()));

/** When what came is on the screen, too. */
export async function later(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, PAINTED_MS));
  await idle();
}
