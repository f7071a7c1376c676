import { excerpt } from './excerpt.js';

/** What a hook returned, and what it might have. */
export interface HookAnswer {
  /** The name of the option or method. */
  readonly hook: string;
  readonly found: unknown;
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

  constructor({ hook, found, status = 500, outcome = `refused with ${status}`, advice }: HookAnswer) {
    super(`${hook} returned ${named(found)}: ${outcome}; ${advice}`, isError(found) ? { cause: found } : undefined);
    this.hook = hook;
    this.status = status;
    if (isThenable(found)) found.then(undefined, () => {});
  }
}

/** Whether `value` can be awaited. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}

/** Whether `value` is an Observable, of whichever library: they tell each other by this method. */
export function isObservableLike(value: unknown): boolean {
  const candidate = value as Record<PropertyKey, unknown> | null | undefined;
  const { observable = '@@observable' } = Symbol as { readonly observable?: symbol | string };
  return typeof candidate?.[observable] === 'function' || typeof candidate?.['@@observable'] === 'function';
}

/** Whether `value` is an Error, whichever realm it comes from. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}

/** A short name of `found` for a sentence. */
function named(found: unknown): string {
  if (isThenable(found)) return 'a Promise';
  if (isObservableLike(found)) return 'an Observable';
  if (isError(found)) return 'an Error';
  if (typeof found === 'function') return 'a function';
  if (typeof found === 'string') return excerpt(found);
  return typeof found === 'object' && found !== null ? 'an object' : String(found);
}
