import { checkOneOf } from '../base/check.js';

/** What became of an item: see `Connection.trySend`. */
export type SendResult = 'sent' | 'buffered' | 'dropped' | 'closed';

/** What happens above `maxBufferedAmount`. `'close'` is an older word for `'terminate'`. */
export type Overflow = 'terminate' | 'drop-newest' | 'drop-oldest' | 'close';

/** {@link Overflow} without its older word. */
export type OverflowPolicy = Exclude<Overflow, 'close'>;

/** @throws TypeError that names what was found and what is allowed. */
export function overflowPolicy(overflow: unknown): OverflowPolicy {
  if (overflow === undefined || overflow === 'close') return 'terminate';
  return checkOneOf<OverflowPolicy>('overflow', overflow, ['terminate', 'drop-newest', 'drop-oldest']);
}
