import { closeErrorOf } from '../connection/close-error.js';
import type { CloseInfo, Connection } from '../connection/connection.js';

/**
 * The messages of `conn` for `for await`, as `for await (const message of conn)` gives them, but a connection that was lost is an
 * error: data that was cut cannot be taken for whole.
 *
 * The connection is held while the body of the loop runs, so the peer waits and nothing is lost; other subscribers of `messages$`
 * wait with it. `break`, `return` and an exception in the body unsubscribe, leave the connection open and what waits where it is, for
 * the next loop or subscriber. Each loop is a subscriber of its own, and nothing is subscribed to before the first message is asked for.
 *
 * Done when the peer has closed with 1000 or without a code, and when we have closed or terminated. Otherwise, after all messages that had
 * arrived, it throws what `connect()` would error with: `ConnectionClosedError` for any other code of the peer and for a lost
 * connection (1006), `ProtocolError` when the peer broke the protocol, `BackpressureError` or `WebSocketError` when this side gave it
 * up. Await the loop where that is caught: a rejection that is not handled ends the process.
 *
 * A persistent client outlives its connections: iterate over the `connection` of its state `'open'`.
 *
 * @example for await (const part of iterate(conn)) await file.write(part); // here the upload is complete
 */
export function iterate<In>(conn: AsyncIterable<In> & Pick<Connection, 'close$'>): AsyncIterable<In> {
  return { [Symbol.asyncIterator]: () => new CheckedIterator(conn) };
}

/** The iterator of a connection, whose end is checked. */
class CheckedIterator<In> implements AsyncIterator<In, undefined> {
  readonly #conn: Pick<Connection, 'close$'>;
  readonly #messages: AsyncIterator<In>;
  /** Whether the end is of no interest any more: it was told, or the loop was left before it. */
  #isOver = false;

  constructor(conn: AsyncIterable<In> & Pick<Connection, 'close$'>) {
    this.#conn = conn;
    this.#messages = conn[Symbol.asyncIterator]();
  }

  async next(): Promise<IteratorResult<In, undefined>> {
    const result = await this.#messages.next();
    if (result.done !== true) return result;
    // What follows in `close$` is no concern of a loop that was left.
    const error = this.#isOver ? undefined : closeErrorOf(await this.#ending());
    if (error !== undefined && !this.#isOver) {
      this.#isOver = true;
      throw error;
    }
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<In, undefined>> {
    this.#isOver = true;
    await this.#messages.return?.();
    return { done: true, value: undefined };
  }

  /** Under a hold the messages may end before or after `close$` has told how. */
  #ending(): Promise<CloseInfo> {
    return new Promise((resolve) => this.#conn.close$.subscribe(resolve));
  }
}
