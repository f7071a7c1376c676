import { Duplex } from 'node:stream';
import { Subscription } from 'rxjs';
import { checkBoolean, checkInteger, checkNames } from '../base/check.js';
import { describe } from '../base/describe.js';
import { closedError, closeErrorOf, refusedError } from '../connection/close-error.js';
import type { CloseInfo, Connection } from '../connection/connection.js';
import type { Outgoing } from '../connection/outgoing.js';
import { leave } from '../connection/requested-close.js';
import { UsageError } from '../protocol/errors.js';

/** The default size limit of messages in byte mode, which every peer with default settings accepts. In bytes. */
const MAX_MESSAGE_SIZE = 65_536;

/** Options of {@link toDuplex}. */
export interface ToDuplexOptions {
  /** Whether each chunk is one message, and text is a string. Otherwise chunks are bytes without message boundaries. @default false */
  readonly objectMode?: boolean;
  /** How much the stream itself buffers in each direction, in bytes, or in messages in object mode. @default the default of Node.js */
  readonly highWaterMark?: number;
  /**
   * The longest message to send, in bytes: a longer write becomes several messages. With `Infinity` each write is one message.
   * Raise it for a peer that is known to accept longer messages. Not in object mode. @default 65_536
   */
  readonly maxMessageSize?: number;
  /** The encoding in which the stream is read as strings, as after `setEncoding`. Not in object mode. @default Buffers */
  readonly encoding?: BufferEncoding;
}

/**
 * Returns a connection as a Node.js Duplex, with backpressure in both directions: the connection is held while the stream is not read, and
 * a write completes when `send.ready$` is true again.
 *
 * In byte mode text is read as UTF-8. Each write is sent as one binary message, or as several if it is longer than `maxMessageSize`. In
 * object mode each chunk is a message. A Node.js stream cannot carry `null`: a message that a codec decodes to `null` destroys the stream
 * with a `UsageError` NULL_MESSAGE and closes with 1011, and `write(null)` throws. Wrap it in an object.
 *
 * `end()` closes with 1000 after everything written is sent. `destroy(error)` closes with 1011, or with the `code` or `closeCode` of the
 * error and its `reason`. Leaving the stream closes with 1000: `destroy()`, `break` in a `for await` over it, `take(n)`, or an AbortSignal,
 * unless the signal was aborted with an error of its own.
 *
 * The stream ends if the connection ends with 1000, without a code, or by us. Otherwise it is destroyed with the error that `connect()`
 * would give: listen to 'error', or use `pipeline`, as with every stream. It emits 'close' after the connection has ended, even if it was
 * never read. A write that comes too late fails with `ConnectionClosedError` and the code that the peer closed with. If this side has closed, the
 * write is discarded, and the stream is destroyed without an error once all received data is read. The stream holds the connection: other
 * subscribers of `messages$` wait with it.
 *
 * @throws TypeError or RangeError if an option is invalid.
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
  const { objectMode = false, highWaterMark, encoding, maxMessageSize = MAX_MESSAGE_SIZE } = checked(options);
  const bridge = new Bridge<In, Out>(conn, { objectMode, maxMessageSize, hasEncoding: encoding !== undefined });
  const duplex = new Duplex({
    objectMode,
    allowHalfOpen: false,
    ...(highWaterMark !== undefined && { highWaterMark }),
    ...(encoding !== undefined && { encoding }),
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

function checked(options: ToDuplexOptions): ToDuplexOptions {
  checkNames(options, ['objectMode', 'highWaterMark', 'maxMessageSize', 'encoding']);
  const { objectMode = false, highWaterMark, maxMessageSize, encoding } = options;
  checkBoolean('objectMode', objectMode);
  if (highWaterMark !== undefined) checkInteger('highWaterMark', highWaterMark, 0, 2 ** 32);
  if (maxMessageSize !== undefined && maxMessageSize !== Number.POSITIVE_INFINITY) {
    checkInteger('maxMessageSize', maxMessageSize, 1, Number.MAX_SAFE_INTEGER);
  }
  if (encoding !== undefined && !Buffer.isEncoding(encoding)) {
    throw new TypeError(`toDuplex(): encoding must be one of Buffer, such as 'utf8', got ${describe(encoding)}`);
  }
  for (const name of ['maxMessageSize', 'encoding'] as const) {
    if (objectMode && options[name] !== undefined) {
      throw new TypeError(`toDuplex(): ${name} is for bytes, and must be left out in object mode`);
    }
  }
  return options;
}

type Done = (error?: Error | null) => void;

/** The settings of a {@link Bridge}. */
interface BridgeSettings {
  readonly objectMode: boolean;
  /** In bytes. */
  readonly maxMessageSize: number;
  /** Whether the stream emits strings. */
  readonly hasEncoding: boolean;
}

/** Moves messages between a connection and its stream. */
class Bridge<In, Out> {
  readonly #conn: Connection<unknown, In, Out>;
  readonly #settings: BridgeSettings;
  readonly #subscription = new Subscription();
  #duplex!: Duplex;
  #hold: Subscription | undefined;
  #isWanted = false;
  #isComplete = false;
  #info: CloseInfo | undefined;
  /** Whether a write followed our close. */
  #isDiscarding = false;

