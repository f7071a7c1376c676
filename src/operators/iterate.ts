import { closeErrorOf } from '../connection/close-error.js';
import type { CloseInfo, Connection } from '../connection/connection.js';

/**
 * Iterates over the messages of `conn`, like `for await (const message of conn)`, but throws if the connection is lost, so that
 * truncated data is not mistaken for complete data.
 *
 * The connection is held while the body of the loop runs, so the peer waits and nothing is lost; other subscribers of `messages$`
 * wait too. `break`, `return` and an exception in the body unsubscribe; the connection stays open, and waiting messages stay for
 * the next loop or subscriber. Each loop is a subscriber of its own, and subscribes when the first message is requested.
 *
 * The loop ends after the peer has closed with 1000 or without a code, and after we have closed or terminated. Otherwise, after all
 * messages that had arrived, it throws what `connect()` would error with: `ConnectionClosedError` for any other code of the peer and for
 * a lost connection (1006), `ProtocolError` if the peer violated the protocol, `BackpressureError` or `WebSocketError` if this side gave
 * the connection up. Await the loop where the error is caught: an unhandled rejection ends the process.
 *
 * A persistent client outlives its connections: iterate over the `connection` of its state `'open'`.
 *
 * @example for await (const part of iterate(conn)) await file.write(part); // here the upload is complete
 */
export function iterate<In>(conn: AsyncIterable<In> & Pick<Connection, 'close$'>): AsyncIterable<In> {
  return { [Symbol.asyncIterator]: () => new CheckedIterator(conn) };
}

/** An iterator over the messages of a connection that checks how the connection ended. */
class CheckedIterator<In> implements AsyncIterator<In, undefined> {
  readonly #conn: Pick<Connection, 'close$'>;
  readonly #messages: AsyncIterator<In>;
  /** Whether the end no longer matters: it was reported, or the loop was left before it. */
  #isOver = false;

  constructor(conn: AsyncIterable<In> & Pick<Connection, 'close$'>) {
    this.#conn = conn;
    this.#messages = conn[Symbol.asyncIterator]();
  }

  async next(): Promise<IteratorResult<In, undefined>> {
    const result = await this.#messages.next();
    if (result.done !== true) return result;
    // After the loop was left, the value of `close$` does not matter.
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

  /** Under a hold, the messages may end before or after `close$` emits. */
  #ending(): Promise<CloseInfo> {
    return new Promise((resolve) => this.#conn.close$.subscribe(resolve));
  }
}
