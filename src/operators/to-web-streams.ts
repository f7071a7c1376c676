import { type Observable, Subscription } from 'rxjs';
import { propertyOf } from '../base/thrown.js';
import { closeErrorOf } from '../connection/close-error.js';
import type { CloseInfo, Connection } from '../connection/connection.js';
import { ConnectionClosedError } from '../protocol/errors.js';

/** What {@link toWebStreams} gives. */
export interface ToWebStreams<In, Out> {
  /** The messages, pulled. */
  readonly readable: ReadableStream<In>;
  /** Sends. */
  readonly writable: WritableStream<Out>;
}

/**
 * A connection as a pair of web streams, as `WebSocketStream` has them, with backpressure both ways. Messages stay messages: a chunk
 * is one of them.
 *
 * **readable**: the connection is held unless a `read()` waits, so that nothing is buffered here. Closes when the connection ends with
 * 1000, without a code, or by us; errors with what `connect()` would error with otherwise. `cancel(reason)` closes the connection with
 * 1000, or with `code` and `reason` of an error.
 *
 * **writable**: a write is done when it is sent and `send.ready$` is true again. `close()` closes with 1000 and waits for the end;
 * `abort(reason)` closes with 1011, or with `code` and `reason` of an error. A value that cannot be sent errors the stream and closes
 * with 1011. When the connection ends otherwise than with 1000 or without a code, it errors with `ConnectionClosedError`; behind such an
 * end writes do, and `close()` does nothing more.
 *
 * The readable holds: other subscribers of `messages$` wait with it.
 *
 * @example await toWebStreams(conn).readable.pipeThrough(new DecompressionStream('gzip')).pipeTo(file);
 */
export function toWebStreams<In, Out>(conn: Connection<unknown, In, Out>): ToWebStreams<In, Out> {
  return { readable: readableOf(conn), writable: writableOf(conn) };
}

function readableOf<In, Out>(conn: Connection<unknown, In, Out>): ReadableStream<In> {
  const subscription = new Subscription();
  let hold: Subscription | undefined = conn.hold();
  let isWanted = false;
  return new ReadableStream<In>(
    {
      start: (controller) => {
        let isComplete = false;
        let info: CloseInfo | undefined;
        const endIfDone = (): void => {
          if (isComplete && info !== undefined) end(controller, info);
        };
        subscription.add(
          conn.messages$.subscribe({
            next: (message) => {
              // It may be asked for another one while this one is taken.
              isWanted = false;
              controller.enqueue(message);
              if (!isWanted) hold ??= conn.hold();
            },
            complete: () => {
              isComplete = true;
              endIfDone();
            },
          }),
        );
        subscription.add(
          conn.close$.subscribe((how) => {
            info = how;
            endIfDone();
          }),
        );
      },
      pull: () => {
        isWanted = true;
        const held = hold;
        hold = undefined;
        held?.unsubscribe();
      },
      cancel: (reason) => {
        subscription.unsubscribe();
        hold?.unsubscribe();
        closeFor(conn, reason, 1000);
      },
    },
    // Nothing is read ahead: what waits, waits in the connection.
    { highWaterMark: 0 },
  );
}

function end(controller: ReadableStreamDefaultController, info: CloseInfo): void {
  const error = closeErrorOf(info);
  if (error === undefined) controller.close();
  else controller.error(error);
}

function writableOf<In, Out>(conn: Connection<unknown, In, Out>): WritableStream<Out> {
  const watching = new Subscription();
  return new WritableStream<Out>({
    start: (controller) => {
      watching.add(
        conn.close$.subscribe((info) => {
          // After an end that was wanted only writes fail: a pipe into it may still close it.
          if (closeErrorOf(info) !== undefined) controller.error(closedError(info));
        }),
      );
    },
    write: (chunk) => {
      send(conn, chunk);
      return conn.send.isReady ? undefined : whenReady(conn.send.ready$, conn.close$);
    },
    close: () => {
      watching.unsubscribe();
      conn.close();
      return new Promise((resolve, reject) => {
        conn.close$.subscribe((info) => {
          const error = closeErrorOf(info);
          if (error === undefined) resolve();
          else reject(error);
        });
      });
    },
    abort: (reason) => {
      watching.unsubscribe();
      closeFor(conn, reason, 1011);
    },
  });
}

/** @throws UsageError for a value that cannot be sent, ConnectionClosedError when the connection is closing. */
function send<In, Out>(conn: Connection<unknown, In, Out>, chunk: Out): void {
  let isClosed: boolean;
  try {
    isClosed = conn.trySend(chunk) === 'closed';
  } catch (error) {
    conn.send.error(error);
    throw error;
  }
  if (isClosed) throw closedError(undefined);
}

function whenReady(ready$: Observable<boolean>, close$: Observable<CloseInfo>): Promise<void> {
  return new Promise((resolve, reject) => {
    const waiting = new Subscription();
    waiting.add(
      close$.subscribe((info) => {
        // What was accepted is sent before the connection closes, unless that is lost.
        if (closeErrorOf(info) === undefined) resolve();
        else reject(closedError(info));
      }),
    );
    waiting.add(
      ready$.subscribe((isReady) => {
        if (!isReady) return;
        resolve();
        waiting.unsubscribe();
      }),
    );
  });
}

/** With the code and reason of an error that has them, otherwise with `code`. */
function closeFor<In, Out>(conn: Connection<unknown, In, Out>, reason: unknown, code: 1000 | 1011): void {
  const hasCode = ['code', 'closeCode'].some((name) => typeof propertyOf(reason, name) === 'number');
  if (code === 1011 || hasCode) conn.send.error(reason);
  else conn.close();
}

function closedError(info: CloseInfo | undefined): Error {
  const { code = 1006, reason = '', wasClean = false, error } = info ?? {};
  return new ConnectionClosedError({ code, reason, wasClean, cause: error });
}
