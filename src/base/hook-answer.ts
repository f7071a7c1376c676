import { excerpt } from './excerpt.js';
import { isError, propertyOf, textOf } from './thrown.js';

/** What a hook returned, and what it might have. */
export interface HookAnswer {
  /** The name of the option or method. */
  readonly hook: string;
  readonly found: unknown;
  /** What to call that in a sentence. @default by its type */
  readonly name?: string;
  /** What follows, in a few words. @default 'refused with <status>' */
  readonly outcome?: string;
  /** The HTTP status that the peer gets. @default 500 */
  readonly status?: number;
  /** What the hook may do instead, beginning with a verb. */
  readonly advice: string;
}

/**
 * A hook of the application returned a value that its contract does not have. No such value lets a peer in. The message is for the
 * application: the peer gets `status` alone.
 *
 * A Promise in `found` may reject later. Nothing waits for it, so its rejection is disregarded: it would end the process.
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

/** Whether `error` is a {@link HookAnswerError}. Anything can be thrown by a hook, and `instanceof` alone throws for some of it. */
export function isHookAnswerError(error: unknown): error is HookAnswerError {
  return isError(error) && error instanceof HookAnswerError;
}

/** Whether `value` can be awaited. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof propertyOf(value, 'then') === 'function';
}

/** Whether `value` is an Observable, of whichever library: they tell each other by this method. */
export function isObservableLike(value: unknown): boolean {
  const { observable = '@@observable' } = Symbol as { readonly observable?: symbol | string };
  return typeof propertyOf(value, observable) === 'function' || typeof propertyOf(value, '@@observable') === 'function';
}

function disregard(found: PromiseLike<unknown>): void {
  try {
    found.then(undefined, () => {});
  } catch {
    // It is no Promise at all.
  }
}

/** A short name of `found` for a sentence. */
function named(found: unknown): string {
  if (isThenable(found)) return 'a Promise';
  if (isObservableLike(found)) return 'an Observable';
  if (isError(found)) return 'an Error';
  if (typeof found === 'function') return 'a function';
  if (typeof found === 'string') return excerpt(found);
  return typeof found === 'object' && found !== null ? 'an object' : textOf(found);
}
