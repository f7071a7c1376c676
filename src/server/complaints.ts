import { isHookAnswerError } from '../base/hook-answer.js';

/**
 * Tells the developer of hooks that return what they must not. The first such answer of each hook is printed to `console.error`, since
 * a server that refuses everybody without a word is hard to understand; the rest would only fill a log, at the pace of the peers.
 */
export class Complaints {
  readonly #told = new Set<string>();

  /** Prints `error` if it is the first of its hook. All other errors are none of its business. */
  hear(error: unknown): void {
    if (!isHookAnswerError(error) || this.#told.has(error.hook)) return;
    this.#told.add(error.hook);
    if (error.cause === undefined) console.error(error.message);
    else console.error(error.message, error.cause);
  }
}
