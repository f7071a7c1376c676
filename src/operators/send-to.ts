import { type MonoTypeOperatorFunction, tap } from 'rxjs';
import type { Connection } from '../reactive/connection.js';
import type { Outgoing } from '../reactive/outgoing.js';

/**
 * Sends each value to `conn`, and passes it on with its type. Never closes: the end of the source is not the end of the connection.
 *
 * Completes and errors with the source; unsubscribing unsubscribes from it. Does not wait for a slow peer: above
 * `maxBufferedAmount` the connection's `overflow` decides. Use `conn.sendFrom` or `gate(conn.send.ready$)` for dumps.
 *
 * @example conn.messages$.pipe(sendTo(conn)).subscribe(); // an echo
 */
export function sendTo<T extends Out, Out = Outgoing>(
  conn: Connection<unknown, unknown, Out>,
): MonoTypeOperatorFunction<T> {
  return tap((value) => conn.send.next(value));
}
