import { closeUnsendable, hooksOf, shareSymbol } from '../../connection/hooks.js';
import type { SendResult } from '../../connection/send-result.js';
import type { SharedMessage } from '../../connection/shared-message.js';
import type { Target } from './target.js';

/**
 * `conn.trySend(message.value)`, that leaves to the other connections what it makes of the message.
 *
 * @throws UsageError as `trySend` does.
 */
export function trySendShared<Out>(conn: Target<Out>, message: SharedMessage<Out>): SendResult {
  return hooksOf<unknown, Out>(conn)[shareSymbol]?.(message) ?? conn.trySend(message.value);
}

/** The same, but never throws: what cannot be sent to this one connection closes it with 1011. */
export function sendShared<Out>(conn: Target<Out>, message: SharedMessage<Out>): SendResult {
  try {
    return trySendShared(conn, message);
  } catch (error) {
    closeUnsendable(conn, error);
    return 'closed';
  }
}
