/**
 * The listing's bytes are read from the moment on that the shell arrives, while the page's scripts are
 * still on their way: what the shell preloads would otherwise wait, once some hundred kilobytes are there.
 */

const scope = globalThis as { mirrorkitListing?: Promise<Response> };

/** Asks for the listing as the shell's preload does, and reads on by itself. */
export function askEarly(): void {
  scope.mirrorkitListing = fetch("?format=json").then((response) =>
    response.ok ? new Response(drained(response.body!), response) : response
  );
  // Who takes it hears of the failure.
  scope.mirrorkitListing.catch(() => {});
}

/** What was asked for; once only. */
export function takeEarly(): Promise<Response> | undefined {
  const early = scope.mirrorkitListing;
  delete scope.mirrorkitListing;
  return early;
}

/** A stream that takes all there is, and keeps it until somebody reads. */
function drained(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream({
    async start(controller) {
      try {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          controller.enqueue(value);
        }
        controller.close();
      } catch (error) {
        controller.error(error);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
