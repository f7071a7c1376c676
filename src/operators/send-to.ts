import { type MonoTypeOperatorFunction, Observable, type Observer, type Subscriber } from 'rxjs';
import type { Connection } from '../reactive/connection.js';
import type { Outgoing } from '../reactive/outgoing.js';
import { subscribeWithin } from './subscribe-within.js';

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
  return (source) => new Observable((subscriber) => subscribeWithin(subscriber, source, new Sending(conn, subscriber)));
}

/** `tap` in a third of its memory: an echo server has one for every connection. */
class Sending<T extends Out, Out> implements Observer<T> {
  readonly #conn: Connection<unknown, unknown, Out>;
  readonly #subscriber: Subscriber<T>;

  constructor(conn: Connection<unknown, unknown, Out>, subscriber: Subscriber<T>) {
    this.#conn = conn;
    this.#subscriber = subscriber;
  }

  next(value: T): void {
    try {
      this.#conn.send.next(value);
    } catch (error) {
      this.#subscriber.error(error);
      return;
    }
    this.#subscriber.next(value);
  }

  error(error: unknown): void {
    this.#subscriber.error(error);
  }

  complete(): void {
    this.#subscriber.complete();
  }
}