  constructor(conn: Connection<unknown, In, Out>, settings: BridgeSettings) {
    this.#conn = conn;
    this.#settings = settings;
  }

  start(duplex: Duplex): void {
    this.#duplex = duplex;
    this.#hold = this.#conn.hold();
    this.#subscription.add(
      this.#conn.messages$.subscribe({
        next: (message) => this.#push(message),
        complete: () => {
          this.#isComplete = true;
          this.#endIfDone();
        },
      }),
    );
    this.#subscription.add(
      this.#conn.close$.subscribe((info) => {
        this.#info = info;
        // With nothing left to read, the stream can end without a reader.
        if (this.#conn.stats.inboxBytes === 0) this.#release();
        this.#endIfDone();
      }),
    );
  }

  read(): void {
    this.#isWanted = true;
    this.#release();
  }

  write(chunk: Out, done: Done): void {
    const { objectMode, maxMessageSize } = this.#settings;
    if (!objectMode && (chunk as Uint8Array).length > maxMessageSize) this.#sendFrom(0, chunk as Uint8Array, done);
    else if (this.#send(chunk, done, done)) done();
  }

  finish(done: Done): void {
    this.#conn.close();
    this.#subscription.add(this.#conn.close$.subscribe((info) => done(closeErrorOf(info))));
  }

  stop(error: Error | null): void {
    this.#subscription.unsubscribe();
    this.#hold?.unsubscribe();
    leave(this.#conn, error, 1011);
  }

  #release(): void {
    const hold = this.#hold;
    this.#hold = undefined;
    hold?.unsubscribe();
  }

  /** Sends `bytes` from `from` on in messages of the maximum size, each as soon as there is room for it. */
  #sendFrom(from: number, bytes: Uint8Array, done: Done): void {
    const { maxMessageSize } = this.#settings;
    for (let at = from; at < bytes.length; at += maxMessageSize) {
      const end = at + maxMessageSize;
      const next: Done = (error) => (error == null ? this.#sendFrom(end, bytes, done) : done(error));
      if (!this.#send(bytes.subarray(at, end) as Out, next, done)) return;
    }
    done();
  }

  /**
   * Sends `message`. Returns `true` if the next may follow immediately; otherwise `next` is called when it may.
   *
   * @param done called if nothing more can be sent.
   */
  #send(message: Out, next: Done, done: Done): boolean {
    let isClosed: boolean;
    try {
      isClosed = this.#conn.trySend(message) === 'closed';
    } catch (error) {
      done(error as Error);
      return false;
    }
    if (isClosed) this.#conn.close$.subscribe((info) => this.#refuse(info, done));
    else if (this.#conn.send.isReady) return true;
    else this.#whenReady(next);
    return false;
  }

  #whenReady(done: Done): void {
    const waiting = new Subscription();
    this.#subscription.add(waiting);
    waiting.add(
      this.#conn.send.ready$.subscribe({
        next: (isReady) => {
          if (!isReady) return;
          waiting.unsubscribe();
          done();
        },
        // Accepted messages are sent before the connection closes, unless it is lost.
        complete: () => void this.#conn.close$.subscribe((info) => done(closeErrorOf(info))),
      }),
    );
  }

  /** Answers a write after the end of the connection. */
  #refuse(info: CloseInfo, done: Done): void {
    const error = refusedError(info);
    if (error !== undefined) {
      done(error);
      return;
    }
    const duplex = this.#duplex;
    // We have closed: the stream ends normally for readers, and further writes are discarded.
    if (duplex.readableFlowing === null) {
      duplex.destroy();
      done(closedError(info));
      return;
    }
    if (!this.#isDiscarding) duplex.once('end', () => duplex.destroy());
    this.#isDiscarding = true;
    // An endless source must not block the event loop.
    setImmediate(done);
  }

  #push(message: In): void {
    const duplex = this.#duplex;
    // null ends a Node stream: the rest would be lost, and a truncated stream would look complete.
    if (message === null) {
      duplex.destroy(nullMessage());
      return;
    }
    // The stream may ask for more while it accepts this message.
    this.#isWanted = false;
    const wantsMore = duplex.push(this.#settings.objectMode ? message : this.#bytesOf(message));
    if (!wantsMore && !this.#isWanted) this.#hold ??= this.#conn.hold();
  }

  /** Ends the stream if connection and messages have ended. Messages may end later, because buffered ones are delivered first. */
  #endIfDone(): void {
    if (!this.#isComplete || this.#info === undefined) return;
    const duplex = this.#duplex;
    const error = closeErrorOf(this.#info);
    if (error !== undefined) {
      duplex.destroy(error);
      return;
    }
    duplex.push(null);
    // Ends a stream that is not read, as Node does for sockets.
    if (duplex.readableLength === 0) duplex.read(0);
  }

  #bytesOf(message: unknown): Uint8Array | string {
    if (message instanceof ArrayBuffer) return new Uint8Array(message);
    // Goes through the decoder of the stream, after any incomplete character that it holds.
    if (this.#settings.hasEncoding && typeof message === 'string') return Buffer.from(message);
    return message as Uint8Array | string;
  }
}

function nullMessage(): UsageError {
  return new UsageError(
    'NULL_MESSAGE',
    'toDuplex got the message null, which a Node.js stream cannot carry: wrap it in an object',
  );
}
