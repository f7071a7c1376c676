import { checkOneOf } from '../base/check.js';

/** The outcome of sending an item: see `Connection.trySend`. */
export type SendResult = 'sent' | 'buffered' | 'dropped' | 'closed';

/** What happens above `maxBufferedAmount`. `'close'` is an older name for `'terminate'`. */
export type Overflow = 'terminate' | 'drop-newest' | 'drop-oldest' | 'close';

/** {@link Overflow} without its older name. */
export type OverflowPolicy = Exclude<Overflow, 'close'>;

/** Checks the `overflow` option. @throws TypeError that names the value found and the values allowed. */
export function overflowPolicy(overflow: unknown): OverflowPolicy {
  if (overflow === undefined || overflow === 'close') return 'terminate';
  return checkOneOf<OverflowPolicy>('overflow', overflow, ['terminate', 'drop-newest', 'drop-oldest']);
}
