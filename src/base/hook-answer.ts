import { excerpt } from './excerpt.js';
import { isError, propertyOf, textOf } from './thrown.js';

/** An invalid value that a hook returned, and the text for its error. */
export interface HookAnswer {
  /** The name of the option or method. */
  readonly hook: string;
  readonly found: unknown;
  /** The name of `found` in a sentence. @default by its type */
  readonly name?: string;
  /** The consequence, in a few words. @default 'refused with <status>' */
  readonly outcome?: string;
  /** The HTTP status that the peer gets. @default 500 */
  readonly status?: number;
  /** What the hook should do instead, beginning with a verb. */
  readonly advice: string;
}

/**
 * An error for a hook of the application that returned a value outside its contract. Such a value never lets a peer in. The message is for
 * the application: the peer gets only `status`.
 *
 * A Promise in `found` may reject later. Nothing waits for it, so its rejection is ignored: it would end the process.
 */
export class HookAnswerError extends TypeError {
  override readonly name = 'TypeError';
  readonly hook: string;
  readonly status: number;

  constructor({
    hook,
    found,
    name = named(found),
    status = 500,
    outcome = `refused with ${status}`,
    advice,
  }: HookAnswer) {
    super(`${hook} returned ${name}: ${outcome}; ${advice}`, isError(found) ? { cause: found } : undefined);
    this.hook = hook;
    this.status = status;
    if (isThenable(found)) disregard(found);
  }
}

/** Whether `error` is a {@link HookAnswerError}. A hook can throw any value, and `instanceof` alone throws for some values. */
export function isHookAnswerError(error: unknown): error is HookAnswerError {
  return isError(error) && error instanceof HookAnswerError;
}

/** Whether `value` can be awaited. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof propertyOf(value, 'then') === 'function';
}

/** Whether `value` is an Observable of any library: libraries recognize each other's by this method. */
export function isObservableLike(value: unknown): boolean {
  const { observable = '@@observable' } = Symbol as { readonly observable?: symbol | string };
  return typeof propertyOf(value, observable) === 'function' || typeof propertyOf(value, '@@observable') === 'function';
}

function disregard(found: PromiseLike<unknown>): void {
  try {
    found.then(undefined, () => {});
  } catch {
    // It is not a Promise.
  }
}

/** Returns a short name of `found` for a sentence. */
function named(found: unknown): string {
  if (isThenable(found)) return 'a Promise';
  if (isObservableLike(found)) return 'an Observable';
  if (isError(found)) return 'an Error';
  if (typeof found === 'function') return 'a function';
  if (typeof found === 'string') return excerpt(found);
  return typeof found === 'object' && found !== null ? 'an object' : textOf(found);
}
