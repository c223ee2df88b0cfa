/** The table as it stands in the kernel. */
import { Failure } from "../lib/cli.ts";
import type { Scope } from "./address.ts";
import type { Reading } from "./model.ts";
import { type Element, Session } from "./nft.ts";
import { readAll } from "./reading.ts";

/** Looks at the table of a configuration, with an nft that stays and is started again where it has ended. */
export class Kernel implements AsyncDisposable {
  private session?: Session;

  constructor(private readonly mark: string, private readonly scopes: Scope[]) {}

  /** Whether the table of this very configuration is there. */
  async isOurs(): Promise<boolean> {
    return await this.listed(`mark_${this.mark}`) !== undefined;
  }

  /** The number of the table that is there. */
  async made(): Promise<number | undefined> {
    const elements = await this.listed("made");
    return elements?.length ? Number(elements[0].val) : undefined;
  }

  /** The elements of a set. Throws {@linkcode Failure}. */
  async list(set: string): Promise<Element[]> {
    if (!this.session?.isUp) this.session = new Session();
    return await this.session.list(set);
  }

  /** The elements of a set; `undefined` where there is no such set. */
  private async listed(set: string): Promise<Element[] | undefined> {
    try {
      return await this.list(set);
    } catch (error) {
      if (error instanceof Failure && /is not there/.test(error.message)) return undefined;
      throw error;
    }
  }

  /** All that the engine wants to know. */
  read(): Promise<Reading> {
    return readAll((set) => this.list(set), this.scopes);
  }

  async [Symbol.asyncDispose]() {
    await this.session?.[Symbol.asyncDispose]();
  }
}
