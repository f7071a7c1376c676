import { type Observable, Subscription } from 'rxjs';
import { closedError, closeErrorOf } from '../connection/close-error.js';
import type { CloseInfo, Connection } from '../connection/connection.js';
import { leave } from '../connection/requested-close.js';

/** A pair of web streams, from {@link toWebStreams}. */
export interface ToWebStreams<In, Out> {
  /** Emits the messages, one per `read()`. */
  readonly readable: ReadableStream<In>;
  /** Sends each chunk as a message. */
  readonly writable: WritableStream<Out>;
}

/**
 * Converts a connection to a pair of web streams, like those of `WebSocketStream`, with backpressure both ways. Each chunk is one
 * message.
 *
 * **readable**: the connection is held unless a `read()` waits, so that nothing is buffered here. Closes if the connection ends with
 * 1000, without a code, or by us; otherwise errors with what `connect()` would error with. `cancel(reason)` closes the connection with
 * 1000, or with the `code` or `closeCode` of the reason, such as a `WebSocketError` of the web, and its `reason`.
 *
 * **writable**: a write is done when it is sent and `send.ready$` is true again. `close()` closes with 1000 and waits for the end;
 * `abort(reason)` closes with 1011, with 1000 if the reason is an AbortError, or with the `code` or `closeCode` of the reason. A value that
 * cannot be sent errors the stream and closes with 1011. If the connection ends in any other way than with 1000, without a code, or by us,
 * the stream errors with what `connect()` would error with. Later writes reject with that error too, or after any other end with a
 * `ConnectionClosedError` that has the code of the end; `close()` then does nothing.
 *
 * The readable holds the connection: other subscribers of `messages$` wait too.
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
              // `enqueue` may call `pull` for the next message.
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
        leave(conn, reason, 1000);
      },
    },
    // Nothing is read ahead: messages wait in the connection.
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
          // After a normal end only writes fail: a pipe into this stream may still close it.
          const error = closeErrorOf(info);
          if (error !== undefined) controller.error(error);
        }),
      );
    },
    write: (chunk) => send(conn, chunk),
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
      leave(conn, reason ?? undefined, 1011);
    },
  });
}

/**
 * Sends `chunk`. Returns a Promise if that takes time, which rejects if the connection ends first.
 *
 * @throws UsageError for a value that cannot be sent.
 */
function send<In, Out>(conn: Connection<unknown, In, Out>, chunk: Out): Promise<void> | undefined {
  let isClosed: boolean;
  try {
    isClosed = conn.trySend(chunk) === 'closed';
  } catch (error) {
    conn.send.error(error);
    throw error;
  }
  if (isClosed) return refused(conn.close$);
  return conn.send.isReady ? undefined : whenReady(conn.send.ready$, conn.close$);
}

/** Rejects a write after the end with the way the connection ended, once that is known. */
function refused(close$: Observable<CloseInfo>): Promise<void> {
  return new Promise((_, reject) => {
    close$.subscribe((info) => reject(closeErrorOf(info) ?? closedError(info)));
  });
}

function whenReady(ready$: Observable<boolean>, close$: Observable<CloseInfo>): Promise<void> {
  return new Promise((resolve, reject) => {
    const waiting = new Subscription();
    waiting.add(
      close$.subscribe((info) => {
        // Accepted data is sent before the connection closes, unless the connection is lost.
        const error = closeErrorOf(info);
        if (error === undefined) resolve();
        else reject(error);
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
