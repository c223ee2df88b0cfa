/** A failed attempt at one upstream: the next one is tried, and later this one again if that may help. */
export class AttemptError extends Error {
  override name = "AttemptError";
  /** False where trying the same upstream again soon would end the same way. */
  readonly retry: boolean;
  readonly hint?: string;
  constructor(message: string, { retry, hint }: { retry: boolean; hint?: string }) {
    super(message);
    this.retry = retry;
    this.hint = hint;
  }
}

/** The upstream moved while we looked: plan again at once. */
export class MovedError extends AttemptError {
  override name = "MovedError";
  constructor(message: string) {
    super(message, { retry: true });
  }
}
