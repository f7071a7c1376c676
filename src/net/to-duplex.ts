import { Duplex } from 'node:stream';
import { Subscription } from 'rxjs';
import { checkBoolean, checkInteger, checkNames } from '../base/check.js';
import { closeErrorOf } from '../connection/close-error.js';
import type { CloseInfo, Connection } from '../connection/connection.js';
import type { Outgoing } from '../connection/outgoing.js';
import { ConnectionClosedError, UsageError } from '../protocol/errors.js';

/** Options of {@link toDuplex}. */
export interface ToDuplexOptions {
  /** Chunks are whole messages, as they are: text is a string. Otherwise they are bytes, and the bounds of messages are lost. @default false */
  readonly objectMode?: boolean;
  /** What the stream itself buffers in each direction, in bytes, or in messages in object mode. @default what Node says */
  readonly highWaterMark?: number;
}

/**
 * A connection as a Duplex of Node, with backpressure both ways: the connection is held while nobody reads, and a write is done when
 * `send.ready$` is true again.
 *
 * As bytes: text is read as UTF-8, each write is sent as a binary message. In object mode each chunk is a message. A stream of Node cannot
 * carry `null`: a message that a codec decodes to `null` destroys the stream with a `UsageError` NULL_MESSAGE and closes with 1011, and
 * `write(null)` throws. Wrap it in an object.
 *
 * `end()` closes with 1000 behind what was written, `destroy(error)` with 1011 (or with `code` and `reason` of the error), `destroy()`
 * with 1000. The stream ends when the connection ends with 1000, without a code, or by us; otherwise it is destroyed with what
 * `connect()` would error with: listen to 'error', or use `pipeline`, as with every stream. It holds: other subscribers of
 * `messages$` wait with it.
 *
 * @throws TypeError or RangeError for an option that is not allowed.
 * @example await pipeline(createReadStream('dump.sql'), toDuplex(conn));
 */
export function toDuplex(
  conn: Connection<unknown, string | Uint8Array | ArrayBuffer, Outgoing>,
  options?: ToDuplexOptions & { readonly objectMode?: false },
): Duplex;
export function toDuplex<In, Out>(
  conn: Connection<unknown, In, Out>,
  options: ToDuplexOptions & { readonly objectMode: true },
): Duplex;
export function toDuplex<In, Out>(conn: Connection<unknown, In, Out>, options: ToDuplexOptions = {}): Duplex {
  checkNames(options, ['objectMode', 'highWaterMark']);
  const { highWaterMark } = options;
  const objectMode = checkBoolean('objectMode', options.objectMode ?? false);
  if (highWaterMark !== undefined) checkInteger('highWaterMark', highWaterMark, 0, 2 ** 32);
  const bridge = new Bridge<In, Out>(conn, objectMode);
  const duplex = new Duplex({
    objectMode,
    allowHalfOpen: false,
    ...(highWaterMark !== undefined && { highWaterMark }),
    read: () => bridge.read(),
    write: (chunk: Out, _encoding, done) => bridge.write(chunk, done),
    final: (done) => bridge.finish(done),
    destroy: (error, done) => {
      bridge.stop(error);
      done(error);
    },
  });
  bridge.start(duplex);
  return duplex;
}

/** What moves messages between a connection and its stream. */
class Bridge<In, Out> {
  readonly #conn: Connection<unknown, In, Out>;
  readonly #objectMode: boolean;
  readonly #subscription = new Subscription();
  #hold: Subscription | undefined;
  #isWanted = false;
  #isComplete = false;
  #info: CloseInfo | undefined;

  constructor(conn: Connection<unknown, In, Out>, objectMode: boolean) {
    this.#conn = conn;
    this.#objectMode = objectMode;
  }

  start(duplex: Duplex): void {
    this.#hold = this.#conn.hold();
    this.#subscription.add(
      this.#conn.messages$.subscribe({
        next: (message) => this.#push(duplex, message),
        complete: () => {
          this.#isComplete = true;
          this.#endIfDone(duplex);
        },
      }),
    );
    this.#subscription.add(
      this.#conn.close$.subscribe((info) => {
        this.#info = info;
        this.#endIfDone(duplex);
      }),
    );
  }

  read(): void {
    this.#isWanted = true;
    const hold = this.#hold;
    this.#hold = undefined;
    hold?.unsubscribe();
  }

  write(chunk: Out, done: (error?: Error | null) => void): void {
    const { send } = this.#conn;
    let isClosed: boolean;
    try {
      isClosed = this.#conn.trySend(chunk) === 'closed';
    } catch (error) {
      done(error as Error);
      return;
    }
    if (isClosed) done(this.#closedError());
    else if (send.isReady) done();
    else {
      const waiting = new Subscription();
      this.#subscription.add(waiting);
      waiting.add(
        send.ready$.subscribe({
          next: (isReady) => {
            if (!isReady) return;
            waiting.unsubscribe();
            done();
          },
          // What was accepted is sent before the connection closes, unless that is lost.
          complete: () => void this.#conn.close$.subscribe((info) => done(closeErrorOf(info))),
        }),
      );
    }
  }

  finish(done: (error?: Error | null) => void): void {
    this.#conn.close();
    this.#subscription.add(this.#conn.close$.subscribe((info) => done(closeErrorOf(info))));
  }

  stop(error: Error | null): void {
    this.#subscription.unsubscribe();
    this.#hold?.unsubscribe();
    if (error === null) this.#conn.close();
    else this.#conn.send.error(error);
  }

  #push(duplex: Duplex, message: In): void {
    // For a stream of Node null is its end: the rest would be lost, and a stream that was cut would look whole.
    if (message === null) {
      duplex.destroy(nullMessage());
      return;
    }
    // The stream may ask for more while it takes this one.
    this.#isWanted = false;
    const wantsMore = duplex.push(this.#objectMode ? message : bytesOf(message));
    if (!wantsMore && !this.#isWanted) this.#hold ??= this.#conn.hold();
  }

  /** The messages may end later than the connection: those that wait come first. */
  #endIfDone(duplex: Duplex): void {
    if (!this.#isComplete || this.#info === undefined) return;
    const error = closeErrorOf(this.#info);
    if (error === undefined) duplex.push(null);
    else duplex.destroy(error);
  }

  #closedError(): ConnectionClosedError {
    const { code = 1006, reason = '', wasClean = false, error } = this.#info ?? {};
    return new ConnectionClosedError({ code, reason, wasClean, cause: error });
  }
}

function nullMessage(): UsageError {
  return new UsageError(
    'NULL_MESSAGE',
    'toDuplex got the message null, which a Node.js stream cannot carry: wrap it in an object',
  );
}

function bytesOf(message: unknown): Uint8Array | string {
  return message instanceof ArrayBuffer ? new Uint8Array(message) : (message as Uint8Array | string);
}
