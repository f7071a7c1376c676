import { type MonoTypeOperatorFunction, tap } from 'rxjs';
import type { Connection } from '../connection/connection.js';
import { messageHooksOf, type Tap, tapSymbol } from '../connection/hooks.js';
import type { Outgoing } from '../connection/outgoing.js';

/**
 * Sends each value to `conn`, and emits it unchanged. Never closes: the end of the source does not end the connection.
 *
 * Completes and errors with the source; unsubscribing unsubscribes from it. Does not wait for a slow peer: above
 * `maxBufferedAmount` the connection's `overflow` decides. For large data use `conn.sendFrom` or `gate(conn.send.ready$)`.
 *
 * @example conn.messages$.pipe(sendTo(conn)).subscribe(); // an echo
 */
export function sendTo<T extends Out, Out = Outgoing>(
  conn: Connection<unknown, unknown, Out>,
): MonoTypeOperatorFunction<T> {
  return (source) => {
    const tapped = messageHooksOf(source)[tapSymbol];
    return tapped === undefined
      ? tap<T>((value) => conn.send.next(value))(source)
      : tapped.call(source, new Sending(conn));
  };
}

/** A tap that sends each value before it is passed on. */
class Sending<Out> implements Tap<Out> {
  readonly #conn: Connection<unknown, unknown, Out>;

  constructor(conn: Connection<unknown, unknown, Out>) {
    this.#conn = conn;
  }

  next(value: Out): void {
    this.#conn.send.next(value);
  }
}
