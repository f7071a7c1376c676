import { closeUnsendable, hooksOf, shareSymbol } from '../../connection/hooks.js';
import type { SendResult } from '../../connection/send-result.js';
import type { SharedMessage } from '../../connection/shared-message.js';
import type { Target } from './target.js';

/**
 * Like `conn.trySend(message.value)`, but shares the encoded message with the other connections.
 *
 * @throws UsageError as `trySend` does.
 */
export function trySendShared<Out>(conn: Target<Out>, message: SharedMessage<Out>): SendResult {
  return hooksOf<unknown, Out>(conn)[shareSymbol]?.(message) ?? conn.trySend(message.value);
}

/** Like {@link trySendShared}, but never throws: if this connection cannot send the message, it is closed with 1011. */
export function sendShared<Out>(conn: Target<Out>, message: SharedMessage<Out>): SendResult {
  try {
    return trySendShared(conn, message);
  } catch (error) {
    closeUnsendable(conn, error);
    return 'closed';
  }
}
