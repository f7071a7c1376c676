import type { Observable, Subscription } from 'rxjs';
import { holdSymbol, messageHooksOf } from '../connection/hooks.js';
import { UsageError } from '../protocol/errors.js';

/** Anything that can be held, such as a connection. */
export interface CanHold {
  /** Suspends delivery until the Subscription is unsubscribed. */
  hold(): Subscription;
}

/**
 * Returns the function that holds `source`: that of `on`, or that of the connection whose `messages$` it is.
 *
 * @throws UsageError NOT_HOLDABLE if there is neither.
 */
export function holdOf(operator: string, source: Observable<unknown>, on: CanHold | undefined): () => Subscription {
  if (on !== undefined) return () => on.hold();
  const hold = messageHooksOf(source)[holdSymbol];
  if (hold !== undefined) return hold;
  const allowed = `the messages$ of a connection, or any source with { on: connection }`;
  throw new UsageError('NOT_HOLDABLE', `${operator} needs a source that can be held: ${allowed}`);
}
