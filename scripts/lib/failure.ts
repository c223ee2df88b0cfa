/** How a command fails. It stands alone, as what uses nothing of Deno's throws it as well. */

/** Exit codes of every command; 75 is EX_TEMPFAIL of sysexits(3). */
export const EXIT = { done: 0, failed: 1, usage: 2, busy: 75 } as const;

/** A failure that was foreseen: printed as message and hint, without a stack. All else crashes. */
export class Failure extends Error {
  override name = "Failure";
  constructor(message: string, readonly hint?: string, readonly exitCode: number = EXIT.failed) {
    super(message);
  }
}

/** Wrong use of a command or of its configuration: exit code 2, nothing was touched. */
export class UsageError extends Failure {
  override name = "UsageError";
  constructor(message: string, hint?: string) {
    super(message, hint, EXIT.usage);
  }
}
